"""Train a teacher or a baseline: a network that learns from labels alone."""

from selfdoubt.runtime import cli
from selfdoubt.training import loop, losses


def run(arguments):
    objective = losses.of_label_model(arguments.settings)
    loop.train_to_files(arguments, lambda device, precision: objective)


if __name__ == "__main__":
    files = loop.FILES | loop.OPTIONAL
    optional = tuple(loop.OPTIONAL)
    cli.main(run, files, several=loop.SEVERAL, optional=optional, replicated=True, computes=True)
