"""Settings of the forest plot of a study's comparisons."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.analysis import Metric
from selfdoubt.settings.bases import Figure
from selfdoubt.settings.claims import claims_of


class Settings(Figure):
    reads: ClassVar = ("metrics", "comparisons", "hypotheses")
    needs: ClassVar = ("labels", "claims")
    kind: Literal["forest"]
    metrics: list[Metric] = []  # none: all that are compared
    exploratory: bool = True  # whether comparisons that no claim is about are shown too

    def shown_arms(self, study) -> list[str]:
        """Return the study's arms, and those that its claims are about."""
        text = study.studies.get(self.study)
        arms = [text.reference, *text.arms] if text else []
        arms += [arm for _, claim in claims_of(study) if claim.study == self.study for arm in claim.arms()]
        return list(dict.fromkeys(arms))

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield _check_study, place, self


def _check_study(place: str, figure: Settings) -> None:
    if figure.study is None:
        raise UserError(f"config: {place}.study: missing; name the study whose comparisons it shows")
