"""Settings of a network of timm."""

from typing import Literal

from pydantic import Field

from selfdoubt.settings.bases import FromOthers, FromTimm


def _default_input(given: dict) -> str:
    return "pretrained" if given.get("pretrained") or given.get("weights") else "data"


class Settings(FromTimm):
    family: Literal["timm"]
    pretrained: bool = False  # whether it starts from the weights that timm publishes
    # data: images as they are; pretrained: resized to what the weights were trained on
    input_px: Literal["data", "pretrained"] = Field(default_factory=_default_input)


class Pretrained(FromTimm, FromOthers):
    """With the weights of a file, or with its published ones."""

    family: Literal["timm"]
    # data: images as they are; pretrained: resized to what the weights were trained on
    input_px: Literal["data", "pretrained"] = "pretrained"
