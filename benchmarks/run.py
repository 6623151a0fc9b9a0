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

from measure import origin

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))
GROUPS = ("training", "attacking", "metrics", "agreement", "default_study", "scale", "startup", "report")
ALONE = ("browser",)  # measured where it is named, since it needs what `make bench` does not install
KEPT = (*GROUPS, *ALONE)
KNOWN = ", ".join([*GROUPS, *(f"{name} (only by its name)" for name in ALONE)])
# Of what is measured, each with what stands before it on the page, and how it is named where it was not recorded.
ORIGIN = {"machine": "", "vectors": "", "date": "", "commit": "commit "}
UNRECORDED = {"machine": "machine", "vectors": "vector instructions", "date": "date", "commit": "commit"}
PAGE = ROOT / "docs" / "benchmarks.md"
TABLE = ROOT / "benchmarks" / "measured.json"
HEAD = """# Benchmarks

Written by `make bench`, each row with both sides run in turn in one process, or against a limit. `ratio` is ours over
theirs; absolute figures move with the machine.

On a GPU nothing was run yet; `make check-gpu` checks one ([what it does](training.md#gpus)).

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *KEPT], default=[], metavar="NAME", help=KNOWN)
    parser.add_argument("--page", action="store_true", help="write the page alone, of what was measured")
    arguments = parser.parse_args()
    names = () if arguments.page else arguments.names or GROUPS
    found = read() if TABLE.exists() or set(names) != set(GROUPS) else {}
    run(names, found)
    PAGE.write_text(page(found))


def run(names: Iterable[str], found: dict[str, dict]) -> None:
    """Measure groups and put them into `found`, which is written to TABLE."""
    for name in names:
        group = importlib.import_module(name)
        found[name] = {"rows": [], "missed": [], "origin": origin()}
        for row in group.rows():
            found[name]["rows"].append(row.as_dict())
            if row.reason and not row.reached:
                found[name]["missed"].append(f"- {row.what}, against {row.against}: {row.reason}")
            shown = {k: f"{v:.3g}" if isinstance(v, float) else v for k, v in found[name]["rows"][-1].items()}
            line = "{what} | {against} | {ours} | {theirs} {unit} | {ratio} {target} | {reached}"
            print(line.format(**shown), flush=True)
        found[name]["notes"] = group.notes() if hasattr(group, "notes") else []
        if hasattr(group, "data"):
            found[name]["data"] = group.data()
    TABLE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def page(found: dict[str, dict]) -> str:
    """Return the page, in Markdown."""
    parts = {key: [each for name in KEPT if name in found for each in found[name][key]] for key in ("rows", "missed")}
    notes = [line for name in KEPT if name in found for line in notes_of(name, found[name])]
    missed = ["Missed, and why:", "", *parts["missed"], ""] if parts["missed"] else []
    return HEAD + "\n".join([tables(parts["rows"]), *missed, *notes])


def read() -> dict[str, dict]:
    """Return what was measured before, group by group, so that one group can be measured again without the others."""
    if not TABLE.exists():
        sys.exit(f"{TABLE}: not there, so that the page would lose its other rows; run all: benchmarks/run.py")
    return json.loads(TABLE.read_text())


def notes_of(name: str, group: dict) -> list[str]:
    """Return the lines of a group beside its rows, of its data by the present columns, and their origin."""
    lines = importlib.import_module(name).lines(group["data"]) if "data" in group else group["notes"]
    return [*lines, f"Measured on: {place(group.get('origin', {}))}.", ""] if lines else []


def place(origin: dict[str, str]) -> str:
    """Return on what, when and of which commit something was measured, as far as it was recorded."""
    known = [f"{before}{origin[key]}" for key, before in ORIGIN.items() if key in origin]
    missing = [names for key, names in UNRECORDED.items() if key not in origin]
    return "; ".join([*known, *([", ".join(missing) + " not recorded"] if missing else [])])


def tables(rows: list[dict]) -> str:
    """Return the rows in Markdown, by machine, day and commit."""
    places, lines = {}, []
    for row in rows:
        places.setdefault(place({key: row[key] for key in ORIGIN if key in row}), []).append(row)
    for named, those in places.items():
        lines += [f"On {named}:", "", "| what | against | ours | theirs | unit | ratio | target | reached |"]
        lines += ["|---|---|--:|--:|---|--:|--:|---|"]
        for row in those:
            numbers = "{ours:,.3g} | {theirs:,.3g} | {unit} | {ratio:.2f} | {target}".format(**row)
            lines.append(f"| {row['what']} | {row['against']} | {numbers} | {'yes' if row['reached'] else 'no'} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
