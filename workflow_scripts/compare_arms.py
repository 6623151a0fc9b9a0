"""Compare the arms of one data set, paired over replicates; and what claims are about besides, masks and messages."""

from selfdoubt.evaluation.compared_arms import compare_arms
from selfdoubt.evaluation.information_claims import compare_information
from selfdoubt.evaluation.mask_checks import compare_masks
from selfdoubt.evaluation.overlaps import overlap
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.contrasts import CONTRASTS_SCHEMA
from selfdoubt.runtime.schemas.information import INFORMATION_SCHEMA
from selfdoubt.runtime.schemas.mask_quality import MASK_QUALITY_SCHEMA


def run(arguments):
    settings = arguments.settings
    [settings.overlap] = [overlap(path, settings.n_drawn) for path in arguments.counts] or [0.0]
    qualities = [table_files.read_table(path, MASK_QUALITY_SCHEMA).to_pylist() for path in arguments.qualities]
    rows = compare_masks(qualities, settings) + compare_arms(arguments.predictions, settings)
    for path in arguments.information:
        rows += compare_information(table_files.read_table(path, INFORMATION_SCHEMA).to_pylist(), settings)
    table_files.write_rows(arguments.output, rows, CONTRASTS_SCHEMA, arguments.metadata)


if __name__ == "__main__":
    files = {"predictions": "of arms and replicates, in the settings' order", "counts": "of the data set, or nothing"}
    files |= {"qualities": "of masks, of each check", "information": "of the data set, or nothing"}
    several = ("predictions", "counts", "qualities", "information")
    cli.main(run, files | {"output": "written: contrasts"}, several=several, listed=("predictions",))
