"""Draw what arms gain over the first one, by the size of the object."""

from selfdoubt.data import datasets
from selfdoubt.figures import curves, plots
from selfdoubt.runtime import cli
from selfdoubt.settings.bounds import marked


def run(arguments):
    settings, bounds = arguments.settings.figure, arguments.settings.bounds
    runs = curves.runs(arguments.predictions, marked(settings.arms, bounds), settings.split, settings.score)
    split = datasets.read_split(arguments.images, settings.split)
    sizes = datasets.foreground(split, arguments.settings.mask_truth).mean((1, 2))
    looks = plots.arm_looks(marked(arguments.settings.all_arms, bounds))
    plots.save(plots.object_size(plots.SizedRuns(runs, sizes), settings, looks), arguments.figure)


if __name__ == "__main__":
    files = {"predictions": "of arms, then replicates", "images": "the split that they are of"}
    files |= {"figure": "written, in the format of each suffix"}
    cli.main(run, files, several=("predictions", "figure"))
