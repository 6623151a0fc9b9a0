"""Settings of the oracle: ACE (Galil & El-Yaniv 2021) reversed."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from selfdoubt.settings.bases import Enhancer
from selfdoubt.settings.types import Epsilon, Precision


class Settings(Enhancer):
    method: Literal["oracle"]
    reads_labels: ClassVar[bool] = True
    epsilon_255: list[Epsilon] = Field(min_length=1)
    n_halvings: Annotated[int, Field(ge=0, le=64)]  # of a step that changes the predicted class
    precision: Precision = "float32"  # of gradients
