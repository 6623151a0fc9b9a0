"""Train a student: a network that learns from its teacher's answers."""

from selfdoubt import commands, training


def run(arguments):
    objective = training.teacher_of(arguments.teacher, arguments.settings)
    training.train_to_files(arguments, objective)


if __name__ == "__main__":
    commands.main(run, training.FILES | {"teacher": "the teacher's checkpoint"}, seeded=True)
