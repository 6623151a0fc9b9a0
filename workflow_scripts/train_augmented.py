"""Train a network on mixed images: boxes, or objects cut out by their masks."""

from selfdoubt import commands, masks, objectives, training


def run(arguments):
    objective = objectives.from_labels(arguments.settings.label_smoothing)
    shapes = masks.read_masks(arguments.masks[0]) if arguments.masks else None
    training.train_to_files(arguments, lambda device, precision: objective, shapes)


if __name__ == "__main__":
    files = training.FILES | training.OPTIONAL
    files["masks"] = "of the training images, where they are mixed by masks"
    optional = tuple(training.OPTIONAL)
    commands.main(run, files, several=("masks", *training.SEVERAL), optional=optional, seeded=True, computes=True)
