"""Who may import whom, read from the imports themselves, those of rules included."""

import ast
import re
from pathlib import Path

from import_closure import LIBRARY, MODULES, SCRIPTS, imports

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (  # each imports only those before it
    "runtime",
    "settings",
    "data",
    "evaluation",
    "external",
    "models",
    "attacks",
    "mixing",
    "training",
    "distillation",
    "segmentation",
    "enhancers",
    "communication",
    "figures",
    "report",
)
WITHOUT_TORCH = ("settings", "evaluation", "external", "figures", "report")
OF_RULES = {"runtime", "settings"}
# commands that no rule runs
FOR_PEOPLE = {"compare_runs", "describe_data", "evaluate_predictions", "latex_table", "lease", "take_looks", "watch"}
HEAVY = {"torch", "torchvision", "timm", "segmentation_models_pytorch", "sklearn"}


def room_of(module: str) -> str:
    return module.split(".")[1]


def closure(module: str, seen: set[str]) -> set[str]:
    """Every top-level import of a library module and of those that it imports."""
    if module in seen:
        return set()
    seen.add(module)
    found = imports(MODULES[module], only_top=True)
    return found.union(*(closure(name, seen) for name in found if name in MODULES))


def test_every_module_is_in_a_room():
    assert {path.relative_to(LIBRARY).parts[0] for path in LIBRARY.rglob("*.py")} == {"__init__.py", *ROOMS}


def test_a_room_imports_only_those_before_it():
    above = {
        f"{module} -> {other}"
        for module, path in MODULES.items()
        for other in imports(path)
        if other.startswith("selfdoubt.") and ROOMS.index(room_of(other)) > ROOMS.index(room_of(module))
    }
    assert not above


def test_packages_run_nothing_when_they_are_imported():
    assert [str(path) for path in LIBRARY.rglob("__init__.py") if len(ast.parse(path.read_text()).body) > 1] == []


def test_rules_import_settings_and_runtime_only():
    text = "\n".join(path.read_text() for path in [ROOT / "Snakefile", *(ROOT / "rules").rglob("*.smk")])
    found = set(re.findall(r"^\s*(?:from|import) selfdoubt\.(\w+)", text, re.MULTILINE))
    assert found and found <= OF_RULES
    assert not re.findall(r"^\s*(?:from|import) selfdoubt\s", text, re.MULTILINE)


def test_tables_figures_and_settings_start_without_torch():
    rooms = tuple(f"selfdoubt.{room}." for room in (*WITHOUT_TORCH, "runtime.schemas"))
    heavy = {m: {name.split(".")[0] for name in closure(m, set())} & HEAVY for m in MODULES if m.startswith(rooms)}
    assert {room for room in rooms if any(m.startswith(room) for m in heavy)} == {*rooms}
    assert not {m: found for m, found in heavy.items() if found}


def test_the_page_is_made_without_what_draws_figures():
    found = {name.split(".")[0] for name in closure("selfdoubt.report.page", set())}
    assert "pandas" in found and "matplotlib" not in found


def test_the_library_knows_neither_snakemake_nor_scripts_nor_result_paths():
    strangers = {"snakemake"} | {path.stem for path in SCRIPTS.glob("*.py")}
    assert {m for m, path in MODULES.items() if {name.split(".")[0] for name in imports(path)} & strangers} == set()
    assert {m for m, path in MODULES.items() if '"results/' in path.read_text()} == set()


def test_heavy_packages_other_than_torch_are_imported_where_they_are_used():
    heavy = HEAVY - {"torch"}
    assert {m for m, p in MODULES.items() if {n.split(".")[0] for n in imports(p, only_top=True)} & heavy} == set()


def test_every_rule_runs_a_script_and_every_script_has_a_rule():
    text = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    run = set(re.findall(r"\$SELFDOUBT/(\w+)\.py", text))
    assert run == {path.stem for path in SCRIPTS.glob("*.py")} - FOR_PEOPLE
