"""Settings of the figure of a metric along one setting of protocols, enhancers or models."""

from collections.abc import Iterator
from functools import reduce
from typing import ClassVar, Literal

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.analysis import Score
from selfdoubt.settings.bases import Figure
from selfdoubt.settings.types import ArmText


class Settings(Figure):
    reads: ClassVar = ("metrics",)
    needs: ClassVar = ("labels", "values")
    kind: Literal["metric-along"]
    along: str  # the key of the arms' protocols, enhancers or models that is the abscissa, such as loss.temperature
    series: dict[str, list[ArmText]]  # a curve each: its name and its arms
    reference: ArmText | None = None  # drawn as a line
    metric: Literal["accuracy", "auroc", "aurc", "augrc", "nll"]
    score: Score  # of other metrics than accuracy
    split: str

    def named_arms(self) -> list[tuple[str, str]]:
        known = [(f"series.{name}", arm) for name, arms in self.series.items() for arm in arms]
        return known if self.reference is None else [("reference", self.reference), *known]

    def value_of(self, arm: str, study) -> float | None:
        """Return the setting of an arm; None where it has none, or several."""
        name, _, variant = arm.partition("/")
        entry = (study.protocols.get(variant) or study.enhancers.get(variant)) if variant else study.models.get(name)
        found = reduce(lambda part, key: getattr(part, key, None), self.along.split("."), entry)
        if isinstance(found, list | tuple):
            found = found[0] if len(found) == 1 else None
        return found if isinstance(found, int | float) else None

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield from ((self._check_value, place, name, arm, study) for name in self.series for arm in self.series[name])

    def _check_value(self, place: str, name: str, arm: str, study) -> None:
        if self.value_of(arm, study) is None:
            what = f"{arm} has no single number as its {self.along}"
            needed = "it needs an arm whose protocol, enhancer or model has one"
            raise UserError(f"config: {place}.series.{name}: {what}; {needed}")
