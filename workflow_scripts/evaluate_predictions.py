"""Evaluate predictions from any model: evaluate_predictions.py FILE ... [--val FILE ...] [--ood FILE ...]

FILE is Parquet, CSV or NPZ with a column label and logits: one list column "logits" (Parquet), columns logit_0,
logit_1, ... (Parquet, CSV), or arrays logits (n, C) and label (n,) (NPZ). Each FILE is a model on test, or a table of
predictions of the pipeline, which has all splits. The definitions are in docs/metrics.md.
"""

import sys

from selfdoubt.external import command, guarantees, tables
from selfdoubt.external.models import models_of
from selfdoubt.external.numbers import evaluate_models


def run():
    arguments = command.parse(sys.argv[1:], __doc__)
    command.check_tables(arguments)
    command.check_ood(arguments)
    models = models_of(arguments.files, arguments.val, arguments.ood)
    command.check_output(arguments, models)
    settings = command.settings_of(arguments, models)
    rows, guaranteed = evaluate_models(models, settings, command.warn)
    command.warn_of_shared_files(arguments)
    if arguments.format == "json":
        print(tables.as_json(rows))
    elif arguments.format != "parquet":
        print(tables.report(rows, arguments.splits, arguments.format, *guarantees.printed(guaranteed, settings)))
    if arguments.output:
        tables.write(arguments.output, rows)
    if arguments.guarantees:
        tables.write(arguments.guarantees, guaranteed, guarantees.write)


def main():
    command.exit_by(run)


if __name__ == "__main__":
    main()
