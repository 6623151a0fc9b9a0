"""Draw one figure, of the kind that its settings name."""

import pandas as pd

from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.figures import context, numbers, style
from selfdoubt.figures.nothing import notice
from selfdoubt.figures.texts import NothingToShow
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
    "comparisons": "of arms, paired over replicates",
    "hypotheses": "claims with their verdicts",
    "groups": "what their protocols gain and cost",
    "gaps": "to perfect orderings, of all arms",
    "fidelity": "of students to their teachers",
    "histories": "of the trainings of models, then replicates",
}


def run(arguments):
    settings, known = arguments.settings.figure, context.context_of(arguments.metadata["settings"])
    kind = methods.load("figures.kinds", settings.kind)
    try:
        data = kind.read(arguments, settings, known)
        figure, table = kind.draw(data, settings, known), kind.table(data, settings, known)
        if hasattr(kind, "POINTS"):
            table = numbers.placed(table, figure, *kind.POINTS)
    except (NothingToShow, Undefined) as reason:
        print(f"nothing to show: {reason}", flush=True)
        figure, table = notice(str(reason), settings), pd.DataFrame({"nothing_to_show": [str(reason)]})
    for path in arguments.figure:
        if path.suffix == ".csv":
            numbers.write(path, table)
        else:
            style.save(figure, [path])


if __name__ == "__main__":
    files = INPUTS | {"figure": "written, in the format of each suffix; .csv: what it shows, as numbers"}
    cli.main(run, files, several=tuple(files), listed=("metrics",))
