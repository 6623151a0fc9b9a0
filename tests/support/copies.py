"""A copy of the repository to edit and to run Snakemake in, whose jobs may be cheap fakes."""

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import yaml
from job_server import write_client

ROOT = Path(__file__).resolve().parents[2]
STUDY = Path(__file__).with_name("study.yaml")  # that of the tests, in place of config.yaml
COPIED = ("Snakefile", "rules", "workflow_scripts", "profiles", "envs", "resources")

FAKE_PYTHON = """#!/bin/sh
# Stands in for a job: makes every file under results/ that its command line names and that is not there.
# Of a training's state nothing is left, and folders are not made.
for word in "$@"; do
    case "$before $word" in
        "--state "*|"--store "*|"--fetched "*|"--folder "*) ;;
        *" results/"*) [ -e "$word" ] || { mkdir -p "${word%/*}"; echo "$word" > "$word"; } ;;
    esac
    before="$word"
done
"""


class Copy:
    """A copy of the repository to edit and to run Snakemake in."""

    def __init__(self, folder: Path):
        self.folder = folder

    def snakemake(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
        """Run Snakemake: as a fork of one that is imported already, or, with further environment variables, anew."""
        words = ["--cores", "2", *arguments]
        if variables:
            command = [sys.executable, "-m", "snakemake", *words]
            options = {"env": os.environ | variables, "capture_output": True, "text": True, "check": False}
            return subprocess.run(command, cwd=self.folder, **options)
        server = _server()
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / name for name in ("stdout", "stderr")]
            asked = [str(self.folder), *map(str, files), dict(os.environ), self.has_own_library(), words]
            server.stdin.write(json.dumps(asked) + "\n")
            server.stdin.flush()
            code = int(server.stdout.readline())
            return subprocess.CompletedProcess(words, code, *(file.read_text() for file in files))

    def jobs(self) -> set[str]:
        """The jobs that a dry run would start."""
        run = self.snakemake("-n")
        assert run.returncode == 0, run.stdout + run.stderr
        return set(jobs_of(run.stdout + run.stderr))

    def has_own_library(self) -> bool:
        """Return whether workflow_scripts/ is not that of the repository, by names, sizes and dates."""
        return stamps(self.folder / "workflow_scripts") != stamps(ROOT / "workflow_scripts")

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        changed = text.replace(old, new)
        assert changed != text, f"{file} stays as it is: it does not hold {old!r}, or that becomes the same"
        path.write_text(changed)

    def edit_config(self, change) -> None:
        """Apply change(config) to config.yaml."""
        path = self.folder / "config.yaml"
        config = read_yaml(path)
        before = json.dumps(config)  # of which order is a part, and 1 is not 1.0
        change(config)
        assert json.dumps(config) != before, "the config stays as it is"
        path.write_text(yaml.dump(config, Dumper=yaml.CSafeDumper, sort_keys=False))

    def own_resources(self) -> None:
        """Put copies of the same time in the place of the link to the images."""
        link = self.folder / "resources"
        if link.is_symlink():
            link.unlink()
            shutil.copytree(ROOT / "resources", link, ignore=shutil.ignore_patterns("downloads"))


def read_yaml(path: Path) -> dict:
    """Read a file by libyaml, which takes a tenth of the time that `yaml.safe_load` does, to the same values."""
    return yaml.load(path.read_text(), yaml.CSafeLoader)


def stamps(folder: Path) -> set[tuple[str, int, int]]:
    """Path, size and date of each file below a folder but for compiled ones; pathlib takes several times as long."""
    found, waiting = set(), [str(folder)] if folder.exists() else []
    while waiting:
        for entry in os.scandir(waiting.pop()):
            if entry.is_dir():
                waiting.append(entry.path)
            elif not entry.name.endswith(".pyc"):
                state = entry.stat()
                found.add((entry.path.removeprefix(str(folder)), state.st_size, state.st_mtime_ns))
    return found


def jobs_of(output: str) -> list[str]:
    """The jobs that Snakemake lists as started, in that order: RULE or RULE:WILDCARD/WILDCARD.

    The tests' study's data set is left out, and so is the target `all`.
    """
    found = []
    for block in re.split(r"\n(?=(?:local)?rule \w+:)", output):
        if name := re.match(r"(?:local)?rule (\w+):", block):
            wildcards = re.search(r"^    wildcards: (.*)$", block, re.MULTILINE)
            pairs = [pair.split("=") for pair in wildcards[1].split(", ")] if wildcards else []
            values = [f"@{value}" if key == "dataset" else value for key, value in pairs]
            values = [value for value in values if value != "@fashion-mnist-12k"]
            found.append(":".join([name[1], *(["/".join(values)] if values else [])]))
    return [job for job in found if job != "all"]


@cache
def _server() -> subprocess.Popen:
    command = [sys.executable, "-P", str(ROOT / "tests/support/snakemake_server.py"), str(ROOT / "workflow_scripts")]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def copy_repository(folder: Path) -> Copy:
    """Copy what a study needs, with the study of the tests; images by link, since nothing writes them."""
    folder.mkdir(parents=True)
    for name in COPIED:
        if name == "resources":
            (folder / name).symlink_to(ROOT / name)
        elif (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copy(ROOT / name, folder / name)
    shutil.copy(STUDY, folder / "config.yaml")
    return Copy(folder)


def copy_of(finished: Path, folder: Path) -> Copy:
    """Copy a copy, with the dates of its files; by `cp`, which takes a fifth of the time that Python does."""
    subprocess.run(["cp", "-a", finished, folder], check=True)
    return Copy(folder)


def fake_jobs(copy: Copy) -> None:
    """Let the jobs of a copy be fakes."""
    fake = copy.folder / "fakes/python"
    fake.parent.mkdir()
    fake.write_text(FAKE_PYTHON)
    fake.chmod(0o755)
    run_jobs_by(copy, 'str(WORKFLOW / "fakes")')


def run_jobs_by(copy: Copy, folder: str) -> None:
    """Let the jobs of a copy be run by the `python` of a folder, which is an expression in rules/common.smk."""
    copy.edit("rules/common.smk", "str(Path(sys.executable).parent)", folder)


OF_TABLES = ("pyarrow.parquet", "matplotlib.backends.backend_svg", "matplotlib.backends.backend_pdf", "pandas")
OF_JOBS = (*OF_TABLES, "torch", "sklearn.datasets", "torchvision.transforms.v2", "segmentation_models_pytorch")


def warm_jobs(copy: Copy, modules: tuple[str, ...] = OF_JOBS, hash_seed: int = 0) -> None:
    """Let the jobs of a copy be forks of a process that has imported modules, and that all tests share."""
    run_jobs_by(copy, repr(str(job_server(hash_seed, modules))))


@cache
def job_server(hash_seed: int = 0, modules: tuple[str, ...] = OF_JOBS) -> Path:
    """Start a server of jobs that has imported modules; return the folder of its client, `python`."""
    folder = Path(tempfile.mkdtemp(prefix="jobs-"))  # an address may have 107 bytes
    atexit.register(shutil.rmtree, folder)
    write_client(folder)
    command = [sys.executable, "-P", str(ROOT / "tests/support/job_server.py"), str(folder), *modules]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": str(hash_seed)}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    atexit.register(server.kill)
    assert server.stdout.readline() == "ready\n"
    return folder
