"""The networks of segmentation-models-pytorch that a segmenter can be, for the config, which does not import them."""

ARCHITECTURES = ("Unet", "UnetPlusPlus", "MAnet", "Linknet", "FPN", "PSPNet", "DeepLabV3", "DeepLabV3Plus", "PAN")
ARCHITECTURES += ("UPerNet", "Segformer")
_LEAST_DEPTH = dict.fromkeys(("FPN", "DeepLabV3Plus", "PAN", "UPerNet", "Segformer"), 3) | {"UnetPlusPlus": 2}


def check_depth(architecture: str, encoder_depth: int) -> None:
    """Raise ValueError if a decoder needs more stages of its encoder."""
    least = _LEAST_DEPTH.get(architecture, 1)
    if encoder_depth < least:
        raise ValueError(f"encoder_depth {encoder_depth}, but {architecture} needs {least} or more; raise it")
