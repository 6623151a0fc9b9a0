"""Settings of the image network that is trained on val."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from selfdoubt.settings.architectures import ARCHITECTURES, check_depth
from selfdoubt.settings.bases import ImageTrained
from selfdoubt.settings.types import Channels, Count, Epsilon, NotNegative, Strict


class ImageNetwork(Strict):
    architecture: Literal[ARCHITECTURES]  # of segmentation-models-pytorch
    encoder: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")  # untrained
    # stages of the encoder, each of half the resolution of the one before
    encoder_depth: Annotated[int, Field(ge=1, le=5)]
    # of each stage of the decoder, of which there are encoder_depth
    decoder_channels: list[Channels] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_deep_enough(self) -> Self:
        check_depth(self.architecture, self.encoder_depth)
        return self


class Settings(ImageTrained):
    method: Literal["deep"]
    epsilon_255: list[Epsilon] = Field(min_length=1)
    # of the cross-entropy of whether predictions are correct; 0: none
    confidence_weight: list[NotNegative] = Field(min_length=1)
    ranking_weight: Annotated[list[NotNegative], Field(min_length=1)] | None = None  # of pairs
    width: Count | None = None  # channels between the convolutions; or network
    network: ImageNetwork | None = None  # an encoder-decoder
    epochs: Count

    @model_validator(mode="after")
    def _has_one_network(self) -> Self:
        if (self.width is None) == (self.network is None):
            raise ValueError("needs either width, of three convolutions, or network, an encoder-decoder; give one")
        if self.network is not None and self.batch_size == 1:
            raise ValueError("batch_size of 1 has no batch statistics, which network needs; set it to 2 or more")
        return self
