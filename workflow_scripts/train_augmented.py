"""Train a network on mixed images: blended, or boxes, or objects cut out by their masks."""

from selfdoubt import commands, datasets, masks, objectives, training


def run(arguments):
    objective = objectives.from_labels(arguments.settings.label_smoothing)
    training.train_to_files(arguments, lambda device, precision: objective, lambda train: masks_of(train, arguments))


def masks_of(train, arguments):
    """Return the masks that training images are mixed by: a segmenter's, or those that came with them; or None."""
    settings = arguments.settings
    if arguments.masks:
        found = masks.read_masks(arguments.masks[0])
    elif settings.masks is not None:
        found = datasets.foreground(train, settings.masks)
    else:
        return None
    return masks.CONTROLS[settings.mixing.mask_control](found, arguments.seed)


if __name__ == "__main__":
    files = training.FILES | training.OPTIONAL
    files["masks"] = "of the training images, where they are mixed by those of a segmenter"
    optional = tuple(training.OPTIONAL)
    commands.main(run, files, several=("masks", *training.SEVERAL), optional=optional, seeded=True, computes=True)
