"""Settings common to the protocols that fit weights on val, at one of several penalties."""

from typing import Annotated

from pydantic import Field

from selfdoubt.settings.bases import Protocol
from selfdoubt.settings.types import Positive

Penalties = Annotated[list[Positive], Field(min_length=1)]  # of squared weights; one is chosen on val
Folds = Annotated[int, Field(ge=2, le=1000)]  # of val, or of what else is cross-validated


class FittedProtocol(Protocol):
    """A group whose decision has weights that are fitted on val, at the penalty of least NLL in cross-validation."""

    penalty: Penalties
    n_folds: Folds
