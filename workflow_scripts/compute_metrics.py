"""Turn predictions into numbers."""

from selfdoubt import commands, evaluation, schemas, summaries


def run(arguments):
    predictions = summaries.predictions_by_split(schemas.read_table(arguments.predictions))
    identity = vars(arguments.settings.identity) | {"seed": arguments.seed}
    rows = evaluation.evaluate(predictions, arguments.settings.evaluation, identity)
    schemas.write_rows(arguments.output, rows, schemas.SCHEMAS["metrics"], arguments.metadata)


if __name__ == "__main__":
    commands.main(run, {"predictions": "a table of logits", "output": "written: a table of numbers"}, seeded=True)
