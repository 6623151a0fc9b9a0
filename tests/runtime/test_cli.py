"""What all scripts share: arguments, errors in one line, and the end of a job whose parent is gone."""

import ast
import io
import json
import os
import re
import runpy
import signal
import subprocess
import sys
from contextlib import redirect_stdout, suppress
from pathlib import Path

import pytest
from helpers import comes_true

from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "workflow_scripts"
# commands that no rule runs
FOR_PEOPLE = {"compare_runs", "describe_data", "evaluate_predictions", "latex_table", "lease", "take_looks", "watch"}
EVERY_SCRIPT = sorted({path.stem for path in SCRIPTS.glob("*.py")} - FOR_PEOPLE)
ENVIRONMENT = {"PYTHONPATH": str(SCRIPTS), "PATH": os.environ["PATH"]}


def script(folder: Path, body: str) -> Path:
    """Write a script whose run(arguments) has this body."""
    lines = [
        "from selfdoubt.runtime import cli",
        "from selfdoubt.runtime.errors import UserError",
        "def run(arguments):",
    ]
    path = folder / "faulty.py"
    path.write_text("\n".join([*lines, f"    {body}", "cli.main(run, {'input': 'a file'})"]))
    return path


def run_faulty(path: Path) -> subprocess.CompletedProcess:
    words = ["--input", "a", "--settings", '{"recipe": {"threads": 1}}']
    return subprocess.run(
        [sys.executable, path, *words], env=ENVIRONMENT, capture_output=True, text=True, check=False, cwd=path.parent
    )


def call(monkeypatch, words: list[str], **options):
    """Return the arguments that main hands to a script, run in this process."""
    given = []
    monkeypatch.setattr(sys, "argv", ["a_script.py", *words])
    monkeypatch.setattr(cli, "_die_with_parent", lambda: None)  # it would tie the tests to their shell
    cli.main(given.append, **options)
    return given[0]


# ---- arguments ----

FILES = {"input": "one", "members": "many", "output": "written"}


def test_arguments_are_paths_settings_and_a_replicate(monkeypatch):
    words = ["--input", "a/b", "--members", "c", "d", "--output", "e", "--replicate", "7"]
    words += ["--settings", '{"n": {"m": [2.5]}}']
    found = call(monkeypatch, words, files=FILES, several=("members",), replicated=True)
    assert (found.input, found.members, found.output) == (Path("a/b"), [Path("c"), Path("d")], Path("e"))
    assert found.replicate == 7 and found.settings.n.m == [2.5]


def test_options_for_several_files_may_have_none(monkeypatch):
    for words in ([], ["--members"]):
        found = call(monkeypatch, ["--input", "a", "--output", "b", *words], files=FILES, several=("members",))
        assert found.members == [] and not hasattr(found, "replicate")


def test_a_file_may_hold_the_settings_and_the_names_of_files(monkeypatch, tmp_path):
    (tmp_path / "names").write_text("\na b\n@c\n")
    (tmp_path / "settings").write_text('{"epochs": 6}')
    words = ["--input", "@x", "--output", "@y", "--settings", f"@{tmp_path / 'settings'}"]
    names = ["--members", f"@{tmp_path / 'names'}"]
    found = call(monkeypatch, words + names, files=FILES, several=("members",), listed=("members",))
    assert found.members == [Path("a b"), Path("@c")] and (found.input, found.output) == (Path("@x"), Path("@y"))
    assert found.settings.epochs == 6 and found.metadata["settings"] == {"epochs": 6}
    assert call(monkeypatch, words + names, files=FILES, several=("members",)).members == [Path(names[1])]
    (tmp_path / "settings").unlink()
    with pytest.raises(SystemExit, match=r"a_script: \[Errno 2\] No such file or directory: '.*settings'"):
        call(monkeypatch, words, files=FILES, several=("members",))


@pytest.mark.parametrize(
    "words", [["--input", "a"], ["--output", "b"], ["--input", "a", "--output", "b", "--inptu", "c"]]
)
def test_a_missing_or_unknown_option_is_named(monkeypatch, capsys, words):
    with pytest.raises(SystemExit) as end:
        call(monkeypatch, words, files=FILES, several=("members",))
    assert end.value.code == 2
    assert re.search(r"error: .*--(output|input|inptu)", capsys.readouterr().err)


