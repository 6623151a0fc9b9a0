"""A study whose jobs are forks of processes that have imported torch is byte for byte that of jobs by themselves."""

from copies import Copy
from small_study import digests, small_copy, smallest

LAST = "results/default/logs/train_baseline/fashion-mnist-12k/{}/replicate-2.log"


def two_replicates(config: dict) -> None:
    smallest(config)
    config["replicates"] = [1, 2]


def last_lines(copy: Copy) -> list[str]:
    return [(copy.folder / LAST.format(name)).read_text().splitlines()[-1] for name in ("ce", "label-smoothing")]


def test_forks_make_the_same_study_and_leave_nothing(tmp_path):
    forks, alone = (small_copy(tmp_path / name, two_replicates) for name in ("forks", "alone"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    options = {"TMPDIR": str(scratch), "SELFDOUBT_LEASES": str(tmp_path / "leases"), "PYTHONDONTWRITEBYTECODE": "1"}
    assert forks.snakemake("-n", **options).returncode == 0 and not list(scratch.iterdir())
    for copy, cold in ((forks, ""), (alone, "1")):
        run = copy.snakemake("--cores", "1", **options, SELFDOUBT_COLD=cold)
        assert run.returncode == 0, run.stdout + run.stderr
    assert len(digests(forks)) > 20 and digests(forks) == digests(alone)
    assert all(line.startswith("took ") for line in last_lines(forks))
    assert not any(line.startswith("took ") for line in last_lines(alone))
    assert not list(scratch.glob("selfdoubt-*"))
