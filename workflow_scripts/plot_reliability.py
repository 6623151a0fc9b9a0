"""Draw accuracy against confidence."""

from selfdoubt import commands, curves, figures


def run(arguments):
    settings = arguments.settings.figure
    runs = curves.runs(arguments.predictions, settings.arms, settings.split, curves.MAX_PROBABILITY)
    looks = figures.arm_looks(arguments.settings.all_arms)
    figures.save(figures.reliability(runs, settings, looks), arguments.figure)


if __name__ == "__main__":
    files = {"predictions": "of arms, then seeds", "figure": "written, in the format of each suffix"}
    commands.main(run, files, several=("predictions", "figure"))
