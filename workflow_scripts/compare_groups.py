"""Compare what groups decide with the predictions of their members."""

from selfdoubt.communication import accounting
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.groups import GROUPS_SCHEMA


def run(arguments):
    paths, rows = iter(arguments.predictions), []
    for job in arguments.settings.groups:  # each with the files of its members, then of its protocols
        identity = {"dataset": job.dataset, "group": job.group, "replicate": job.replicate, "split": "test"}
        members = [splits_of(next(paths)) for _ in range(job.n_members)]
        test, val = (members_on(split, members) if split in members[0] else None for split in ("test", "val"))
        found = accounting.references(test, val)
        for protocol in job.protocols:
            path = next(paths)
            predicted = splits_of(path)["test"].logits.argmax(1)
            found[protocol] = accounting.compare(test, predicted, table_files.read_metadata(path))
        rows += [identity | {"protocol": name} | row for name, part in found.items() for row in part]
    table_files.write_rows(arguments.output, rows, GROUPS_SCHEMA, arguments.metadata)


def splits_of(path):
    return predictions_by_split(table_files.read_table(path), path)


def members_on(split: str, members) -> accounting.Members:
    return accounting.members_of([member[split].logits for member in members], members[0][split].labels)


if __name__ == "__main__":
    files = {"predictions": "of members and protocols, group after group", "output": "written"}
    cli.main(run, files, several=("predictions",), listed=("predictions",))
