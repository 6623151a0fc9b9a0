"""The primary claims of the studies that were run whole and their verdicts, kept in README.md between two marks.

python docs/found.py prints them, from the tables under docs/findings; --write puts them into the README, as
`docs/findings.py --write` does.
"""

import re
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from selfdoubt.report.formats import difference, metric_of  # noqa: E402
from selfdoubt.report.sentences import difference_text, in_unit  # noqa: E402
from selfdoubt.report.verdict_texts import SYMBOLS  # noqa: E402

README = ROOT / "README.md"
MARKS = re.compile(r"(<!-- found -->\n).*?(<!-- /found -->)", re.DOTALL)


def found() -> str:
    """Return a table of the primary claims, a row each, studies in the order of their names."""
    lines = ["| study | its primary claim | verdict | by how much |", "|---|---|---|---|"]
    for path in sorted((ROOT / "docs/findings").glob("*-hypotheses.parquet")):
        run = path.name.removesuffix("-hypotheses.parquet")
        name = "the default study" if run == "default" else f"`studies/{run}.yaml`"
        anchor = "the-default-study" if run == "default" else f"studies{run}yaml"
        table, comparisons = pd.read_parquet(path), pd.read_parquet(path.with_name(f"{run}-comparisons.parquet"))
        for row in table[table["role"] == "primary"].to_dict("records"):
            known = "" if row["registered"] else " (numbers were known)"
            verdict = f"{SYMBOLS[row['verdict'].partition(',')[0]]} {row['verdict']}"
            found = f"| [{name}](docs/findings.md#{anchor}) | {row['statement']}{known} | {verdict} |"
            lines.append(f"{found} {by_how_much(row, comparisons)} |")
    return "\n".join([*lines, ""])


def by_how_much(claim: dict, comparisons: pd.DataFrame) -> str:
    """Return the difference of a claim with its 95 % interval, or over which its comparisons range."""
    own = comparisons[~comparisons["repeats"].astype(bool)]
    for key in ("hypothesis", "metric", "score", "split"):
        own = own[own[key] == claim[key]]
    metric = metric_of(claim["metric"])
    if len(own) == 1:
        return f"{metric.label} {difference_text(own.iloc[0].to_dict())}"
    low, high = (difference(own["difference"].agg(end), metric) for end in ("min", "max"))
    return f"{metric.label} {low} to {in_unit(high, metric.short_unit)} in {len(own)} comparisons"


def in_readme() -> str:
    """Return what stands between the marks now."""
    whole = MARKS.search(README.read_text()).group(0)
    return whole.split("\n", 1)[1].rpartition("<!--")[0]


def write() -> None:
    README.write_text(MARKS.sub(lambda marks: marks[1] + found() + marks[2], README.read_text()))


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        print(found(), end="")
