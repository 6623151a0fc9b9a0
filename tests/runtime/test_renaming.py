"""Another name for a model: what changes in a config, what moves, and what a kill in the middle leaves to do."""

import base64
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from copies import ROOT
from snakemake.persistence.file import FilePersistence

from selfdoubt.runtime import renaming
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.study import load_study

DEFAULT = (ROOT / "config.yaml").read_text()
CONFIG = """\
students: # kd is a student
  kd: { network: small, teacher: "kd-2" } # kd
  kd-2: { teacher: teacher }
segmenters: { unet: { teacher: 'kd', teacher_replicate: 1 } }
groups: { pair: { members: [kd, kd-2], protocols: [kd] } } # a protocol may be called so
studies:
  one: { title: kd, question: "kd?", reference: kd, arms: [kd/odin, kd-2/kd, x/kd] }
networks: { kd: { family: convnet } }
"""
RENAMED = """\
students: # kd is a student
  pupil: { network: small, teacher: "kd-2" } # kd
  kd-2: { teacher: teacher }
segmenters: { unet: { teacher: 'pupil', teacher_replicate: 1 } }
groups: { pair: { members: [pupil, kd-2], protocols: [kd] } } # a protocol may be called so
studies:
  one: { title: kd, question: "kd?", reference: pupil, arms: [pupil/odin, kd-2/kd, x/kd] }
networks: { kd: { family: convnet } }
"""
LONG = "d" * 100  # a data set whose files' names in base64 are too long for one name of a file


# ---- configs ----


def test_a_config_by_hand():
    assert renaming.in_config(CONFIG, "kd", "pupil") == RENAMED


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "students: null\n", "students: { ce: null }\n"])
def test_what_does_not_name_the_model_stays(text):
    assert renaming.in_config(text, "kd", "pupil") == text


@pytest.mark.parametrize("old", load_study(yaml.safe_load(DEFAULT)).models)
def test_the_default_study_keeps_its_meaning(old):
    changed = renaming.in_config(DEFAULT, old, "renamed")
    before, after = load_study(yaml.safe_load(DEFAULT)), load_study(yaml.safe_load(changed))
    assert [*after.models] == ["renamed" if name == old else name for name in before.models]
    assert after.model_settings("renamed") == before.model_settings(old)
    assert after.variants("renamed") == before.variants(old)
    assert renaming.in_config(changed, "renamed", old) == DEFAULT


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("k", "pupil", "'k' is not a model; models: kd, kd-2, ce"),
        ("kd", "kd-2", "'kd-2' is taken"),
        ("kd", "pair", "'pair' is taken"),
        ("kd", "ce", "'ce' is taken"),  # by a model of another study
    ],
)
def test_what_cannot_be_renamed(old, new, told):
    with pytest.raises(UserError, match=f"^{told}"):
        renaming.check([CONFIG, "baselines: { ce: {} }\n", "# nothing\n"], old, new)


# ---- files and notes ----


def note(kind: str, name: str) -> Path:
    """Where Snakemake keeps a note of a file."""
    snakemake = SimpleNamespace(_fetch_max_len=lambda folder: os.pathconf(folder, "PC_NAME_MAX"))
    return Path(FilePersistence._record_path(snakemake, f".snakemake/{kind}", name))


def write(path: str | Path, text: str = "") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


@pytest.fixture
def study(tmp_path, monkeypatch) -> None:
    """Results of kd and of others, and a note of each."""
    monkeypatch.chdir(tmp_path)
    for kind in ("metadata", "incomplete"):
        Path(".snakemake", kind).mkdir(parents=True)
    for dataset in ("d", LONG):
        names = [f"results/{kind}/{dataset}/kd/replicate-1.x" for kind in ("checkpoints", "training", "state")]
        names += [f"results/predictions/{dataset}/kd-2/replicate-1/kd.x", f"results/data/{dataset}/kd/not-a-model"]
        names += [f"results/logs/train/{dataset}/kd/replicate-1.log", f"results/logs/corrupt/{dataset}/kd.log"]
        for name in names:
            write(name, "of kd")
            write(note("metadata", name), f'{{"input": ["{names[0]}"], "shellcmd": "run --of {name} kd > {names[5]}"}}')
    write(note("incomplete", "results/checkpoints/d/kd/replicate-2.x"), "{}")


def move(old: str, new: str) -> int:
    return renaming.move(Path("results"), Path(".snakemake"), old, new)


def everything() -> dict[str, str]:
    """The text of every file, and of every note by what it is of."""
    found = {str(path): path.read_text() for path in Path("results").rglob("*") if path.is_file()}
    for kind in ("metadata", "incomplete"):
        top = Path(".snakemake", kind)
        for path in [path for path in top.rglob("*") if path.is_file()]:
            code = "".join(part.lstrip("@") for part in path.relative_to(top).parts)
            name = base64.urlsafe_b64decode(code).decode()
            assert path == note(kind, name)
            found[f"{kind} of {name}"] = path.read_text()
    return found


def renamed(text: str) -> str:
    for dataset in ("d", LONG):
        for kind in ("checkpoints", "training", "state", "logs/train"):
            text = text.replace(f"results/{kind}/{dataset}/kd/", f"results/{kind}/{dataset}/pupil/")
    return text


def test_files_and_notes_of_a_model_move_and_no_others(study):
    before = everything()
    assert len(before) == 2 * 7 + 2 * 7 + 1
    assert move("kd", "pupil") == 2 * 4
    assert everything() == {renamed(name): renamed(text) for name, text in before.items()}
    assert move("pupil", "kd") == 2 * 4
    assert everything() == before


@pytest.mark.parametrize("n_moved", range(8))
def test_what_was_killed_goes_on(study, monkeypatch, n_moved):
    before, rename, left = everything(), Path.rename, iter(range(n_moved))

    def killed(path, target):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", killed)
        move("kd", "pupil")
    move("kd", "pupil")
    assert everything() == {renamed(name): renamed(text) for name, text in before.items()}


def test_results_of_the_new_name_are_not_written_over(study):
    write("results/training/d/pupil/replicate-1.x")
    before = everything()
    with pytest.raises(UserError, match="results/training/d/pupil is there already; remove it, or choose another name"):
        move("kd", "pupil")
    assert everything() == before


def test_nothing_is_renamed_while_a_run_goes_on(tmp_path):
    (tmp_path / "config.yaml").write_text(DEFAULT)
    (tmp_path / ".snakemake").mkdir()
    (tmp_path / "results/mine").mkdir(parents=True)
    with (tmp_path / ".snakemake" / "mine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [sys.executable, ROOT / "workflow_scripts" / "rename_model.py", "kd", "pupil"]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith(f"rename_model: {tmp_path}: a run is going on here")
    assert run.stderr.count("\n") == 1
    assert (tmp_path / "config.yaml").read_text() == DEFAULT
