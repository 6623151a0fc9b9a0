"""Collect the selected settings and the costs of all enhancers in one table."""

import json

from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.enhancements import ENHANCEMENTS_SCHEMA


def run(arguments):
    rows = []
    for arm in arguments.settings.arms:
        for replicate in arm.replicates:
            metadata = table_files.read_metadata(arguments.predictions[len(rows)])
            own = {"dataset": arm.dataset, "name": arm.name, "replicate": replicate, "variant": arm.variant}
            texts = {key: json.dumps(metadata[key], sort_keys=True) for key in ("chosen", "tried")}
            rows.append({**own, **texts, **metadata["costs_per_image"]})
    table_files.write_rows(arguments.output, rows, ENHANCEMENTS_SCHEMA, arguments.metadata)


if __name__ == "__main__":
    files = {"predictions": "of arms, then replicates, as in --settings", "output": "written"}
    cli.main(run, files, several=("predictions",), listed=("predictions",))
