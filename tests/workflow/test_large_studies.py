"""Studies whose jobs are given more than a command line of Linux holds: 128 kB in one argument, 2 MB in all."""

import ast
import json
import os
import re
import shlex
import subprocess

import pytest
from copies import ROOT

LARGEST_ARGUMENT = 32 * 4096  # MAX_ARG_STRLEN of linux/binfmts.h
N_FILES = 40_000
SHOWS = 'for word in "$@"; do case "$word" in @*) cat "${word#@}" ;; esac; done'


def test_a_study_above_the_limit_of_an_argument_goes_through_snakemake(copy):
    text = "It's long. " * (LARGEST_ARGUMENT // 10)

    def change(config):
        config["studies"]["distillation"]["background"] = config["hypotheses"]["kd-ranks-better"]["statement"] = text

    copy.edit_config(change)
    fake = copy.folder / "fakes/python"
    fake.write_text(f'{fake.read_text()}{{ {SHOWS}; }} > "given-$(basename "$1")"\n')
    assert copy.jobs() == {"test_hypotheses", "render_report"}
    run = copy.snakemake()
    assert run.returncode == 0, (run.stdout + run.stderr)[-2000:]
    for script in ("render_report", "test_hypotheses"):
        given = (copy.folder / f"given-{script}.py").read_text()
        assert len(given) > LARGEST_ARGUMENT and text in given


def shell_line(rule: str, **values: str) -> str:
    """The shell line of a rule, with values in place of what Snakemake knows."""
    rules = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    words = re.search(rf"^rule {rule}:.*?    shell:\n(.*?)\n\n", f"{rules}\n", re.DOTALL | re.MULTILINE)[1]
    plain = re.sub(r'(?m)^( *)f"', r'\1"', words).strip()
    line = ast.literal_eval(f"({plain})")
    return re.sub(r"\{([\w.]+)[^}]*\}", lambda name: values.get(name[1], "none"), line)


@pytest.mark.parametrize(
    ("rule", "field"),
    [("collect_metrics", "input"), ("compare_arms", "input.predictions"), ("plot_figure", "input.metrics")],
)
def test_more_files_than_a_command_line_holds(tmp_path, rule, field):
    """As Snakemake runs a long line: from a file."""
    names = [
        f"results/default/metrics/fashion-mnist-12k/kd-of-temperature-{i}/replicate-10/clean.parquet"
        for i in range(N_FILES)
    ]
    assert given(tmp_path, rule, **{field: " ".join(names)}).split("\n")[:N_FILES] == names


def given(tmp_path, rule: str, **values: str) -> str:
    """What the script of a rule finds in the files that its options name by @."""
    (tmp_path / "line.sh").write_text(shell_line(rule, **values, log="log"))
    (tmp_path / "python").write_text(f"#!/bin/sh\n{SHOWS}\n")
    (tmp_path / "python").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    run = subprocess.run(["bash", "line.sh"], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
    return (tmp_path / "log").read_text()


def test_costs_of_more_jobs_than_an_argument_holds(tmp_path):
    settings = json.dumps({"jobs": [f"predict/fashion-mnist-12k/kd-{i}/replicate-10" for i in range(N_FILES)]})
    assert given(tmp_path, "collect_costs", **{"params.settings": shlex.quote(settings)}) == settings
