"""Turn predictions into numbers."""

from selfdoubt.evaluation import evaluator, summaries
from selfdoubt.runtime import cli, schemas


def run(arguments):
    predictions = summaries.predictions_by_split(schemas.read_table(arguments.predictions))
    identity = vars(arguments.settings.identity) | {"replicate": arguments.replicate}
    settings = arguments.settings.evaluation
    fitted = summaries.fit_scores(predictions, settings.scores)
    rows = evaluator.evaluate(predictions, settings, identity, fitted)
    metadata = arguments.metadata | {"chosen_on_val": summaries.chosen_on_val(fitted)}
    schemas.write_rows(arguments.output, rows, schemas.SCHEMAS["metrics"], metadata)


if __name__ == "__main__":
    cli.main(run, {"predictions": "a table of logits", "output": "written: a table of numbers"}, replicated=True)
