"""Train a baseline: a network that learns from labels alone."""

from selfdoubt import commands, objectives, training


def run(arguments):
    objective = objectives.of_label_model(arguments.settings)
    training.train_to_files(arguments, lambda device, precision: objective)


if __name__ == "__main__":
    files = training.FILES | training.OPTIONAL
    optional = tuple(training.OPTIONAL)
    commands.main(run, files, several=training.SEVERAL, optional=optional, seeded=True, computes=True)
