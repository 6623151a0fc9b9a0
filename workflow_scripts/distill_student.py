"""Train a student: a network that learns from its teacher's answers."""

from selfdoubt.distillation import objectives
from selfdoubt.runtime import cli
from selfdoubt.training import loop


def run(arguments):
    loop.train_to_files(arguments, objectives.of_student(arguments))


if __name__ == "__main__":
    files = loop.FILES | loop.OPTIONAL | {"teacher": "the checkpoint of its teacher, or of each of several"}
    files["soft-labels"] = "their answers, where they are stored, in the same order"
    optional, several = tuple(loop.OPTIONAL), ("teacher", "soft-labels", *loop.SEVERAL)
    cli.main(run, files, several=several, optional=optional, replicated=True, computes=True)
