"""Processes that train one model together: as one alone would, within float tolerance, and to the last bit again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from copies import job_server
from helpers import assert_close, comes_true
from small_training import BASELINE, CPU, RECIPE, SCRIPTS, STUDENT, arguments_of, files_of, run_script, train
from torch import nn

from selfdoubt.models import checkpoints
from selfdoubt.runtime import table_files
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.training import TRAINING_SCHEMA
from selfdoubt.training import distributed

# Batches of 7, 7 and 6 images, so that of two ranks one has 4 and the other 3.
ONE = BASELINE | {"recipe": RECIPE | {"epochs": 3, "batch_size": 7, "ema_decay": 0.5}}
TWO = ONE | {"recipe": ONE["recipe"] | {"gpu": 2}}
# Gradients are divided among ranks, which is another order of sums, which training at these rates enlarges.
NEAR = {"rtol": 1e-3, "atol": 1e-4}


def command(folder: Path, settings: dict, name: str, script="train_on_labels", **files) -> list[str]:
    paths = files_of(folder, name) | {"state": folder / f"state-{name}", "progress": folder / f"{name}.jsonl"} | files
    return [sys.executable, str(SCRIPTS / f"{script}.py"), *arguments_of(1, settings, **paths)]


def run(*arguments, **options) -> subprocess.CompletedProcess:
    """Run a command, and its ranks, as forks of a process that has imported torch."""
    warm = str(job_server(0, ("torch", "pyarrow.parquet", "torch.distributed.run", "torch._dynamo")) / "python")
    _, *words = command(*arguments, **options)
    environment = os.environ | {"PYTHON_EXEC": warm}  # torchrun's
    return subprocess.run([warm, *words], capture_output=True, text=True, env=environment, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A training by one process and by two."""
    folder = tmp_path_factory.mktemp("ranks")
    train(folder, "one", settings=ONE)
    done = run(folder, TWO, "two")
    assert done.returncode == 0, done.stderr
    return folder


def assert_near(one: Path, other: Path) -> None:
    for name, tensor in checkpoints.read(one)[0].items():
        assert_close(checkpoints.read(other)[0][name], tensor, **NEAR)


def test_two_ranks_train_as_one_does(folder):
    assert_near(folder / "one.safetensors", folder / "two.safetensors")
    one, two = (
        table_files.read_table(folder / f"{name}.parquet", TRAINING_SCHEMA).to_pylist() for name in ("one", "two")
    )
    for row, other in zip(one, two, strict=True):
        assert other == pytest.approx(row, rel=1e-3)


def test_two_ranks_search_the_same_worst_weights_and_average_the_same(tmp_path):
    swa = {"method": "swa", "start_fraction": 0.5, "factor": 0.5, "lowest_factor": None, "cycle_epochs": 1}
    own = {"method": "self-distillation", "decay": 0.9, "temperature": 1.0, "alpha": 0.5}
    moved = {"method": "adversarial", "epsilon_255": 8, "signs": "gradient", "n_steps": 1, "step_255": 10}
    techniques = {"techniques": [moved, {"method": "sam", "rho": 0.5}, own, swa]}
    recipe = ONE["recipe"] | {"ema_decay": None, "epochs": 2}
    train(tmp_path, "one", settings=ONE | techniques | {"recipe": recipe})
    done = run(tmp_path, ONE | techniques | {"recipe": recipe | {"gpu": 2}}, "two")
    assert done.returncode == 0, done.stderr
    assert_near(tmp_path / "one.safetensors", tmp_path / "two.safetensors")


