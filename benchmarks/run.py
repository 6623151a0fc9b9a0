"""Run the comparisons and write their table: run.py [NAME ...]; without names, all of them.

What was measured is kept in benchmarks/measured.json, so that the rows of other names stay on the page; `--page` writes
the page from it and measures nothing.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))
GROUPS = ("training", "attacking", "metrics", "agreement", "default_study", "scale", "startup", "report")
PAGE = ROOT / "docs" / "benchmarks.md"
TABLE = ROOT / "benchmarks" / "measured.json"
HEAD = """# Benchmarks

Written by `make bench`, each row with both sides run in turn in one process, or against a limit. `ratio` is ours over
theirs; absolute figures move with the machine.

On a GPU nothing was run yet; `make check-gpu` checks one ([what it does](training.md#gpus)).

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *GROUPS], default=[], metavar="NAME", help=", ".join(GROUPS))
    parser.add_argument("--page", action="store_true", help="write the page alone, of what was measured")
    arguments = parser.parse_args()
    names = () if arguments.page else arguments.names or GROUPS
    found = read() if set(names) < set(GROUPS) else {}
    run(names, found)
    PAGE.write_text(page(found))


def run(names: Iterable[str], found: dict[str, dict]) -> None:
    """Measure groups and put them into `found`, which is written to TABLE."""
    for name in names:
        group = importlib.import_module(name)
        found[name] = {"rows": [], "missed": []}
        for row in group.rows():
            found[name]["rows"].append(row.as_dict())
            if row.reason and not row.reached:
                found[name]["missed"].append(f"- {row.what}, against {row.against}: {row.reason}")
            shown = {k: f"{v:.3g}" if isinstance(v, float) else v for k, v in found[name]["rows"][-1].items()}
            line = "{what} | {against} | {ours} | {theirs} {unit} | {ratio} {target} | {reached}"
            print(line.format(**shown), flush=True)
        found[name]["notes"] = group.notes() if hasattr(group, "notes") else []
    TABLE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def page(found: dict[str, dict]) -> str:
    """Return the page, in Markdown."""
    parts = {key: [each for name in GROUPS if name in found for each in found[name][key]] for key in ("rows", "missed")}
    notes = [line for name in GROUPS if name in found for line in found[name]["notes"]]
    missed = ["Missed, and why:", "", *parts["missed"], ""] if parts["missed"] else []
    return HEAD + "\n".join([tables(pd.DataFrame(parts["rows"])), *missed, *notes])


def read() -> dict[str, dict]:
    """Return what was measured before, group by group, so that one group can be measured again without the others."""
    if not TABLE.exists():
        sys.exit(f"{TABLE}: not there, so that the page would lose its other rows; run all: benchmarks/run.py")
    return json.loads(TABLE.read_text())


def tables(table: pd.DataFrame) -> str:
    """Return the rows in Markdown, by machine."""
    lines = []
    for machine, rows in table.groupby("machine", sort=False):
        lines += [f"On {machine}:", "", "| what | against | ours | theirs | unit | ratio | target | reached |"]
        lines += ["|---|---|--:|--:|---|--:|--:|---|"]
        for row in rows.itertuples():
            numbers = f"{row.ours:,.3g} | {row.theirs:,.3g} | {row.unit} | {row.ratio:.2f} | {row.target}"
            lines.append(f"| {row.what} | {row.against} | {numbers} | {'yes' if row.reached else 'no'} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