def test_a_replicate_is_required_where_a_script_draws(monkeypatch, capsys):
    with pytest.raises(SystemExit) as end:
        call(monkeypatch, ["--input", "a"], files={"input": "one"}, replicated=True)
    assert end.value.code == 2 and "--replicate" in capsys.readouterr().err


def test_metadata_is_the_provenance_and_no_time(monkeypatch):
    words = ["--input", "a", "--replicate", "7", "--settings", '{"b": 1, "a": {"c": 2}}', "--code", "abc"]
    found = call(monkeypatch, words, files={"input": "one"}, replicated=True).metadata
    assert found.keys() == {"settings", "code", "replicate", "packages"}
    assert (found["settings"], found["code"], found["replicate"]) == ({"b": 1, "a": {"c": 2}}, "abc", 7)
    assert {"numpy", "torch"} <= found["packages"].keys()
    assert json.loads(json.dumps(found)) == found
    assert call(monkeypatch, words, files={"input": "one"}, replicated=True).metadata == found
    assert "replicate" not in call(monkeypatch, ["--input", "a"], files={"input": "one"}).metadata


def test_only_installed_packages_have_a_version():
    import numpy

    assert cli.versions(["numpy", "no-such-package"]) == {"numpy": numpy.__version__}


# ---- settings ----


def test_settings_are_attributes_all_the_way_down():
    settings = cli.parse_settings('{"recipe": {"epochs": 6}, "arms": [{"name": "ce"}], "none": null}')
    assert (settings.recipe.epochs, settings.arms[0].name, settings.none) == (6, "ce", None)
    assert vars(settings.recipe) == {"epochs": 6}


def test_a_missing_key_is_named_and_may_have_a_default():
    settings = cli.parse_settings('{"epochs": 6, "threads": 1}')
    with pytest.raises(UserError, match=r"^--settings: key 'epoch' is missing; keys: epochs, threads$"):
        settings.epoch  # noqa: B018
    assert getattr(settings, "beta", 1.0) == 1.0 and not hasattr(settings, "beta")


# ---- faults ----


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("raise UserError('a.parquet: truncated')", ["a.parquet: truncated"]),
        ("arguments.settings.recipe.epochs", ["--settings", "'epochs' is missing", "threads"]),
        ("raise MemoryError", ["out of memory; lower the batch size"]),
        ("import torch; torch.empty(2**60)", ["out of memory; lower the batch size"]),
        ("open('missing')", ["No such file or directory: 'missing'"]),
        ("raise OSError(28, 'No space left on device')", ["the disk is full; make room"]),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_exit_code_1(tmp_path, body, parts):
    run = run_faulty(script(tmp_path, body))
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert run.stderr.startswith("faulty: ") and all(part in run.stderr for part in parts)


def test_settings_that_are_not_json_are_one_line(monkeypatch):
    with pytest.raises(SystemExit, match=r"^a_script: --settings: not JSON: .*column 2") as end:
        call(monkeypatch, ["--input", "a", "--settings", "{epochs: 1}"], files={"input": "one"})
    assert "\n" not in end.value.code


@pytest.mark.parametrize(
    ("body", "error"), [("1 / 0", "ZeroDivisionError: division by zero"), ("raise OSError('odd')", "OSError: odd")]
)
def test_a_fault_of_the_program_keeps_its_stack_trace(tmp_path, body, error):
    run = run_faulty(script(tmp_path, body))
    assert run.returncode == 1 and "Traceback" in run.stderr and run.stderr.splitlines()[-1] == error


# ---- start-up ----

SHOWS_PANDAS = """
import runpy, sys
runpy.run_path(sys.argv.pop(1), run_name="__main__")
print("pandas" in sys.modules)
"""


