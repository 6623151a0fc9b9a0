"""Let a group decide from its members' predictions alone."""

from selfdoubt.communication import combining
from selfdoubt.runtime import cli, table_files


def run(arguments):
    tables = [table_files.read_table(path) for path in arguments.members]
    names = [f"member '{path.parent.parent.name}' ({path})" for path in arguments.members]
    decided, combined = combining.combine(tables, arguments.settings, names)
    forwards = combined.forwards or len(tables)
    found = {"chosen_on_val": combined.chosen, "costs_per_image": {"forwards": forwards, "backwards": 0}}
    metadata = arguments.metadata | found | table_files.LOG_PROBABILITIES
    table_files.write_table(arguments.output, decided, decided.schema, metadata)


if __name__ == "__main__":
    cli.main(run, {"members": "their predictions", "output": "written: the group's predictions"}, several=("members",))