def test_ranks_die_with_the_job_and_a_resumed_one_gives_the_same_bytes(folder):
    """kill -9 of the process that Snakemake knows leaves no rank behind."""
    process = subprocess.Popen(command(folder, TWO, "again"), stdout=subprocess.PIPE, text=True)
    next(line for line in process.stdout if "epoch=0" in line)
    children = [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    of_ranks = [pid for pid in children if b"train_on_labels" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    next(line for line in process.stdout if "epoch=1" in line)  # the state of epoch 0 is kept by then
    process.kill()
    process.communicate()
    assert len(of_ranks) == 2
    assert comes_true(lambda: not any(Path(f"/proc/{pid}/exe").exists() and not _zombie(pid) for pid in of_ranks))
    assert not (folder / "again.safetensors").exists()
    again = run(folder, TWO, "again")
    assert again.returncode == 0 and "resuming at epoch" in again.stdout
    for suffix in (".safetensors", ".parquet"):
        assert (folder / f"again{suffix}").read_bytes() == (folder / f"two{suffix}").read_bytes()


def _zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_fault_in_a_rank_ends_in_one_line(tmp_path):
    settings = BASELINE | {"recipe": RECIPE | {"batch_size": 6, "gpu": 3}}
    failed = run(tmp_path, settings, "b")
    assert failed.returncode == 1
    assert "train_on_labels: recipes: batch_size 6 ends with 2 for 3 ranks; change it" in failed.stderr
    assert failed.stderr.rstrip().splitlines()[-1].startswith("train_on_labels: rank ")
    assert not (tmp_path / "b.safetensors").exists()


def test_a_student_of_two_ranks_reads_its_own_rows_of_stored_labels(folder, tmp_path):
    views = {name: value for name, value in RECIPE.items() if name not in ("optimizer", "schedule", "gpu")}
    teacher = train(tmp_path, "teacher", script="train_on_labels")
    path = tmp_path / "stored.arrow"
    files = {"train": tmp_path / "train", "teacher": teacher, "output": path}
    run_script("precompute_soft_labels", 1, views | {"top_k": None, "max_gb": None}, **files)
    options = {"script": "distill_student", "teacher": teacher, "soft_labels": path}
    alone = train(tmp_path, "alone", settings=STUDENT, **options)
    done = run(tmp_path, STUDENT | {"recipe": RECIPE | {"gpu": 2}}, "both", **options)
    assert done.returncode == 0, done.stderr
    assert_near(alone, tmp_path / "both.safetensors")


def test_the_loss_of_a_rank_counts_by_its_images():
    # The mean of 3/5 of 2 times one mean and 2/5 of 2 times the other is the mean of all 5.
    assert [distributed.Ranks(0, 2).weight(n, 5) for n in (3, 2)] == [3 / 5 * 2, 2 / 5 * 2]


def test_norms_that_cannot_be_shared_are_named():
    model = nn.Sequential(nn.BatchNorm1d(3))
    with pytest.raises(UserError, match="several ranks on cpu cannot share the statistics of BatchNorm1d"):
        distributed._synchronise_statistics(model, CPU)


def test_one_process_alone_needs_no_others(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    distributed.launch(1)
    alone, model = distributed.Ranks.from_environment(), nn.Linear(2, 2)
    assert alone.first and alone.join(CPU) == CPU and alone.wrap(model) is model
    assert alone.weight(5, 5) == 1 and alone.sum(torch.tensor(3.0)) == 3
    alone.leave()


def test_synchronised_statistics_of_bfloat16_are_those_of_float32(tmp_path):
    torch.distributed.init_process_group("gloo", f"file://{tmp_path}/meeting", rank=0, world_size=1)
    try:
        layer, plain = distributed._SynchronisedBatchNorm(3), nn.BatchNorm2d(3)
        x = torch.randn(8, 3, 40, 40, generator=torch.Generator().manual_seed(0)).bfloat16()
        found, expected = layer(x), plain(x.float())
    finally:
        torch.distributed.destroy_process_group()
    assert found.dtype == torch.bfloat16
    assert_close(found.float(), expected, rtol=0.01, atol=0.01)
    for name, buffer in plain.named_buffers():
        assert_close(dict(layer.named_buffers())[name], buffer)
