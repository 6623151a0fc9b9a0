"""Settings of the persuasion matrix."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from selfdoubt.settings.bases import Figure
from selfdoubt.settings.choices import check_known
from selfdoubt.settings.types import Name


class Settings(Figure):
    reads: ClassVar = ("persuasion",)
    needs: ClassVar = ("labels",)
    kind: Literal["persuasion-matrix"]
    group: Name
    protocol: Name

    def shown_arms(self, study) -> list[str]:
        return [*study.groups[self.group].members, f"{self.group}/{self.protocol}"]

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield self._check_group, place, study

    def _check_group(self, place: str, study) -> None:
        check_known(f"{place}.group", self.group, study.groups, "a group")
        fitting = [key for key, protocol in study.protocols.items() if protocol.targets_classes]
        known = [key for key in study.groups[self.group].protocols if key in fitting]
        check_known(f"{place}.protocol", self.protocol, known, "a protocol of the group whose messages are for a class")
