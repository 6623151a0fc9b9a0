"""What reruns a job: a change of meaning in the settings or in the code that its script can reach, and only that."""

import ast
import hashlib
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from import_closure import RULES, library, methods, reached_from, rules_of_modules

from selfdoubt.runtime import provenance
from selfdoubt.runtime.provenance import canonical

SCRIPTS = provenance.SCRIPTS
OF_RULES = {
    f"selfdoubt/runtime/{name}.py" for name in ("provenance", "run_lock", "time_left", "warm_client", "warm_jobs")
}
OF_PEOPLE = {
    "selfdoubt/data/description.py",
    "selfdoubt/runtime/schemas/changes.py",
}  # besides the room of evaluate_predictions
OF_PEOPLE |= {f"selfdoubt/report/runs/{name}.py" for name in ("change_tables", "changes", "latex", "reading")}

TREE = {
    "train.py": '"""Train."""\n\nfrom selfdoubt import loop\n\nloop.run()\n',
    "plot.py": "import selfdoubt.report\n",
    "selfdoubt/__init__.py": "",
    "selfdoubt/loop.py": 'def run():\n    """Run."""\n    from selfdoubt.deep import RATE\n\n    return "text", RATE\n',
    "selfdoubt/deep.py": "import selfdoubt.deeper\n\nRATE = 1\n",
    "selfdoubt/deeper.py": "from selfdoubt import loop  # a circle\n\nSTEPS = 2\n",
    "selfdoubt/unrelated.py": "import torch\n",
    "selfdoubt/report/__init__.py": "from selfdoubt.report import page\n",
    "selfdoubt/report/page.py": "import json\n",
    "selfdoubt/report/page.html.j2": "<p>\n",
    "selfdoubt/report/style.css": "p {}\n",
    "selfdoubt/report/start.js": "start();\n",
    "selfdoubt/report/notes.txt": "to do\n",
}
VERSIONS = {"torch": "2.0", "timm": "1.0", "segmentation-models-pytorch": "0.5", "numpy": "2.0"}


class Tree:
    """A small workflow_scripts/ to edit."""

    def __init__(self, folder: Path):
        self.folder, self.versions = folder, dict(VERSIONS)
        for name, text in TREE.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

    def digest(self, script: str) -> str:
        forget()
        return provenance.code_digest(script)

    def reruns(self) -> set[str]:
        """The scripts whose digest is not that of the tree as it was made."""
        fresh = Tree(self.folder.with_name("fresh"))
        now = {script: self.digest(script) for script in ("train", "plot")}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(provenance, "SCRIPTS", fresh.folder)
            patch.setattr(provenance, "metadata", SimpleNamespace(version=VERSIONS.__getitem__))
            before = {script: fresh.digest(script) for script in now}
        shutil.rmtree(fresh.folder)
        return {script for script in now if now[script] != before[script]}

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text()
        assert old in text
        (self.folder / name).write_text(text.replace(old, new))


def forget() -> None:
    """A run of Snakemake reads a file once; a test edits it in between."""
    for function in (provenance.code_digest, provenance._read, provenance._files_of):
        function.cache_clear()
    for found in (provenance._found, provenance._recalled):
        found.clear()


@pytest.fixture
def tree(tmp_path, monkeypatch):
    tree = Tree(tmp_path / "scripts")
    monkeypatch.setattr(provenance, "SCRIPTS", tree.folder)
    monkeypatch.setattr(provenance, "metadata", SimpleNamespace(version=lambda name: tree.versions[name]))
    yield tree
    forget()


# ---- settings ----


def test_canonical_settings_by_hand():
    assert canonical({"b": [1, 2.5], "a": {"d": None, "c": "é"}}) == '{"a":{"c":"\\u00e9","d":null},"b":[1,2.5]}'


def test_the_order_of_keys_does_not_matter_and_all_else_does():
    settings = {"epochs": 6, "threads": 1, "widths": [8, 16]}
    assert canonical(dict(reversed(settings.items()))) == canonical(settings)
    swapped, longer = {**settings, "epochs": 1, "threads": 6}, {**settings, "widths": [16, 8]}
    assert len({canonical(each) for each in (settings, swapped, longer)}) == 3


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_has_no_form_for_is_refused(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"alpha": value})


