"""Edits of every module of the library, for tests/support/edits.py: those of the same jobs are one edit.

Which rules and methods a module is part of comes from `import_closure`, what follows from these from `expected_jobs`:
neither asks the project's own digests. That each module alone is in the digests of just those is for test_provenance.
"""

from collections import defaultdict

from expected_jobs import after
from import_closure import methods, reached_from, rules_of_modules
from ways_of_editing import Edit, modules


def edits_of_modules() -> list[Edit]:
    """An edit for each set of jobs that modules have in common, the smallest first."""
    alike = defaultdict(list)
    for path, rules in rules_of_modules().items():
        named = {method.removeprefix("selfdoubt/") for method in methods() if path in reached_from(method)}
        alike[frozenset(after(rules, named))].append(path)
    rows = sorted(alike.items(), key=lambda row: (len(row[0]), row[1]))
    return [
        Edit(told(paths), modules(*paths), {*jobs}, "" if jobs else "no job of the default study loads them")
        for jobs, paths in rows
    ]


def told(paths: list[str]) -> str:
    return ", ".join(f"`{path.removeprefix('selfdoubt/')}`" for path in paths)
