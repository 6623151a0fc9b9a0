"""Train a student: a network that learns from its teacher's soft labels."""

from selfdoubt.distillation import objectives
from selfdoubt.runtime import cli
from selfdoubt.training import loop


def run(arguments):
    loop.train_to_files(arguments, objectives.of_student(arguments), n_views=objectives.n_views(arguments))


if __name__ == "__main__":
    files = loop.FILES | loop.OPTIONAL | loop.MASKS
    files["teacher"] = "the checkpoint of its teacher, or of each of several"
    files["soft-labels"] = "a file of its targets, where they are stored"
    optional, several = tuple(loop.OPTIONAL), ("teacher", "soft-labels", "masks", *loop.SEVERAL)
    cli.main(run, files, several=several, optional=optional, replicated=True, computes=True)
