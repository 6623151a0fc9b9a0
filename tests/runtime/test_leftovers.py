"""What is stale: told from a dry run's words and the files that are there."""

from pathlib import Path

from selfdoubt.runtime import leftovers

DRY_RUN = """\
rule distill_student:
    input: results/data/d/train.safetensors
    output: results/checkpoints/d/kd/replicate-1.safetensors, results/training/d/kd/replicate-1.parquet
    log: results/logs/distill_student/d/kd/replicate-1.log
    jobid: 3
    benchmark: results/benchmarks/distill_student/d/kd/replicate-1.tsv
    reason: Forced execution
"""
WANTED = (
    *(
        "checkpoints/d/kd/replicate-1.safetensors",
        "training/d/kd/replicate-1.parquet",
        "state/d/kd/replicate-1/0123.safetensors",
    ),
    *("logs/distill_student/d/kd/replicate-1.log", "logs/distill_student/d/kd/replicate-1.log.progress.jsonl"),
    *("benchmarks/distill_student/d/kd/replicate-1.tsv", "README.md"),
)
STALE = {
    "checkpoints/d/kd/replicate-2.safetensors": "results",
    "data/d/README.md": "results",
    "logs/distill_student/d/kd/replicate-2.log": "records",
    "logs/distill_student/d/kd/replicate-2.log.progress.jsonl": "records",
    "benchmarks/distill_student/d/kd/replicate-2.tsv": "records",
    "state/d/kd/replicate-2/0123.safetensors": "states",
    "checkpoints/d/kd/.replicate-1.safetensors.77.tmp": "half-written",
}


def test_each_kind_of_leftover_and_nothing_that_is_wanted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for i, name in enumerate([*WANTED, *STALE]):
        path = Path("results", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * i)
    found = leftovers.find(Path("results"), leftovers.planned_files(DRY_RUN))
    assert {str(each.path.relative_to("results")): each.kind for each in found} == STALE
    assert [each.kind for each in found] == sorted(STALE.values(), key=list(leftovers.KINDS).index)
    assert sum(each.size_bytes for each in found) == sum(range(len(WANTED), len(WANTED) + len(STALE)))


def test_the_table_by_hand():
    found = [leftovers.Leftover(Path("results/a"), "results", 2_000_000)]
    found += [leftovers.Leftover(Path("results/state/b"), "states", 1_100_000)] * 2
    assert leftovers.table(found).splitlines() == [
        "results that no job makes: 1 file, 2.0 MB",
        "     2.0 MB  results/a",
        "",
        "states of trainings that are no more: 2 files, 2.2 MB",
        "     1.1 MB  results/state/b",
        "     1.1 MB  results/state/b",
        "",
        "in all 3 files, 4.2 MB; nothing was deleted",
    ]
    assert leftovers.table([]) == "nothing is stale"
