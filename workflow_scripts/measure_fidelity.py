"""Measure how alike students and their teachers predict, and where students gain."""

from selfdoubt.evaluation.fidelity import factor_of, mean_of, rows_of_fidelity
from selfdoubt.evaluation.predictions import id_difference, predictions_by_split
from selfdoubt.evaluation.undefined import attempt
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.fidelity import FIDELITY_SCHEMA

SPLITS = ("val", "test")


def run(arguments):
    paths, rows = iter(arguments.predictions), []
    for pair in arguments.settings.pairs:  # each with the files of its student, teachers and references
        student, *others = [splits_of(next(paths)) for _ in range(1 + len(pair.teachers) + len(pair.references))]
        identity = {"dataset": pair.dataset, "student": pair.student, "replicate": pair.replicate}
        identity["teacher"] = ", ".join(pair.teachers)
        teacher = {split: mean_of([each[split] for each in others[: len(pair.teachers)]]) for split in SPLITS}
        factor = attempt(factor_of, pair.factor, teacher["val"])
        for split in SPLITS:
            for name, other in zip([*pair.teachers, *pair.references], others, strict=True):
                if difference := id_difference(student[split], other[split]):
                    raise UserError(f"{pair.student}, {name}: {split}: {difference}; give both the same images")
            references = [each[split] for each in others[len(pair.teachers) :]]
            named = dict(zip(pair.references, references, strict=True))
            found = rows_of_fidelity(student[split], teacher[split], named, factor, arguments.settings.ece_bins)
            rows += [identity | {"split": split} | row for row in found]
    table_files.write_rows(arguments.output, rows, FIDELITY_SCHEMA, arguments.metadata)


def splits_of(path):
    found = predictions_by_split(table_files.read_table(path), path)
    return {split: found[split] for split in SPLITS}


if __name__ == "__main__":
    files = {"predictions": "of student, teachers and references, pair after pair", "output": "written"}
    cli.main(run, files, several=("predictions",), listed=("predictions",))
