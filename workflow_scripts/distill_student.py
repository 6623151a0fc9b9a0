"""Train a student: a network that learns from its teacher's answers."""

from selfdoubt import commands, objectives, training


def run(arguments):
    stored = arguments.soft_labels[0] if arguments.soft_labels else None
    training.train_to_files(arguments, objectives.of_student(arguments.settings, arguments.teacher, stored))


if __name__ == "__main__":
    files = training.FILES | training.OPTIONAL | {"teacher": "the teacher's checkpoint"}
    files["soft-labels"] = "its answers, where they are stored"
    optional = tuple(training.OPTIONAL)
    commands.main(run, files, several=("soft-labels", *training.SEVERAL), optional=optional, seeded=True, computes=True)
