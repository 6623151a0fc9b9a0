"""Settings of the figure of single images about which members send messages."""

from typing import ClassVar, Literal

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.bases import FigureOfProtocol
from selfdoubt.settings.types import Count


class Settings(FigureOfProtocol):
    reads: ClassVar = ("predictions", "images", "gains", "persuasion", "counts")
    needs: ClassVar = ("labels", "source")
    kind: Literal["message-examples"]
    n_images: Count  # of test, about which messages are sent
    split: Literal["test"] = "test"

    def check_protocol(self, place: str, study) -> None:
        super().check_protocol(place, study)
        protocol = study.protocols[self.protocol]
        if protocol.method != "persuasion" or protocol.senders:
            what = f"{self.protocol} is no persuasion in which all members decide; the figure needs one"
            raise UserError(f"config: {place}.protocol: {what}")
