"""Draw accuracy against confidence."""

from selfdoubt.figures import curves, plots
from selfdoubt.runtime import cli
from selfdoubt.settings.bounds import marked


def run(arguments):
    settings, bounds = arguments.settings.figure, arguments.settings.bounds
    runs = curves.runs(arguments.predictions, marked(settings.arms, bounds), settings.split, curves.MAX_PROBABILITY)
    looks = plots.arm_looks(marked(arguments.settings.all_arms, bounds))
    plots.save(plots.reliability(runs, settings, looks), arguments.figure)


if __name__ == "__main__":
    files = {"predictions": "of arms, then replicates", "figure": "written, in the format of each suffix"}
    cli.main(run, files, several=("predictions", "figure"))
