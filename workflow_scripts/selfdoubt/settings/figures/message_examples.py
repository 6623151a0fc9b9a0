"""Settings of the figure of single images about which members send messages."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.bases import Figure
from selfdoubt.settings.choices import check_known
from selfdoubt.settings.types import Count, Name


class Settings(Figure):
    reads: ClassVar = ("predictions", "images", "gains", "persuasion", "counts")
    needs: ClassVar = ("labels",)
    kind: Literal["message-examples"]
    group: Name
    protocol: Name
    n_images: Count
    split: Literal["test"] = "test"

    def shown_arms(self, study) -> list[str]:
        return [*study.groups[self.group].members, f"{self.group}/{self.protocol}"]

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield self._check_group, place, study

    def _check_group(self, place: str, study) -> None:
        check_known(f"{place}.group", self.group, study.groups, "a group")
        fitting = [key for key, protocol in study.protocols.items() if protocol.method == "persuasion"]
        known = [key for key in study.groups[self.group].protocols if key in fitting]
        check_known(f"{place}.protocol", self.protocol, known, "a protocol of the group, of the method persuasion")
        if study.protocols[self.protocol].senders:
            what = f"{self.protocol} has senders that do not decide; the figure needs one in which all members do"
            raise UserError(f"config: {place}.protocol: {what}")
