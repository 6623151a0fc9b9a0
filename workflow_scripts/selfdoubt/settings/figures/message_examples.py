"""Settings of the figure of single images about which members send messages."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import FigureOfProtocol
from selfdoubt.settings.choices import check_known
from selfdoubt.settings.types import Count


class Settings(FigureOfProtocol):
    reads: ClassVar = ("predictions", "images", "gains", "counts")
    needs: ClassVar = ("labels", "source")
    kind: Literal["message-examples"]
    n_images: Count  # of test, about which messages are sent
    split: Literal["test"] = "test"

    def check_protocol(self, place: str, study) -> None:
        check_known(f"{place}.group", self.group, study.groups, "a group")
        fitting = [key for key, protocol in study.protocols.items() if _is_shown(protocol)]
        known = [key for key in study.groups[self.group].protocols if key in fitting]
        what = "a protocol of the group by which members change each other's images, all of whom decide"
        check_known(f"{place}.protocol", self.protocol, known, what)


def _is_shown(protocol) -> bool:
    return protocol.method == "dialogue" or (protocol.method == "persuasion" and not protocol.senders)
