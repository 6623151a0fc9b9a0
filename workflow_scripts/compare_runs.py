"""Show what changed between two runs: compare_runs.py RUN RUN [--output FOLDER]

Each RUN is the folder of a run whose report was made, such as results/default. Prints settings that differ, arms in one
alone, verdicts that turned, and numbers whose intervals have nothing in common; writes all that differs to
FOLDER/changes.parquet and changes.csv, and a page to FOLDER/index.html. FOLDER: SECOND/against-FIRST unless given.
"""

import argparse
import sys
from pathlib import Path

from selfdoubt.report.runs import change_tables
from selfdoubt.report.runs.changes import changes, n_compared
from selfdoubt.report.runs.reading import read_run
from selfdoubt.runtime import table_files
from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.changes import CHANGES_SCHEMA


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path, metavar="RUN")
    parser.add_argument("second", type=Path, metavar="RUN")
    parser.add_argument("--output", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    try:
        compare(arguments.first, arguments.second, arguments.output)
    except (UserError, OSError) as error:
        sys.exit(f"compare_runs: {error}")


def compare(one: Path, other: Path, output: Path | None) -> None:
    first, second = read_run(one), read_run(other)
    found = changes(first, second)
    parts = change_tables.parts_of(found, first, second)
    text = change_tables.heading(found, first, second, n_compared(first, second))
    folder = output or other / f"against-{one.resolve().name}"
    rows = found.astype(object).where(found.notna(), None).to_dict("records")
    table_files.write_rows(folder / "changes.parquet", rows, CHANGES_SCHEMA)
    with atomic_path(folder / "changes.csv") as temporary:
        found.to_csv(temporary, index=False)
    with atomic_path(folder / "index.html") as temporary:
        temporary.write_text(change_tables.html(parts, text), encoding="utf-8")
    print(change_tables.printed(parts, text))
    print(f"\nall that differs: {folder}/changes.parquet; the page: {folder}/index.html")


if __name__ == "__main__":
    main()
