"""Train a network on mixed images: boxes, or objects cut out by their masks."""

from selfdoubt import commands, masks, training


def run(arguments):
    objective = training.label_smoothing_of(arguments.settings)
    shapes = masks.read_masks(arguments.masks[0]) if arguments.masks else None
    training.train_to_files(arguments, objective, shapes)


if __name__ == "__main__":
    files = training.FILES | {"masks": "of the training images, where they are mixed by masks"}
    commands.main(run, files, several=("masks",), seeded=True)
