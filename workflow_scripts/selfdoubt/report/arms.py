"""How the page names arms."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from selfdoubt.figures.texts import listed
from selfdoubt.settings.information_claims import PREDICTIONS
from selfdoubt.settings.upper_bounds import marked

_NO_ARMS = {PREDICTIONS: "predictions of the members"}


def _numbered(arm: str) -> tuple[str, int, str]:
    """Return what stands before an arm's number, the number, and the arm; 0 where it has none."""
    stem, dash, number = arm.rpartition("-")
    return (stem, int(number), arm) if dash and number.isdecimal() else (arm, 0, arm)


@dataclass(frozen=True)
class Arms:
    """Labels of arms, and those arms that use true labels or masks: upper bounds, which are compared with none."""

    labels: dict[str, str] = field(default_factory=dict)
    upper_bounds: frozenset[str] = frozenset()

    def label(self, arm: str) -> str:
        """Return the text by which an arm is shown; its name where it has no label."""
        return self.labels.get(arm, _NO_ARMS.get(arm, arm))

    def marked(self, arm: str) -> str:
        """Return an arm's label, with a mark if it is an upper bound."""
        return marked(self.label(arm), arm in self.upper_bounds)

    def spans(self, arms: Iterable[str]) -> list[str]:
        """Return labels of arms; three or more that are numbered on, such as twins and folds, as one: "a-1 to a-9"."""
        runs: list[list[tuple[str, int, str]]] = []
        for stem, number, arm in sorted(map(_numbered, arms), key=lambda each: each[:2]):
            if runs and number and (stem, number - 1) == runs[-1][-1][:2]:
                runs[-1].append((stem, number, arm))
            else:
                runs.append([(stem, number, arm)])
        labels = [[self.label(arm) for *_, arm in run] for run in runs]
        return [text for run in labels for text in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else run)]

    def note(self, arms: Iterable[str]) -> str:
        """Return a sentence on the upper bounds among arms, after a space; "" where there is none."""
        found = [self.label(arm) for arm in arms if arm in self.upper_bounds]
        if not found:
            return ""
        verb, noun = ("uses", "an upper bound") if len(found) == 1 else ("use", "upper bounds")
        return f" {listed(found)} {verb} true labels or true masks: {noun}, excluded from comparisons."


BY_NAME = Arms()
