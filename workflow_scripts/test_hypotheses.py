"""Decide which hypotheses are supported, from the contrasts of every data set."""

from selfdoubt.evaluation import hypotheses
from selfdoubt.evaluation.mask_checks import outcomes
from selfdoubt.evaluation.overlaps import overlap
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.comparisons import COMPARISONS_SCHEMA
from selfdoubt.runtime.schemas.contrasts import CONTRASTS_SCHEMA
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA
from selfdoubt.runtime.schemas.mask_quality import MASK_QUALITY_SCHEMA

SCHEMAS = {"comparisons": COMPARISONS_SCHEMA, "hypotheses": HYPOTHESES_SCHEMA}


def run(arguments):
    settings = arguments.settings
    contrasts = [
        row for path in arguments.contrasts for row in table_files.read_table(path, CONTRASTS_SCHEMA).to_pylist()
    ]
    overlaps = {path.parent.name: overlap(path, getattr(settings.drawn, path.parent.name)) for path in arguments.counts}
    qualities = [table_files.read_table(path, MASK_QUALITY_SCHEMA).to_pylist() for path in arguments.qualities]
    tables = hypotheses.decide(contrasts, settings, outcomes(qualities, settings, overlaps))
    for row in tables["hypotheses"]:
        if row["warning"]:
            print(f"warning: {row['hypothesis']} on {row['dataset']}: {row['warning']}", flush=True)
    for name, rows in tables.items():
        table_files.write_rows(getattr(arguments, name), rows, SCHEMAS[name], arguments.metadata)


if __name__ == "__main__":
    written = {"comparisons": "written", "hypotheses": "written, with verdicts"}
    files = {"contrasts": "of every data set", "qualities": "of masks, of each check"}
    files |= {"counts": "of data sets whose masks are checked and whose replicates overlap"}
    cli.main(run, files | written, several=("contrasts", "qualities", "counts"))
