"""Compute the scores and metrics of one table of predictions."""

from selfdoubt.evaluation import metrics_table, scoring
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA


def run(arguments):
    predictions = predictions_by_split(table_files.read_table(arguments.predictions), arguments.predictions)
    identity = vars(arguments.settings.identity) | {"replicate": arguments.replicate}
    settings = arguments.settings.evaluation
    fitted = scoring.fit_scores(predictions, settings.scores)
    rows = metrics_table.evaluate(predictions, settings, identity, fitted)
    for split, warning in dict.fromkeys((row["split"], row["warning"]) for row in rows if row["warning"]):
        print(f"warning: {split}: {warning}", flush=True)
    metadata = arguments.metadata | {"chosen_on_val": scoring.chosen_on_val(fitted)}
    table_files.write_rows(arguments.output, rows, METRICS_SCHEMA, metadata)


if __name__ == "__main__":
    cli.main(run, {"predictions": "a table of logits", "output": "written: a table of numbers"}, replicated=True)