# ---- a small tree ----


def test_a_digest_is_16_hex_digits_and_the_same_in_another_folder(tree):
    assert tree.reruns() == set()
    assert re.fullmatch("[0-9a-f]{16}:", tree.digest("train"))
    assert tree.digest("train") != tree.digest("plot")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("train.py", '"""Train."""', '"""Train a network."""'),
        ("train.py", '"""Train."""', ""),
        ("selfdoubt/loop.py", '"""Run."""', '"""Run it."""'),
        ("selfdoubt/loop.py", "def run():", "def run():  # a remark"),
        ("selfdoubt/deeper.py", "  # a circle\n\n", "\n\n\n\n"),
        ("selfdoubt/deep.py", "RATE = 1", "RATE = (\n    1\n)"),
        ("selfdoubt/report/notes.txt", "to do", "done"),
        ("selfdoubt/unrelated.py", "import torch", "import timm"),
    ],
)
def test_what_has_no_meaning_reruns_nothing(tree, file, old, new):
    tree.edit(file, old, new)
    assert tree.reruns() == set()


@pytest.mark.parametrize(
    ("file", "old", "new", "rerun"),
    [
        ("train.py", "loop.run()", "loop.run(); loop.run()", {"train"}),
        ("selfdoubt/loop.py", '"text"', '"another text"', {"train"}),  # not every text is a docstring
        ("selfdoubt/deep.py", "RATE = 1", "RATE = 2", {"train"}),  # imported inside a function
        ("selfdoubt/deeper.py", "STEPS = 2", "STEPS = 3", {"train"}),  # two imports away
        ("selfdoubt/__init__.py", "", "THREADS = 1\n", {"train", "plot"}),  # runs when any part of it is imported
        ("selfdoubt/report/page.py", "import json", "import csv", {"plot"}),
        ("selfdoubt/report/page.html.j2", "<p>", "<b>", {"plot"}),
        ("selfdoubt/report/style.css", "p {}", "b {}", {"plot"}),
        ("selfdoubt/report/start.js", "start", "stop", {"plot"}),
    ],
)
def test_a_change_reruns_just_what_it_can_change(tree, file, old, new, rerun):
    tree.edit(file, old, new)
    assert tree.reruns() == rerun


def test_a_new_or_renamed_file_counts(tree):
    tree.edit("plot.py", "\n", "\nimport torch.nn\n")
    assert tree.reruns() == {"plot"}
    tree.edit("plot.py", "\nimport torch.nn\n", "\n")
    (tree.folder / "selfdoubt/report/print.css").write_text("")
    assert tree.reruns() == {"plot"}
    (tree.folder / "selfdoubt/report/print.css").unlink()
    (tree.folder / "selfdoubt/report/style.css").rename(tree.folder / "selfdoubt/report/look.css")
    assert tree.reruns() == {"plot"}


@pytest.mark.parametrize("line", ["import selfdoubt.unrelated", "from selfdoubt import unrelated as other"])
@pytest.mark.parametrize("indent", ["", "if True:\n    "])
def test_every_form_of_import_is_followed(tree, line, indent):
    tree.edit("plot.py", "import selfdoubt.report", f"{indent}{line}")
    before = tree.digest("plot")
    tree.edit("selfdoubt/unrelated.py", "import torch", "import torch\nx = 1")
    assert tree.digest("plot") != before


@pytest.mark.parametrize(("package", "decisive"), [("torch", True), ("numpy", False)])
def test_versions_of_packages_that_decide_results_count_where_they_are_imported(tree, package, decisive):
    tree.edit("selfdoubt/deeper.py", "STEPS = 2", f"STEPS = 2\nfrom {package} import linalg")
    before = {script: tree.digest(script) for script in ("train", "plot")}
    tree.versions[package] = "3.0"
    assert (tree.digest("train") != before["train"]) == decisive
    assert tree.digest("plot") == before["plot"]


