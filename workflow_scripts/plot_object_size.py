"""Draw what arms gain over the first one, by the size of the object."""

from selfdoubt import commands, curves, datasets, figures
from selfdoubt.bounds import marked


def run(arguments):
    settings, bounds = arguments.settings.figure, arguments.settings.bounds
    runs = curves.runs(arguments.predictions, marked(settings.arms, bounds), settings.split, settings.score)
    split = datasets.read_split(arguments.images, settings.split)
    sizes = datasets.foreground(split, arguments.settings.mask_truth).mean((1, 2))
    looks = figures.arm_looks(marked(arguments.settings.all_arms, bounds))
    figures.save(figures.object_size(figures.SizedRuns(runs, sizes), settings, looks), arguments.figure)


if __name__ == "__main__":
    files = {"predictions": "of arms, then seeds", "images": "the split that they are of"}
    files |= {"figure": "written, in the format of each suffix"}
    commands.main(run, files, several=("predictions", "figure"))
