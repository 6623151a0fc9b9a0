"""A bare Snakefile with the jobs of a study: as many inputs, outputs, logs and benchmarks of each, and nothing else.

What it takes is Snakemake's own for a graph of that size, whoever writes the rules.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

SNAKEFILE = """
import json
JOBS = json.load(open("graph.json"))
rule all:
    input: JOBS.pop("all")[0][0]
for kind, jobs in JOBS.items():
    rule:
        name: kind
        input: lambda wildcards, jobs=jobs: jobs[int(wildcards.job)][0]
        output: [f"{kind}/{{job}}/{n}" for n in range(jobs[0][1])]
        log: f"logs/{kind}/{{job}}"
        benchmark: f"benchmarks/{kind}/{{job}}"
        shell: "touch {output}"
"""
# Snakemake, which writes the graph when it has built it.
_WRITE = """
import json, os, sys
from snakemake.cli import main
from snakemake.dag import DAG
built = DAG.postprocess
async def and_write(dag, *arguments, **options):
    await built(dag, *arguments, **options)
    jobs = [[job.rule.name, [*map(str, job.input)], [*map(str, job.output)]] for job in dag.jobs]
    with open(os.environ["GRAPH"], "w") as file:
        json.dump(jobs, file)
DAG.postprocess = and_write
main(sys.argv[1:])
"""
# Snakemake, which records each job as finished when it has built the graph, and runs none.
_FINISH = """
import sys
from pathlib import Path
from snakemake.cli import main
from snakemake.dag import DAG
built = DAG.postprocess
async def and_finish(dag, *arguments, **options):
    await built(dag, *arguments, **options)
    for job in [job for level in dag.toposorted() for job in level if job.output]:
        for file in job.output:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).touch()
        await dag.workflow.persistence.finished(job)
DAG.postprocess = and_finish
main(sys.argv[1:])
"""


def write(study: Path, folder: Path) -> None:
    """Write the Snakefile of the jobs that a dry run of a study plans, with the files that none of them makes."""
    folder.mkdir()
    listed = folder / "listed.json"
    command = [sys.executable, "-c", _WRITE, "--cores", "2", "--resources", "gpu=4", "--dry-run", "--quiet"]
    subprocess.run(command, cwd=study, env=os.environ | {"GRAPH": str(listed)}, capture_output=True, check=True)
    (folder / "graph.json").write_text(json.dumps(renamed(json.loads(listed.read_text()), folder)))
    (folder / "Snakefile").write_text(SNAKEFILE)


def finish(folder: Path) -> None:
    """Make the outputs of a bare Snakefile and Snakemake's records of them, as if all of its jobs had run."""
    command = [sys.executable, "-c", _FINISH, "--cores", "2", "--dry-run", "--quiet"]
    subprocess.run(command, cwd=folder, capture_output=True, check=True)


def renamed(listed: list[list], folder: Path) -> dict[str, list[list]]:
    """Return the inputs and the number of outputs of each job by rule, every file by its job, or made as a source."""
    jobs, made = {}, {}
    for rule, _, outputs in listed:
        number = jobs.setdefault(rule, 0)
        made |= {output: f"{rule}/{number}/{n}" for n, output in enumerate(outputs)}
        jobs[rule] += 1
    (folder / "source").mkdir()
    graph = {rule: [] for rule in jobs}
    for rule, inputs, outputs in listed:
        for source in inputs:
            if source not in made:
                made[source] = f"source/{len(made)}"
                (folder / made[source]).touch()
        graph[rule].append([[made[name] for name in inputs], len(outputs)])
    return graph
