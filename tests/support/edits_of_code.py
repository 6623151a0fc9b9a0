"""Edits of every module of the library, for tests/support/edits.py: those of the same jobs are one edit.

Which rules and methods a module is part of comes from `import_closure`, what follows from these from `expected_jobs`:
neither asks the project's own digests. That each module alone is in the digests of just those is for test_provenance;
so a dry run is tried of what shows that a rule, or a method, is compared at all.
"""

from collections import defaultdict

from expected_jobs import after
from import_closure import library, methods, reached_from, rules_of_modules
from ways_of_editing import Edit, modules

UNUSED = "no job of the tests' study loads them: methods that it does not use, and what only the commands load"
OWN = [module for module in library() if "__init__" not in module]


def edits_of_modules() -> list[Edit]:
    """An edit for each set of jobs that modules have in common, the smallest first."""
    alike = defaultdict(list)
    for path, rules in rules_of_modules().items():
        named = {method.removeprefix("selfdoubt/") for method in methods() if path in reached_from(method)}
        alike[frozenset(after(rules, named))].append(path)
    rows, edits, seen = sorted(alike.items(), key=lambda row: (len(row[0]), row[1])), [], set()
    for jobs, paths in rows:
        rules = {job.partition(":")[0] for job in jobs}
        tried = not jobs or not rules <= seen or not {*methods()}.isdisjoint(paths)
        seen |= rules
        name = listed(paths) if jobs else f"any of the {len(paths)} modules that no other row has"
        why = "" if jobs else UNUSED
        edits.append(Edit(name, modules(*paths), {*jobs}, why, tried))
    return edits


def listed(paths: list[str]) -> str:
    """The modules, by their folders where a row has all of a folder; empty ones of packages stand with their folder."""
    row = {path for path in paths if "__init__" not in path} or {*paths}
    folders = {path.rpartition("/")[0] for path in row}
    whole = {folder for folder in folders if {m for m in OWN if m.rpartition("/")[0] == folder} <= row}
    names = [f"{folder}/" for folder in whole] + [path for path in row if path.rpartition("/")[0] not in whole]
    return ", ".join(f"`{name.removeprefix('selfdoubt/')}`" for name in sorted(names))
