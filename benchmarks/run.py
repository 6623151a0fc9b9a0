"""Run the comparisons and write their table: run.py [NAME ...]; without names, all of them."""

import argparse
import importlib
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))
GROUPS = ("training", "metrics")
PAGE = ROOT / "docs" / "benchmarks.md"
TABLE = ROOT / "results" / "benchmarks.parquet"
HEAD = """# Benchmarks

Written by `make bench`, each row with both sides run in turn in one process. `ratio` is ours over theirs; absolute
figures move with the machine.

"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *GROUPS], default=[], metavar="NAME", help=", ".join(GROUPS))
    rows, reasons, agreed = [], [], []
    for name in parser.parse_args().names or GROUPS:
        group = importlib.import_module(name)
        for row in group.rows():
            rows.append(row.as_dict())
            if row.reason and not row.reached:
                reasons.append(f"- {row.what}, against {row.against}: {row.reason}")
            shown = {key: f"{value:.3g}" if isinstance(value, float) else value for key, value in rows[-1].items()}
            line = "{what} | {against} | {ours} | {theirs} {unit} | {ratio} {target} | {reached}"
            print(line.format(**shown), flush=True)
        if hasattr(group, "agreement"):
            agreed += _agreement(group)
    table = pd.DataFrame(rows)
    TABLE.parent.mkdir(exist_ok=True)
    table.to_parquet(TABLE, index=False)
    missed = ["Missed, and why:", "", *reasons, ""] if reasons else []
    PAGE.write_text(HEAD + "\n".join([page(table), *missed, *agreed]))


def _agreement(group) -> list[str]:
    """Return the lines of a table of the same numbers by both sides; none where the peers are missing."""
    try:
        values = list(group.agreement())
    except ImportError:
        return []
    lines = ["The same numbers by both sides ([why they differ](metrics.md#against-other-implementations)):", ""]
    lines += ["| metric | ours | theirs | difference |", "|---|--:|--:|--:|"]
    lines += [f"| {name} | {ours:.6f} | {theirs:.6f} | {ours - theirs:+.1e} |" for name, ours, theirs in values]
    return [*lines, ""]


def page(table: pd.DataFrame) -> str:
    """Return the table in Markdown, by machine."""
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
