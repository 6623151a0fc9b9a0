"""Jobs as those of users start: forks of a process that has imported torch, or by themselves; both make the same."""

import pytest
from copies import Copy
from small_study import digests, small_copy, smallest

OF_CE = "fashion-mnist-12k/ce/replicate-1"
MADE = (f"checkpoints/{OF_CE}.safetensors", f"predictions/{OF_CE}/clean.parquet")


def run(copy: Copy, *arguments: str, **variables: str) -> None:
    found = copy.snakemake(*arguments, "--cores", "1", **variables)
    assert found.returncode == 0, found.stdout + found.stderr


def are_forks(copy: Copy) -> list[bool]:
    """Whether jobs were forks, whose logs end with what they took."""
    logs = [copy.folder / f"results/default/logs/{rule}/{OF_CE}.log" for rule in ("train_baseline", "predict")]
    return ["\ntook " in log.read_text() for log in logs]


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Copy:
    """A study whose jobs up to predictions were forks; `copy.scratch` is its folder of temporary files."""
    copy = small_copy(tmp_path_factory.mktemp("forks") / "repository", smallest)
    copy.scratch = copy.folder.with_name("scratch")
    copy.scratch.mkdir()
    run(copy, f"results/default/{MADE[1]}", TMPDIR=str(copy.scratch), SELFDOUBT_LEASES=str(copy.scratch / "leases"))
    return copy


def test_forks_make_what_jobs_make_by_themselves(study):
    made = digests(study)
    assert {f"results/default/{path}" for path in MADE} <= made.keys() and are_forks(study) == [True, True]
    for path in MADE:
        (study.folder / "results/default" / path).unlink()
    run(study, f"results/default/{MADE[1]}", SELFDOUBT_COLD="1")
    assert are_forks(study) == [False, False]
    assert digests(study) == made


def test_nothing_is_left_in_the_folder_of_temporary_files(study):
    run(study, "-n", TMPDIR=str(study.scratch))
    assert not list(study.scratch.glob("selfdoubt-*"))
