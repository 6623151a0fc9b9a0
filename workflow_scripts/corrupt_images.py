"""Corrupt part of the test split at several severities."""

from selfdoubt import commands, corruptions, datasets


def run(arguments):
    settings, test = arguments.settings, datasets.read_split(arguments.test, "test")
    corrupted = corruptions.corrupt(test, settings.name, settings.severities, settings.n_images, seed=0)
    datasets.write_splits(arguments.output, corrupted, arguments.metadata)


if __name__ == "__main__":
    commands.main(run, {"test": "the test split", "output": "written: a split for each severity"})
