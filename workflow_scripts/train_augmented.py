"""Train a network on mixed images: blended, or boxes, or objects cut out by their masks."""

from selfdoubt.runtime import cli
from selfdoubt.training import loop, mixed_losses


def run(arguments):
    objective = mixed_losses.of_augmented(arguments.settings)
    loop.train_to_files(arguments, lambda device, precision: objective)


if __name__ == "__main__":
    files = loop.FILES | loop.OPTIONAL | loop.MASKS
    optional = tuple(loop.OPTIONAL)
    cli.main(run, files, several=("masks", *loop.SEVERAL), optional=optional, replicated=True, computes=True)