def test_the_closure_by_hand(tree):
    names = ["selfdoubt/__init__.py", "selfdoubt/deep.py", "selfdoubt/deeper.py", "selfdoubt/loop.py", "train.py"]
    assert provenance.closure(tree.folder / "train.py") == [tree.folder / name for name in names]


# ---- from one process to the next ----


def test_what_was_found_is_not_parsed_again(tree, tmp_path, monkeypatch):
    before = tree.digest("train")
    provenance.keep(tmp_path / "kept/meanings.json")
    forget()
    provenance.recall(tmp_path / "kept/meanings.json")
    monkeypatch.setattr(provenance, "_parse", None)  # cannot be called
    assert provenance.code_digest("train") == before


def test_what_was_found_of_other_contents_does_not_count(tree, tmp_path):
    before = tree.digest("train")
    provenance.keep(tmp_path / "meanings.json")
    tree.edit("selfdoubt/deep.py", "RATE = 1", "RATE = 2")
    after = tree.digest("train")
    forget()
    provenance.recall(tmp_path / "meanings.json")
    assert provenance.code_digest("train") == after != before


@pytest.mark.parametrize("broken", ["", "[]", '{"by": "an earlier version", "modules": {"a": 1}}', None])
def test_what_cannot_be_recalled_is_found_anew(tree, tmp_path, broken):
    before = tree.digest("train")
    path = tmp_path / "meanings.json"
    if broken is not None:
        path.write_text(broken)
    forget()
    provenance.recall(path)
    assert not provenance._recalled and provenance.code_digest("train") == before
    provenance.keep(path)
    provenance.recall(path)
    assert provenance._recalled == {key: list(value) for key, value in provenance._found.items()}


def test_what_is_known_or_cannot_be_kept_is_not_written(tree, tmp_path):
    tree.digest("train")
    (tmp_path / "file").touch()
    provenance.keep(tmp_path / "file/meanings.json")  # in a folder that cannot be
    provenance.keep(tmp_path / "meanings.json")
    provenance.recall(tmp_path / "meanings.json")
    (tmp_path / "meanings.json").unlink()
    provenance.keep(tmp_path / "meanings.json")
    assert not (tmp_path / "meanings.json").exists()


# ---- this repository ----


def test_a_digest_is_of_just_the_modules_that_the_job_reaches():
    """By the tests' own reader of imports; that each of them counts is shown by the small tree and the edits below."""
    for script in SCRIPTS.glob("*.py"):
        assert own(provenance.closure(script)) == reached_from(script.name)
    for method in methods():
        together = provenance.closure(SCRIPTS / "train_augmented.py", SCRIPTS / method)
        assert own(together) == reached_from("train_augmented.py") | reached_from(method)


def own(paths: list[Path]) -> set[str]:
    """The modules of the library among some files."""
    names = {path.relative_to(SCRIPTS).as_posix() for path in paths if path.suffix == ".py"}
    return {name for name in names if name.startswith("selfdoubt/")}


