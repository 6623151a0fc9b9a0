"""Draw one figure, of the kind that its settings name."""

from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.figures import context, style
from selfdoubt.figures.nothing import NothingToShow, notice
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
    "gains": "by messages, image by image",
    "counts": "of images, with the names of classes",
    "enhancements": "what was chosen, and passes",
    "groups": "what their protocols gain and cost",
    "gaps": "to perfect orderings, of all arms",
    "fidelity": "of students to their teachers",
    "histories": "of the trainings of models, then replicates",
}


def run(arguments):
    settings, known = arguments.settings.figure, context.context_of(arguments.metadata["settings"])
    kind = methods.load("figures.kinds", settings.kind)
    try:
        figure = kind.draw(kind.read(arguments, settings, known), settings, known)
    except (NothingToShow, Undefined) as reason:
        print(f"nothing to show: {reason}", flush=True)
        figure = notice(str(reason), settings)
    style.save(figure, arguments.figure)


if __name__ == "__main__":
    files = INPUTS | {"figure": "written, in the format of each suffix"}
    cli.main(run, files, several=tuple(files), listed=("metrics",))
