"""Train a baseline: a network that learns from labels alone."""

from selfdoubt import commands, training


def run(arguments):
    objective = training.label_smoothing_of(arguments.settings)
    training.train_to_files(arguments, objective)


if __name__ == "__main__":
    commands.main(run, training.FILES, seeded=True)
