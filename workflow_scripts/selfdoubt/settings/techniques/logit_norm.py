"""Settings of LogitNorm (Wei et al., ICML 2022)."""

from typing import Literal

from selfdoubt.settings.bases import Technique
from selfdoubt.settings.types import Positive


class Settings(Technique):
    method: Literal["logit-norm"]
    temperature: Positive  # of the logits of unit length, in the loss alone
