"""How the page names arms."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from selfdoubt.figures.texts import listed
from selfdoubt.settings.upper_bounds import marked


@dataclass(frozen=True)
class Arms:
    """Labels of arms, and those arms that read the true labels: upper bounds, which are compared with none."""

    labels: dict[str, str] = field(default_factory=dict)
    upper_bounds: frozenset[str] = frozenset()

    def label(self, arm: str) -> str:
        """Return the text by which an arm is shown; its name where it has no label."""
        return self.labels.get(arm, arm)

    def marked(self, arm: str) -> str:
        """Return an arm's label, with a mark if it is an upper bound."""
        return marked(self.label(arm), arm in self.upper_bounds)

    def note(self, arms: Iterable[str]) -> str:
        """Return a sentence on the upper bounds among arms, after a space; "" where there is none."""
        found = [self.label(arm) for arm in arms if arm in self.upper_bounds]
        if not found:
            return ""
        verb, noun = ("reads", "an upper bound") if len(found) == 1 else ("read", "upper bounds")
        return f" {listed(found)} {verb} the true labels: {noun}, excluded from comparisons."


BY_NAME = Arms()
