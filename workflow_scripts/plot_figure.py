"""Draw one figure, of the kind that its settings name."""

from selfdoubt.figures import context, style
from selfdoubt.runtime import cli, methods

INPUTS = {
    "predictions": "of arms, then replicates",
    "metrics": "of every arm and replicate",
    "images": "a split",
    "masks": "of its images",
    "pseudo-masks": "what they were learned from",
    "mixed-labels": "of models, then replicates",
    "examples": "of each enhancer",
    "persuasion": "who persuades whom, a table a replicate",
}


def run(arguments):
    settings, known = arguments.settings.figure, context.context_of(arguments.metadata["settings"])
    kind = methods.load("figures.kinds", settings.kind)
    data = kind.read(arguments, settings, known)
    style.save(kind.draw(data, settings, known), arguments.figure)


if __name__ == "__main__":
    files = INPUTS | {"figure": "written, in the format of each suffix"}
    cli.main(run, files, several=tuple(files), listed=("metrics",))
