"""Train a student: a network that learns from its teacher's answers."""

from selfdoubt import commands, distillation, training


def run(arguments):
    training.train_to_files(arguments, distillation.of_student(arguments))


if __name__ == "__main__":
    files = training.FILES | training.OPTIONAL | {"teacher": "the checkpoint of its teacher, or of each of several"}
    files["soft-labels"] = "their answers, where they are stored, in the same order"
    optional, several = tuple(training.OPTIONAL), ("teacher", "soft-labels", *training.SEVERAL)
    commands.main(run, files, several=several, optional=optional, seeded=True, computes=True)
