"""Settings of the figure of a column of training histories."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.bases import FigureOfArms
from selfdoubt.settings.choices import check_known

PARTS = ("tckd", "nckd")  # of the divergence from the teacher: of students whose loss measures them


class Settings(FigureOfArms):
    reads: ClassVar = ("histories",)
    kind: Literal["training-curves"]
    # of the histories, by epoch; tckd, nckd: docs/distillation.md
    column: Literal["train_loss", "val_loss", "val_accuracy", "learning_rate", "tckd", "nckd"]

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield self._check_trained, f"{place}.arms", study

    def _check_trained(self, place: str, study) -> None:
        trained = [name for name in study.models if name not in study.pretrained]
        for arm in self.arms:
            check_known(place, arm, trained, "a model that is trained here")
            if self.column in PARTS and not _is_measured(arm, study):
                what = f"the loss of {arm} measures no {self.column}, which students of single images by kd and dkd do"
                raise UserError(f"config: {place}: {what}; leave it out, or show another column")


def _is_measured(arm: str, study) -> bool:
    return arm in study.students and study.students[arm].measures_parts
