"""Draw images before and after enhancers, with the perturbation magnified."""

from selfdoubt.enhancers import examples
from selfdoubt.figures import plots
from selfdoubt.runtime import cli
from selfdoubt.settings.bounds import MARK


def run(arguments):
    settings = arguments.settings.figure
    bounds = {arm.partition("/")[2] for arm in arguments.settings.bounds}
    titles = [name + MARK if name in bounds else name for name in settings.enhancers]
    named = zip(titles, arguments.examples, strict=True)
    shown = {name: plots.EnhancementExamples(**examples.read(path)) for name, path in named}
    plots.save(plots.enhancement_examples(shown, settings), arguments.figure)


if __name__ == "__main__":
    files = {"examples": "of each enhancer", "figure": "written, in the format of each suffix"}
    cli.main(run, files, several=("examples", "figure"))
