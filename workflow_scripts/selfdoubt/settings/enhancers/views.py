"""Settings of the confidence of the clean prediction over several views."""

from typing import Literal

from selfdoubt.settings.bases import OfViews


class Settings(OfViews):
    method: Literal["views"]
