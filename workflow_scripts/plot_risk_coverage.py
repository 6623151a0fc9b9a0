"""Draw the error among the accepted against the share accepted."""

from selfdoubt.figures import curves, plots
from selfdoubt.runtime import cli
from selfdoubt.settings.bounds import marked


def run(arguments):
    settings, bounds = arguments.settings.figure, arguments.settings.bounds
    runs = curves.runs(arguments.predictions, marked(settings.arms, bounds), settings.split, settings.score)
    looks = plots.arm_looks(marked(arguments.settings.all_arms, bounds))
    plots.save(plots.risk_coverage(runs, settings, looks), arguments.figure)


if __name__ == "__main__":
    files = {"predictions": "of arms, then replicates", "figure": "written, in the format of each suffix"}
    cli.main(run, files, several=("predictions", "figure"))
