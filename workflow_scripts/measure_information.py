"""Measure what gains by messages or views say beyond the members' predictions, of one data set's test images."""

from selfdoubt.communication import information, kept_gains
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.evaluation.undefined import attempt
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.gains import GAINS_SCHEMA
from selfdoubt.runtime.schemas.information import INFORMATION_SCHEMA


def run(arguments):
    settings, paths, measured = arguments.settings, iter(arguments.files), {}
    for job in settings.groups:  # each with the predictions of its members, then the gains of its protocols
        members = [splits_of(next(paths)) for _ in range(job.n_members)]
        by_split = {split: [member[split] for member in members] for split in ("val", "test")}
        for protocol in job.protocols:
            table = table_files.read_table(next(paths), GAINS_SCHEMA)
            kept = {
                split: kept_gains.from_table(table, split, members[0][split].image_ids) for split in ("val", "test")
            }
            found = attempt(information.measure, by_split, kept, settings.information)
            measured.setdefault((job.dataset, job.group, protocol), {})[job.replicate] = found
    rows = []
    for key, of_protocol in measured.items():
        identity = dict(zip(("dataset", "group", "protocol"), key, strict=True))
        rows += information.rows_of(of_protocol, identity, settings.information.margin)
    table_files.write_rows(arguments.output, rows, INFORMATION_SCHEMA, arguments.metadata)


def splits_of(path):
    return predictions_by_split(table_files.read_table(path), path)


if __name__ == "__main__":
    files = {"files": "of members and of protocols' gains, group after group", "output": "written"}
    cli.main(run, files, several=("files",), listed=("files",))