def test_a_job_that_makes_tables_does_not_load_pandas(tmp_path):
    """Neither by its own imports nor by pyarrow, which would at its first conversion."""
    schema = table_files.predictions_schema(2)
    rows = [{"split": "test", "image_id": i, "label": i % 2, "logits": [i, 1.5]} for i in range(4)]
    table_files.write_rows(tmp_path / "predictions.parquet", rows, schema)
    evaluation = {"scores": ["msp"], "metrics": ["aurc"], "selective_accuracies_percent": [], "coverages_percent": []}
    evaluation |= {"ece_bins": 15, "n_resamples": 10, "resampled_splits": []}
    identity = {"dataset": "d", "name": "m", "role": "baselines", "variant": "clean"}
    settings = json.dumps({"identity": identity, "evaluation": evaluation})
    command = [sys.executable, "-c", SHOWS_PANDAS, SCRIPTS / "compute_metrics.py"]
    files = ["--predictions", tmp_path / "predictions.parquet", "--output", tmp_path / "metrics.parquet"]
    words = [*files, "--replicate", "1", "--settings", settings]
    run = subprocess.run([*command, *words], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert run.stderr == "" and run.stdout.splitlines()[-1] == "False"
    assert table_files.read_table(tmp_path / "metrics.parquet", METRICS_SCHEMA).num_rows


def test_pandas_can_be_had_after_it_was_hidden():
    code = "import sys, pyarrow as pa; from selfdoubt.runtime import cli; cli._hide_pandas_from_pyarrow()"
    code += "; assert 'pandas' not in sys.modules; print(pa.table({'a': [1, 2]}).to_pandas().a.sum())"
    run = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert run.stdout == "3\n"


# ---- the death of a parent ----

PARENT = "import subprocess, sys; subprocess.run('exec ' + sys.argv[1], shell=True)"  # as Snakemake starts a job


def is_running(process: int) -> bool:
    """Whether a process is there, and is no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


if sys.platform == "linux":  # elsewhere the kernel cannot be asked

    def test_a_job_dies_with_its_parent(tmp_path):
        note = tmp_path / "pid"
        body = "import os, time; print(os.getpid(), file=open(arguments.input, 'w'), flush=True); time.sleep(60)"
        command = f"{sys.executable} {script(tmp_path, body)} --input {note}"
        parent = subprocess.Popen([sys.executable, "-c", PARENT, command], env=ENVIRONMENT)
        assert comes_true(lambda: note.exists() and note.read_text().endswith("\n"))
        job = int(note.read_text())
        try:
            assert is_running(job) and job != parent.pid
            parent.kill()
            parent.wait()
            assert comes_true(lambda: not is_running(job))
        finally:
            with suppress(ProcessLookupError):
                os.kill(job, signal.SIGKILL)


def test_a_job_whose_engine_ended_while_it_was_starting_does_nothing(tmp_path):
    """Its parent is another then, which proves nothing: the engine is known by its number."""
    engine = subprocess.Popen(["true"])
    engine.wait()
    path = script(tmp_path, "open('made', 'w')")
    for number, made in ((engine.pid, False), (os.getpid(), True)):
        environment = ENVIRONMENT | {"SELFDOUBT_ENGINE": str(number)}
        command = [sys.executable, path, "--input", "a"]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert (run.returncode == 0, (tmp_path / "made").exists()) == (made, made)
        assert made or run.stderr == "parent process is gone\n"


# ---- every script ----


def help_of(path: Path) -> str:
    """The help of a script on long lines, without starting a process, which would import torch again."""
    shown = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(shown), pytest.raises(SystemExit) as end:
        patch.setattr(sys, "argv", [str(path), "--help"])
        patch.setattr(cli, "_die_with_parent", lambda: None)
        patch.setenv("COLUMNS", "1000")
        runpy.run_path(str(path), run_name="__main__")
    assert end.value.code == 0
    return shown.getvalue()


def test_every_script_has_help_and_its_rule_gives_it_the_options_that_it_needs():
    rules = "\n".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    for name in EVERY_SCRIPT:
        path = SCRIPTS / f"{name}.py"
        usage, purpose = help_of(path).split("\n\n")[:2]
        assert usage.startswith(f"usage: {name}.py [-h] ") and "[--settings SETTINGS] [--code CODE]" in usage
        assert purpose == ast.get_docstring(ast.parse(path.read_text()))
        known, optional = set(re.findall(r"--[a-z-]+", usage)), set(re.findall(r"\[(--[a-z-]+)", usage))
        calls = re.findall(rf"\$SELFDOUBT/{name}\.py(.*?)> {{log}}", rules, re.DOTALL)
        given = [set(re.findall(r"--[a-z-]+", words)) for words in calls]
        required = known - optional | {"--settings", "--code"}
        assert given and all(required <= options <= known for options in given), name
