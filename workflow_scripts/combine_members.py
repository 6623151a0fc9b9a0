"""Let a group decide from its members' predictions alone."""

from selfdoubt import commands, ensembles, schemas


def run(arguments):
    tables = [schemas.read_table(path) for path in arguments.members]
    decided = ensembles.combine(tables, ensembles.COMBINATIONS[arguments.settings.method])
    schemas.write_table(arguments.output, decided, decided.schema, arguments.metadata)


if __name__ == "__main__":
    commands.main(
        run, {"members": "their predictions", "output": "written: the group's predictions"}, several=("members",)
    )
