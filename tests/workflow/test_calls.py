"""What the project's code never calls: what unpickles, evaluates a text, starts a shell or becomes another program."""

import ast
import tokenize
from pathlib import Path

import pytest
from copies import ROOT

SOURCES = [
    path for top in ("workflow_scripts", "docs", "envs", "benchmarks") for path in sorted((ROOT / top).rglob("*.py"))
]
SOURCES += [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]  # Python's words, but no Python
NEVER = {"pickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "pty", "builtins"}
NEVER |= {
    "system",
    "popen",
    "getoutput",
    "getstatusoutput",
    "create_subprocess_shell",
    "posix_spawn",
    "fork",
    "forkpty",
}
NEVER |= {f"{kind}{how}" for kind in ("exec", "spawn") for how in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")}
NEVER |= {"unsafe_load", "full_load", "load_all", "extract", "extractall", "unpack_archive", "read_pickle", "to_pickle"}
NEVER |= {".Loader", ".FullLoader", ".UnsafeLoader", "load_state_dict_from_url"}
NEVER_ALONE = {"eval", "exec", "compile", "__import__"}  # a network's eval() and a pattern's compile() are others
ALLOWED = {
    ("workflow_scripts/selfdoubt/data/cifar.py", "pickle"): "an unpickler that lets in arrays alone",
    ("workflow_scripts/selfdoubt/settings/models.py", "compile"): "the key of a recipe, by torch.compile",
    ("workflow_scripts/lease.py", "execvp"): "the command that the user gave it",
    ("workflow_scripts/selfdoubt/runtime/warm_client.py", "execv"): "Python, where a job is no fork",
    ("workflow_scripts/selfdoubt/runtime/warm_jobs.py", "fork"): "of a process that has imported torch",
    ("workflow_scripts/selfdoubt/runtime/warm_jobs.py", "__import__"): "of the packages that it names",
}
LOADERS = {"torch.load": "weights_only=True", "np.load": "allow_pickle=False"}  # and what each must contain
OTHERS = {
    "json.loads",
    "tomllib.loads",
    "catalog.load",
    "image.load",
    "self._keeper.load",
    "methods.load",
    "scoring.load",
    "load",
}
OTHERS |= {"_ArraysOnly(io.BytesIO(content), encoding='bytes').load"}


def words(path: Path) -> set[str]:
    """The names in a file, with a dot where one stands before them; none of those in texts and comments."""
    with tokenize.open(path) as file:
        tokens = [token for token in tokenize.generate_tokens(file.readline) if token.type != tokenize.NL]
    pairs = zip(["", *(token.string for token in tokens)], tokens, strict=False)
    return {f".{word.string}" if before == "." else word.string for before, word in pairs if word.type == tokenize.NAME}


def test_nothing_unpickles_evaluates_or_becomes_another_program():
    found = {(str(path.relative_to(ROOT)), word) for path in SOURCES for word in words(path)}
    forbidden = {(path, word) for path, word in found if word in NEVER_ALONE or {word, word.lstrip(".")} & NEVER}
    assert {(path, word.lstrip(".")) for path, word in forbidden} == ALLOWED.keys()


def test_what_loads_loads_no_objects_and_nothing_starts_a_shell():
    trees = [ast.parse(path.read_text()) for path in SOURCES if path.suffix == ".py"]
    for call in [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]:
        name = ast.unparse(call.func)
        if name.rpartition(".")[2] in ("load", "loads") and name not in OTHERS:
            assert name in LOADERS and LOADERS[name] in ast.unparse(call)
        assert name != "Image.open" or "formats=" in ast.unparse(call)
        assert not any(word.arg == "shell" for word in call.keywords), ast.unparse(call)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import pickle", "pickle"),
        ("from torch.hub import load_state_dict_from_url", "load_state_dict_from_url"),
        ("x = os.system('x')", ".system"),
        ("x = yaml.load(text, Loader=yaml.Loader)", ".Loader"),
        ("os.execvp(x, y)", ".execvp"),
        ("exec(x)", "exec"),
        ("rule a:\n    params:\n        x=joblib.load('x'),\n", "joblib"),
        ("x = re.compile('x'); y = model.eval()  # eval, pickle, 'exec'", None),
    ],
)
def test_the_words_of_a_line(tmp_path, line, found):
    (tmp_path / "a.smk").write_text(line)
    refused = {word for word in words(tmp_path / "a.smk") if word in NEVER_ALONE or {word, word.lstrip(".")} & NEVER}
    assert refused == ({found} if found else set())
