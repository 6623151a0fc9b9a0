"""Settings of the figure of the candidates that enhancers were chosen from."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.bases import FigureOfArms
from selfdoubt.settings.types import ArmText


class Settings(FigureOfArms):
    reads: ClassVar = ("metrics", "enhancements")
    kind: Literal["tuning-curves"]
    along: str  # the key whose candidates are the abscissa, such as epsilon_255
    reference: ArmText  # whose AURC on val is 0, such as a clean model

    def named_arms(self) -> list[tuple[str, str]]:
        return [("reference", self.reference), *super().named_arms()]

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield from ((self._check_candidates, place, arm, study) for arm in self.arms)

    def _check_candidates(self, place: str, arm: str, study) -> None:
        entry = study.enhancers.get(arm.partition("/")[2])
        values = getattr(entry, self.along, None)
        if not isinstance(values, list | tuple) or len(values) < 2 or getattr(entry, "tune_on", None):
            raise UserError(
                f"config: {place}.arms: {arm} has no candidates of {self.along}; the figure needs enhanced arms "
                "whose entry lists two or more, of which the AURC on val chooses"
            )
