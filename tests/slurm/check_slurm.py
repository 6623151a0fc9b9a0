"""A small real study on a Slurm of one node, through profiles/slurm: `make test-slurm`.

Its name keeps it out of the quick tests: it takes minutes, root and Debian, and is skipped by name without them. All
else that is missing is a failure, so that a broken lock or mirror does not pass for a machine without Slurm.
"""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import cluster
import pytest
from copies import Copy
from small_study import digests, small_copy, two_models

HERE = Path(__file__).resolve().parent
COMMAND = [sys.executable, str(HERE / "engine.py"), "--profile", "profiles/slurm"]
COMMAND += ["--retries", "0"]  # so that the cancelled training ends the first command
COMMAND += ["--slurm-status-command", "squeue"]  # as where there are no accounts
SPLITS = [f"results/default/data/fashion-mnist-12k/{split}.safetensors" for split in ("train", "val", "test")]
CHECKPOINT = "results/default/checkpoints/fashion-mnist-12k/ce/replicate-1.safetensors"
LOG = "results/default/logs/train_baseline/fashion-mnist-12k/ce/replicate-1.log"
ONE_MINUTE = ["--set-resources", "train_baseline:runtime=1"]
ON_A_GPU = {"train_on_labels", "predict"}
REPORT = ("collect_metrics", "collect_costs", "collect_enhancements", "compare_groups", "measure_gaps")
REPORT += ("measure_fidelity", "compare_arms", "test_hypotheses", "plot_figure", "render_report")
REPORT += ("digest_data",)
_PATIENCE_SECONDS = 900  # what takes longer hangs
_QUIET_SECONDS = 30  # Slurm looks after a job's processes for a moment when it is over


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> SimpleNamespace:
    """What a study left behind that ran undisturbed here, and on Slurm with a training ended twice in the middle."""
    if reason := cluster.why_not():
        pytest.skip(f"test-slurm is left out: {reason}")
    assert importlib.util.find_spec("snakemake_executor_plugin_slurm"), "`make slurm` installs what is missing"
    cluster.install()
    place = tmp_path_factory.mktemp("slurm")
    on_slurm = small_copy(place / "on-slurm", two_models)
    finished(on_slurm.snakemake("--cores", "2", *SPLITS))
    shutil.copytree(place / "on-slurm", place / "alone")
    alone = Copy(place / "alone")
    finished(alone.snakemake("--cores", "2"))
    seen = SimpleNamespace(alone=digests(alone))
    with tempfile.TemporaryDirectory(prefix="selfdoubt-slurm-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # munge wants its socket to be reached by all
        with cluster.cluster(folder) as environment:
            run_to_its_end(on_slurm.folder, environment, folder, seen)
            with suppress(TimeoutError):
                cluster.wait_for(lambda: not any(going_on(environment)), _QUIET_SECONDS)
            seen.left = going_on(environment)
        seen.after_the_end = cluster.processes(folder)
    seen.on_slurm, seen.log = digests(on_slurm), (on_slurm.folder / LOG).read_text()
    return seen


def going_on(environment: dict) -> tuple[list[str], list[str]]:
    """Return the jobs that Slurm lists as not over, and the commands of the study's scripts that run."""
    queue = subprocess.run(["squeue", "--noheader"], env=environment, capture_output=True, text=True, check=True)
    folder = Path(environment[cluster.MARK])
    scripts = [command for command in map(cluster.command, cluster.processes(folder)) if "workflow_scripts/" in command]
    return queue.stdout.splitlines(), scripts


def finished(run: subprocess.CompletedProcess) -> None:
    assert run.returncode == 0, run.stderr[-5000:]


def run_to_its_end(study: Path, environment: dict, folder: Path, seen: SimpleNamespace) -> None:
    """Let the baseline's training outlive a minute, then cancel it in the middle, and give the command a third time."""
    first, records, state = folder / "first", folder / "records", study / "results/default/state/fashion-mnist-12k/ce"
    first.mkdir()
    records.mkdir()
    environment = environment | {"PYTHONPATH": str(HERE / "recorder")}
    options = {"cwd": study, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    options["env"] = environment | {"RECORDS": str(first)}
    with subprocess.Popen([*COMMAND, CHECKPOINT, *ONE_MINUTE], **options) as engine:
        cluster.wait_for(lambda: engine.poll() is not None or [*state.rglob("*.safetensors")], _PATIENCE_SECONDS)
        for process in trainings(folder):
            os.kill(process, signal.SIGSTOP)  # so that it takes longer than it may; Slurm lets it go on for its end
        seen.outlived, _ = engine.communicate(timeout=_PATIENCE_SECONDS)
    seen.outlived_code = engine.returncode
    states = {path: path.stat().st_mtime_ns for path in state.rglob("*.safetensors")}
    seen.kept_state = bool(states)
    options["env"] = environment | {"RECORDS": str(records)}
    with subprocess.Popen(COMMAND, **options) as engine:
        cluster.wait_for(lambda: engine.poll() is not None or newer(state, states), _PATIENCE_SECONDS)
        seen.meanwhile = going_on(environment)
        jobs = cluster.ask(environment, "squeue", "--noheader", "--format=%i %k")  # number and comment
        for number in re.findall(r"^(\d+) rule_train_baseline_", jobs, re.MULTILINE):
            cluster.ask(environment, "scancel", number)
        seen.first, _ = engine.communicate(timeout=_PATIENCE_SECONDS)
    seen.first_code, seen.whole_before = engine.returncode, (study / CHECKPOINT).exists()
    seen.log_of_first = (study / LOG).read_text()
    again = subprocess.run(COMMAND, **options, timeout=_PATIENCE_SECONDS, check=False)
    seen.second, seen.second_code = again.stdout, again.returncode
    seen.records = [json.loads(path.read_text()) for path in records.iterdir()]
    seen.jobs = cluster.ask(environment, "scontrol", "show", "job", "--details", "--oneliner").splitlines()


def trainings(folder: Path) -> list[int]:
    """The processes of the cluster that train: forks go by the name of their script."""
    return [each for each in cluster.processes(folder) if "train_on_labels" in cluster.name(each)]


def newer(state: Path, before: dict[Path, int]) -> bool:
    """Whether a state has been kept since."""
    return any(path.stat().st_mtime_ns != before.get(path) for path in state.rglob("*.safetensors"))


def test_a_training_that_outlives_its_time_is_reported_and_keeps_its_state(seen):
    assert seen.outlived_code == 1, seen.outlived[-5000:]
    assert "TIMEOUT" in seen.outlived and seen.kept_state
    assert int(re.search(r"resuming at epoch (\d+)", seen.log_of_first)[1]) > 0  # the next one


def test_a_cancelled_training_is_reported_and_leaves_no_checkpoint(seen):
    assert seen.first_code == 1, seen.first[-5000:]
    assert "CANCELLED" in seen.first and not seen.whole_before


def test_the_same_command_goes_on_to_the_bytes_of_an_undisturbed_run(seen):
    assert seen.second_code == 0, seen.second[-5000:]
    assert int(re.search(r"epoch=(\d+)", seen.log)[1]) > 0  # it did not start anew
    assert len(seen.alone) > 10
    assert seen.on_slurm == seen.alone


def test_each_job_sees_the_gpu_that_slurm_gave_it_and_no_other(seen):
    ended = [record for record in seen.records if "devices" in record]
    on_gpus = [record for record in ended if record["script"] in ON_A_GPU]
    assert {record["script"] for record in on_gpus} == ON_A_GPU
    assert all(record["devices"] == record["given"] in ("0", "1") for record in on_gpus)
    others = [record for record in ended if record["script"] not in ON_A_GPU]
    assert others and all(record["devices"] == record["given"] == "" for record in others)


def test_two_trainings_at_once_have_a_gpu_each(seen):
    (cancelled,) = [record for record in seen.records if "devices" not in record]
    trained = [record for record in seen.records if record["script"] == "train_on_labels" and "devices" in record]
    beside = min(trained, key=lambda record: int(record["job"]))  # the teacher; the baseline is submitted again later
    assert cancelled["script"] == "train_on_labels"
    assert {cancelled["given"], beside["given"]} == {"0", "1"}


@pytest.mark.parametrize(
    ("together", "minutes", "gpus"),
    [(("predict",), 2 * 10, 1), (("compute_metrics",), 2 * 10, 0), (REPORT, len(REPORT) * 10, 0)],
)
def test_small_jobs_are_submitted_together_and_ask_for_what_one_of_them_needs(seen, together, minutes, gpus):
    """And for the minutes of all, since they run one after the other."""
    (number,) = {record["job"] for record in seen.records if record["script"] in together}
    assert {record["script"] for record in seen.records if record["job"] == number} == {*together}
    job = next(job for job in seen.jobs if f"JobId={number} " in job)
    assert "NumCPUs=1 " in job and "mem=2000M" in job, job
    assert f"TimeLimit={minutes // 60:02}:{minutes % 60:02}:00 " in job, job
    assert re.findall(r"TresPerJob=gres[:/]gpu:(\d+)", job) == ["1"] * gpus, job


def test_when_the_study_is_done_nothing_is_left_running(seen):
    assert all(seen.meanwhile), "this test sees what runs"
    assert seen.left == ([], [])


def test_the_cluster_of_the_test_is_gone(seen):
    assert seen.after_the_end == []
