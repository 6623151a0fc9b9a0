"""Measure each arm's gap to a perfect ordering, and what it comes from."""

from selfdoubt.evaluation.gap_table import rows_of_gap
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.external import people
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.gaps import GAPS_SCHEMA

WITHOUT = Undefined("no labels of several people are known of these images (soft_labels of the data set)")


def run(arguments):
    settings, rows = arguments.settings, []
    labels = dict(zip(settings.soft_labels, map(people.read, arguments.soft_labels), strict=True))
    for arm, path in zip(settings.arms, arguments.predictions, strict=True):
        predictions = predictions_by_split(table_files.read_table(path), path)
        of_people = people.of_test(labels[arm.dataset], predictions, arm.name) if arm.soft_labels else WITHOUT
        identity = {key: getattr(arm, key) for key in ("dataset", "name", "variant", "replicate")}
        rows += [identity | row for row in rows_of_gap(predictions, of_people, settings)]
    table_files.write_rows(arguments.output, rows, GAPS_SCHEMA, arguments.metadata)


if __name__ == "__main__":
    files = {"predictions": "of the settings' arms, in their order", "soft-labels": "of the settings' data sets"}
    cli.main(run, files | {"output": "written"}, several=("predictions", "soft-labels"), listed=("predictions",))
