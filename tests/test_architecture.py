"""Who may import whom, read from the imports themselves."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "workflow_scripts"
LIBRARY = sorted((SCRIPTS / "selfdoubt").rglob("*.py"))
WITHOUT_TORCH = ("settings", "provenance", "schemas", "metrics", "scores", "statistics", "evaluation", "hypotheses")
WITHOUT_TORCH += ("leases", "leftovers", "progress", "renaming")
WITHOUT_TORCH += ("foreign_columns", "foreign_models", "foreign_predictions", "prediction_tables")
WITHOUT_TORCH += ("curves", "ensembles", "examples", "masks", "costs", "datasets", "corruptions", "figures", "report")
WITHOUT_TORCH += ("sources", "published", "downloads", "pixels", "image_files", "scenes", "running", "softmax")
# composed by others, never by one another
STRANGERS = {"datasets", "augmentation", "mixing", "models", "losses", "attacks"}
RULE_IMPORTS = {"selfdoubt.errors", "selfdoubt.provenance", "selfdoubt.published", "selfdoubt.settings"}
RULE_IMPORTS |= {"selfdoubt.running"}
FOR_PEOPLE = {"evaluate_predictions", "lease", "list_stale", "rename_model", "watch"}  # commands that no rule runs
HEAVY = {"torch", "torchvision", "timm", "segmentation_models_pytorch", "sklearn"}


def imports(path: Path, only_top: bool = False) -> set[str]:
    """Every module that a file imports, from-imports of selfdoubt by their full name."""
    tree, found = ast.parse(path.read_text()), set()
    for node in tree.body if only_top else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {
                f"{node.module}.{alias.name}" if node.module == "selfdoubt" else node.module for alias in node.names
            }
    return found


def closure(module: str, seen: set[str]) -> set[str]:
    """Every top-level import of a library module and of those that it imports."""
    if module in seen:
        return set()
    seen.add(module)
    place = SCRIPTS.joinpath(*module.split("."))
    path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    found = imports(path, only_top=True)
    return found.union(*(closure(name, seen) for name in found if name.startswith("selfdoubt.")))


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_tables_and_plots_start_without_torch(module):
    assert not {name.split(".")[0] for name in closure(f"selfdoubt.{module}", set())} & HEAVY


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_the_library_knows_neither_snakemake_nor_scripts_nor_result_paths(path):
    assert not {name.split(".")[0] for name in imports(path)} & ({"snakemake"} | {p.stem for p in SCRIPTS.glob("*.py")})
    assert '"results/' not in path.read_text()


@pytest.mark.parametrize("module", sorted(STRANGERS))
def test_the_parts_do_not_import_one_another(module):
    others = {f"selfdoubt.{other}" for other in STRANGERS - {module}}
    assert not imports(SCRIPTS / "selfdoubt" / f"{module}.py") & others


def test_networks_are_as_much_strangers_as_models_are():
    found = set().union(*(imports(path) for path in (SCRIPTS / "selfdoubt" / "networks").glob("*.py")))
    ours = {name for name in found if name.startswith("selfdoubt.")}
    assert ours <= {"selfdoubt.errors", "selfdoubt.networks", "selfdoubt.randomness"} | {
        f"selfdoubt.networks.{name}" for name in ("convnet", "resnets", "timm_networks", "weight_files")
    }


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_heavy_packages_other_than_torch_are_imported_where_they_are_used(path):
    assert not {name.split(".")[0] for name in imports(path, only_top=True)} & (HEAVY - {"torch"})


def test_rules_import_settings_and_provenance_only():
    lines = [line for path in (ROOT / "rules").glob("*.smk") for line in path.read_text().splitlines()]
    found = {line.split()[1] for line in lines if line.startswith("from selfdoubt")}
    assert found and found <= RULE_IMPORTS


def test_every_rule_has_a_script_of_its_name_and_every_script_a_rule():
    text = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    rules = {line.split()[1].rstrip(":") for line in text.splitlines() if line.startswith("rule ")}
    assert rules == {path.stem for path in SCRIPTS.glob("*.py")} - FOR_PEOPLE
    assert all(f"workflow_scripts/{rule}.py" in text for rule in rules)
