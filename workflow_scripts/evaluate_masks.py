"""Evaluate a segmenter's masks, and the pseudo-labels that it learned from."""

from selfdoubt.data import datasets, masks, own_images
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.mask_quality import MASK_QUALITY_SCHEMA
from selfdoubt.segmentation.mask_quality import quality_rows


def run(arguments):
    settings, rule = arguments.settings, arguments.settings.mask_truth
    train, _ = own_images.read_train(arguments.train, settings, getattr(settings, "replicate", 0))
    truth = datasets.foreground(train, rule) if rule != "none" else None
    pseudo = masks.read_masks(arguments.pseudo_masks)
    rows = quality_rows("pseudo-mask", pseudo, truth)
    rows += quality_rows("mask", masks.read_masks(arguments.masks), truth, pseudo)
    for row in rows:
        if row["warning"]:
            print(f"warning: {row['stage']}: {row['warning']}", flush=True)
    table_files.write_rows(arguments.quality, rows, MASK_QUALITY_SCHEMA, arguments.metadata)


if __name__ == "__main__":
    files = {"train": "the training split", "masks": "of its images", "pseudo-masks": "what they were learned from"}
    cli.main(run, files | {"quality": "written: a table"})
