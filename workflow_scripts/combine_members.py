"""Let a group decide from its members' predictions alone."""

from selfdoubt.communication import combining
from selfdoubt.runtime import cli, schemas


def run(arguments):
    tables = [schemas.read_table(path) for path in arguments.members]
    decided, chosen = combining.combine(tables, arguments.settings)
    found = {"chosen_on_val": chosen, "costs_per_image": {"forwards": len(tables), "backwards": 0}}
    metadata = arguments.metadata | found | schemas.LOG_PROBABILITIES
    schemas.write_table(arguments.output, decided, decided.schema, metadata)


if __name__ == "__main__":
    cli.main(run, {"members": "their predictions", "output": "written: the group's predictions"}, several=("members",))
