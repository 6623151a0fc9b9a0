"""Predict the object mask of every training image, and judge the masks."""

from selfdoubt import commands, datasets, devices, masks, schemas, segmentation


def run(arguments):
    settings, train = arguments.settings, datasets.read_split(arguments.train, "train")
    network = segmentation.load_segmenter(arguments.network, devices.prepare(settings.device, settings.threads))
    found = segmentation.segment(network, train.images)
    known = settings.mask_truth != "none"
    truth = datasets.foreground(train, settings.mask_truth) if known else None
    stages = {"pseudo-mask": masks.read_masks(arguments.pseudo_masks), "mask": found}
    rows = [row for stage, shapes in stages.items() for row in masks.quality_rows(stage, shapes, truth)]
    masks.write_masks(arguments.masks, found, arguments.metadata)
    schemas.write_rows(arguments.quality, rows, schemas.SCHEMAS["mask-quality"], arguments.metadata)


if __name__ == "__main__":
    files = {"train": "the training split", "network": "the segmenter", "pseudo-masks": "what it learned from"}
    commands.main(run, files | {"masks": "written", "quality": "written: a table"}, computes=True)
