"""The table of costs after an edit of the config, beside the benchmark files of the study before it."""

import json
import re
import subprocess
import sys

import pyarrow.parquet as pq

TABLE = "results/default/tables/costs.parquet"


def without_a_student(config):
    del config["students"]["kd-no-labels"]
    for entry in [*config["studies"].values(), *config["figures"].values()]:
        if "arms" in entry:
            entry["arms"] = [arm for arm in entry["arms"] if arm != "kd-no-labels"]


def counted(copy) -> set[str]:
    """What collect_costs counts of the files that there are."""
    output = copy.snakemake("-n", "-p", "--forcerun", "collect_costs", "--", TABLE).stdout
    settings = re.search(r"\{\"jobs\":.*?\]\}", output)[0]
    command = [sys.executable, "workflow_scripts/collect_costs.py", "--settings", settings, "--output", TABLE]
    subprocess.run(
        [*command, "--folder", "results/default/benchmarks", "--logs", "results/default/logs"],
        cwd=copy.folder,
        check=True,
    )
    rows = pq.read_table(copy.folder / TABLE).to_pylist()
    assert {f"{row['rule']}/{row['job']}" for row in rows} == {*json.loads(settings)["jobs"]}
    return {row["job"] for row in rows}


def test_jobs_of_a_removed_model_and_replicate_are_not_counted(copy):
    before = counted(copy)
    copy.edit_config(without_a_student)
    copy.edit_config(lambda config: config.update(replicates=[1, 2]))
    gone = {job for job in before if re.search("/kd-no-labels/|replicate-3|/views-", job)}  # one student stores none
    assert {"fashion-mnist-12k/kd-no-labels/replicate-1", "fashion-mnist-12k/ce/replicate-3"} < gone
    assert counted(copy) == before - gone


def test_a_name_that_is_another_kind_of_model_now_is_counted_once(copy):
    """A baseline is made a teacher: the files of both trainings are there."""
    copy.edit_config(lambda config: config["teachers"].update(ce=config["baselines"].pop("ce")))
    left = copy.folder / "results/default/benchmarks"
    (left / "train_teacher/fashion-mnist-12k/ce").mkdir(parents=True)
    for replicate in (1, 2, 3):
        name = f"fashion-mnist-12k/ce/replicate-{replicate}.tsv"
        (left / "train_teacher" / name).write_text((left / "train_baseline" / name).read_text())
    counted(copy)