def test_a_real_edit_of_a_module_changes_the_digests_of_just_what_reaches_it(tmp_path, monkeypatch):
    shutil.copytree(SCRIPTS, tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    known, read = {}, provenance._read.__wrapped__  # each file is read once, but for the edited one
    jobs = {(script, None) for script in RULES.values()} | {("train_augmented", method) for method in methods()}
    rooms = {module.split("/")[1]: module for module in library() if "__init__" not in module}  # the last of each
    edited = [rooms[room] for room in ("runtime", "evaluation", "mixing", "training")]

    def digests() -> dict[tuple, str]:
        return {
            (script, method): provenance.code_digest.__wrapped__(script, (dotted(method),) if method else ())
            for script, method in jobs
        }

    monkeypatch.setattr(provenance, "SCRIPTS", tmp_path / "scripts")
    monkeypatch.setattr(provenance, "_read", lambda path: known.get(path) or known.setdefault(path, read(path)))
    before, changed, expected = digests(), {}, {}
    for module in (*edited, methods()[0], "selfdoubt/__init__.py"):
        path = tmp_path / "scripts" / module
        as_it_was = known.pop(path, None)
        path.write_text(f"{path.read_text()}\nCHANGED = True\n")
        changed[module] = {job for job, digest in digests().items() if digest != before[job]}
        known[path] = as_it_was
        expected[module] = {(s, m) for s, m in jobs if module in reached_from(f"{s}.py") | reached_from(m or f"{s}.py")}
    assert changed == expected and len({*map(frozenset, changed.values())}) == len(changed)


def dotted(module: str) -> str:
    return module.removeprefix("selfdoubt/").removesuffix(".py").replace("/", ".")


def test_every_module_is_reached_by_a_script_or_a_method_but_for_those_of_rules_and_people():
    reached = set().union(*(reached_from(path) for path in [*(f"{s}.py" for s in RULES.values()), *methods()]))
    rooms = {module for module in library() if module.split("/")[1] in ("settings", "external")}
    unreached = {module for module in library() if module not in reached and "__init__" not in module}
    assert unreached - rooms == OF_RULES | OF_PEOPLE
    assert "selfdoubt/settings/study.py" in unreached


def test_no_script_reaches_a_method_by_an_import_of_its_own():
    found = {script: {m for m in methods() if m in reached_from(f"{script}.py")} for script in RULES.values()}
    assert not {script: reached for script, reached in found.items() if reached}


def test_a_change_of_figures_numbers_or_page_retrains_nothing():
    for part in (
        "figures/style",
        "evaluation/metrics",
        "evaluation/metrics_table",
        "evaluation/bootstrap",
        "report/page",
    ):
        rules = rules_of_modules()[f"selfdoubt/{part}.py"]
        assert not [r for r in rules if r.startswith(("train", "distill", "predict", "communicate", "precompute"))]


@pytest.mark.parametrize("module", ["draws", "masks", "mixer"])
def test_a_change_of_mixing_retrains_only_what_mixes(module):
    assert rules_of_modules()[f"selfdoubt/mixing/{module}.py"] <= {"measure_mixing"}
    assert f"selfdoubt/mixing/{module}.py" in reached_from("selfdoubt/mixing/mixer.py")  # loaded by what mixes


def test_the_report_depends_on_all_that_it_is_made_of():
    parts = {path for path in (SCRIPTS / "selfdoubt/report").iterdir() if path.is_file()}
    assert len(parts) > 5 and parts <= {*provenance.closure(SCRIPTS / "render_report.py")}


def test_no_import_escapes_the_digest():
    methods = SCRIPTS / "selfdoubt/runtime/methods.py"  # whose modules the digest is given by name
    settings = SCRIPTS / "selfdoubt/settings/registry.py"  # which no job imports
    packages = SCRIPTS / "selfdoubt/runtime/warm_jobs.py"  # nor this, which imports no library
    for path in {*SCRIPTS.rglob("*.py")} - {methods, settings, packages}:
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path.name}: a relative import"
            computed = isinstance(node, ast.Name) and node.id in ("__import__", "importlib", "import_module")
            assert not computed, f"{path.name}: an import by computed name"


def test_the_meaning_of_a_module_does_not_depend_on_the_interpreter():
    """What newer Pythons add to the tree, and their `ast.dump` leaves out, is empty."""
    tree = ast.parse("@cache\ndef f(x: int = None, *y):\n    return f'{x!r:>{y}} {x}' if x else ...\nclass A: pass")
    older = provenance._text(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node._fields = (*dict.fromkeys([*node._fields, "type_params"]),)
            node.type_params = []
        if isinstance(node, ast.JoinedStr):  # 3.12.1 after {y}
            node.values = [part for part in node.values if getattr(part, "value", None) != ""] + [ast.Constant("")]
    assert provenance._text(tree) == older and "type_params" in ast.dump(tree)
    assert hashlib.sha256(older.encode()).hexdigest()[:16] == "fe0340aae5036f38"
