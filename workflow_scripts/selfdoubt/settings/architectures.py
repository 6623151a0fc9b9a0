"""The networks of segmentation-models-pytorch that a segmenter can be, for the config, which does not import them."""

ARCHITECTURES = ("Unet", "UnetPlusPlus", "MAnet", "Linknet", "FPN", "PSPNet", "DeepLabV3", "DeepLabV3Plus", "PAN")
ARCHITECTURES += ("UPerNet", "Segformer")
