"""Settings of one member with views."""

from typing import Literal

from selfdoubt.settings.viewed import ViewedProtocol


class Settings(ViewedProtocol):
    method: Literal["member-views"]
