"""Compare arms paired over replicates, and decide which hypotheses are supported."""

from pathlib import Path

from selfdoubt.evaluation import hypotheses
from selfdoubt.evaluation.mask_checks import outcomes
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.comparisons import COMPARISONS_SCHEMA
from selfdoubt.runtime.schemas.counts import COUNTS_SCHEMA
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA
from selfdoubt.runtime.schemas.mask_quality import MASK_QUALITY_SCHEMA

SCHEMAS = {"comparisons": COMPARISONS_SCHEMA, "hypotheses": HYPOTHESES_SCHEMA}


def run(arguments):
    settings = arguments.settings
    overlaps = {path.parent.name: overlap(path, settings) for path in arguments.counts}
    settings.overlaps = [overlaps.get(dataset, 0.0) for dataset in settings.datasets]
    qualities = [table_files.read_table(path, MASK_QUALITY_SCHEMA).to_pylist() for path in arguments.qualities]
    tables = hypotheses.compare_arms(arguments.predictions, settings, outcomes(qualities, settings))
    for row in tables["hypotheses"]:
        if row["warning"]:
            print(f"warning: {row['hypothesis']} on {row['dataset']}: {row['warning']}", flush=True)
    for name, rows in tables.items():
        table_files.write_rows(getattr(arguments, name), rows, SCHEMAS[name], arguments.metadata)


def overlap(path: Path, settings) -> float:
    """Return the fraction of a replicate's training images that another one has, where each draws from all of them."""
    rows = table_files.read_table(path, COUNTS_SCHEMA).to_pylist()
    of_all = [
        row["count"] for row in rows if (row["split"], row["statistic"], row["label"]) == ("train", "images", None)
    ]
    return getattr(settings.drawn, path.parent.name) / of_all[0]


if __name__ == "__main__":
    written = {"comparisons": "written", "hypotheses": "written, with verdicts"}
    files = {"predictions": "of data sets, arms and replicates, in the settings' order", "counts": "of data sets"}
    files |= {"qualities": "of masks, of each check"}
    cli.main(run, files | written, several=("predictions", "counts", "qualities"), listed=("predictions",))
