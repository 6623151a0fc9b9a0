"""Evaluate a segmenter's masks, and the pseudo-labels that it learned from."""

from pathlib import Path

from selfdoubt.data import datasets, masks, own_images
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.mask_quality import MASK_QUALITY_SCHEMA
from selfdoubt.segmentation import mask_quality, mask_sheet


def run(arguments):
    settings, rule = arguments.settings, arguments.settings.mask_truth
    train, _ = own_images.read_train(arguments.train, settings, getattr(settings, "replicate", 0))
    truth = datasets.foreground(train, rule) if rule != "none" else None
    found, allowed = masks.read_masks(arguments.masks), getattr(settings, "allowed_empty_or_full", None)
    picture = Path(f"{arguments.quality}.png")  # not an output, so that it stays where the job fails
    useless = mask_quality.unusable(found)
    if useless.any():
        mask_sheet.write_sheet(picture, train.images[useless], found[useless])
    mask_quality.check_usable(found, allowed, arguments.masks, picture)
    pseudo = masks.read_masks(arguments.pseudo_masks)
    rows = mask_quality.quality_rows("pseudo-mask", pseudo, truth)
    rows += mask_quality.quality_rows("mask", found, truth, pseudo)
    if confidence := masks.read_confidence(arguments.masks):
        rows += mask_quality.confidence_rows(found, truth, *confidence)
    for row in rows:
        if row["warning"]:
            print(f"warning: {row['stage']}: {row['warning']}", flush=True)
    table_files.write_rows(arguments.quality, rows, MASK_QUALITY_SCHEMA, arguments.metadata)


if __name__ == "__main__":
    files = {"train": "the training split", "masks": "of its images", "pseudo-masks": "what they were learned from"}
    cli.main(run, files | {"quality": "written: a table"})
