"""Settings of ACE (Galil & El-Yaniv 2021), an attack on confidence."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from selfdoubt.settings.bases import Enhancer
from selfdoubt.settings.types import Epsilon, Precision


class Settings(Enhancer):
    method: Literal["ace"]
    reads_labels: ClassVar[bool] = True
    epsilon_255: Epsilon  # one value: to choose an attack by AURC would choose the weakest
    n_halvings: Annotated[int, Field(ge=0, le=64)]  # of a step that changes the predicted class
    precision: Precision = "float32"  # of gradients
