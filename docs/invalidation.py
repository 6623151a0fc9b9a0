"""docs/invalidation.md, from the table that tests/workflow/test_workflow.py compares with dry runs.

python docs/invalidation.py prints it; --write writes it (`make invalidation`).
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "workflow_scripts")]

from edits import EDITS, Edit  # noqa: E402
from expected_jobs import EVERYTHING, FROM_TRAINING, TABLES  # noqa: E402

PAGE = ROOT / "docs/invalidation.md"
SHORT = (("everything", EVERYTHING), ("all from training on", FROM_TRAINING), ("tables", TABLES))
RULES_FILES = re.findall(r'"(rules/\w+\.smk)"', (ROOT / "Snakefile").read_text())
IN_ORDER = [
    rule for file in RULES_FILES for rule in re.findall(r"^rule (\w+):", (ROOT / file).read_text(), re.MULTILINE)
]
MARK = re.compile(r"(<!-- table -->\n).*?(<!-- /table -->)", re.DOTALL)


def table() -> str:
    """Return a table for each section of the edits."""
    parts = []
    for section, edits in EDITS.items():
        parts += [f"### {section}", "", "| edit | runs again |", "|---|---|", *map(row, edits), ""]
    return "\n".join(parts)


def row(edit: Edit) -> str:
    why = f"; {edit.why}" if edit.why else ""
    return f"| {edit.name} | {listed_jobs(edit.jobs)}{why} |"


def listed_jobs(jobs: set[str]) -> str:
    """Return jobs as rules in the order of the Snakefile, each with its names where not all of its jobs are meant."""
    texts, left = [], jobs
    for name, many in SHORT:
        if many <= left:
            texts.append(f"*{name}*")
            left = left - many
    rules = defaultdict(set)
    for job in left:
        rule, _, keys = job.partition(":")
        rules[rule].add(keys)
    texts[:0] = [row_of_rule(rule, rules[rule]) for rule in IN_ORDER if rule in rules]
    return ", ".join(texts) or "nothing"


def row_of_rule(rule: str, keys: set[str]) -> str:
    everywhere = {job.partition(":")[2] for job in EVERYTHING if job.partition(":")[0] == rule}
    parts = [[part for part in key.split("/") if part and not part.startswith("views-")] for key in sorted(keys)]
    names = dict.fromkeys("/".join(part for part in each if not part.isdigit() and part[0] != "@") for each in parts)
    replicates = sorted({int(part) for each in parts for part in each if part.isdigit()})
    dataset = next((part[1:] for each in parts for part in each if part.startswith("@")), None)
    all_names = {
        "/".join(part for part in key.split("/") if not part.isdigit() and "views-" not in part) for key in everywhere
    }
    notes = [", ".join(names)] if {*names} != all_names else []
    of_rule = {int(part) for key in everywhere for part in key.split("/") if part.isdigit()}
    some = f"replicate{'s' * (len(replicates) > 1)} {', '.join(map(str, replicates))}"
    notes += [some] if replicates and {*replicates} != of_rule else []
    notes += [f"of {dataset}"] if dataset else []
    return f"`{rule}`" + (f" ({'; '.join(notes)})" if any(notes) else "")


def page() -> str:
    """Return the page as it should be."""
    return MARK.sub(lambda found: found[1] + table() + found[2], PAGE.read_text())


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page())
    else:
        print(page(), end="")
