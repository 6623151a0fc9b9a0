"""Draw the error among the accepted against the share accepted."""

from selfdoubt import commands, curves, figures


def run(arguments):
    settings = arguments.settings.figure
    runs = curves.runs(arguments.predictions, settings.arms, settings.split, settings.score)
    looks = figures.arm_looks(arguments.settings.all_arms)
    figures.save(figures.risk_coverage(runs, settings, looks), arguments.figure)


if __name__ == "__main__":
    files = {"predictions": "of arms, then seeds", "figure": "written, in the format of each suffix"}
    commands.main(run, files, several=("predictions", "figure"))
