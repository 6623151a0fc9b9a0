"""Settings of distillation with a pairwise ranking of confidences (after Moon et al. 2020)."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import OfStudent
from selfdoubt.settings.types import Fraction, NotNegative, Positive


class Settings(OfStudent):
    of_one_label: ClassVar[bool] = True
    compares_images: ClassVar[bool] = True
    method: Literal["ranked"]
    temperature: Positive
    alpha: Fraction  # of the divergence; the cross-entropy with the labels has the rest
    weight: NotNegative  # of the pairwise loss
    margin: NotNegative  # of the student's confidences, in differences of the teacher's probability of the label
