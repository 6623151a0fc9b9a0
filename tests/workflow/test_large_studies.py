"""Studies whose jobs are told more than a command line of Linux holds: 128 kB in one argument, 2 MB in all."""

import ast
import os
import re
import subprocess

import pytest
from copies import ROOT

LARGEST_ARGUMENT = 32 * 4096  # MAX_ARG_STRLEN of linux/binfmts.h
N_FILES = 40_000
SHOWS = 'for word in "$@"; do case "$word" in @*) cat "${word#@}" ;; esac; done'


def test_a_study_above_the_limit_of_an_argument_goes_through_snakemake(copy):
    """Texts, which the report and the hypotheses are told, and names, which the costs are."""
    text, unused = "It's long. " * (LARGEST_ARGUMENT // 10), [f"{'long-' * 10}{i}" for i in range(3000)]

    def change(config):
        config["studies"]["distillation"]["background"] = config["hypotheses"]["kd-ranks-better"]["statement"] = text
        config["ood_sets"] |= dict.fromkeys(unused, config["ood_sets"]["digits"])

    copy.edit_config(change)
    fake = copy.folder / "fakes/python"
    fake.write_text(f'{fake.read_text()}{{ {SHOWS}; }} > "told-$(basename "$1")"\n')
    assert copy.jobs() == {"test_hypotheses", "collect_costs", "render_report"}
    run = copy.snakemake()
    assert run.returncode == 0, (run.stdout + run.stderr)[-2000:]
    for script, expected in {"render_report": text, "test_hypotheses": text, "collect_costs": unused[-1]}.items():
        told = (copy.folder / f"told-{script}.py").read_text()
        assert len(told) > LARGEST_ARGUMENT and expected in told


def shell_line(rule: str, **values: str) -> str:
    """The shell line of a rule, with values in place of what Snakemake knows."""
    rules = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    words = re.search(rf"^rule {rule}:.*?    shell:\n(.*?)\n\n", f"{rules}\n", re.DOTALL | re.MULTILINE)[1]
    line = ast.literal_eval(f"({words.strip()})")
    return re.sub(r"\{([\w.]+)[^}]*\}", lambda name: values.get(name[1], "none"), line)


@pytest.mark.parametrize(
    ("rule", "field"), [("collect_metrics", "input"), ("test_hypotheses", "input"), ("plot_figure", "input.metrics")]
)
def test_more_files_than_a_command_line_holds(tmp_path, rule, field):
    """As Snakemake runs a long line: from a file."""
    names = [
        f"results/default/metrics/fashion-mnist-12k/kd-of-temperature-{i}/replicate-10/clean.parquet"
        for i in range(N_FILES)
    ]
    (tmp_path / "line.sh").write_text(shell_line(rule, **{field: " ".join(names), "log": "log"}))
    (tmp_path / "python").write_text(f"#!/bin/sh\n{SHOWS}\n")
    (tmp_path / "python").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    run = subprocess.run(["bash", "line.sh"], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
    assert (tmp_path / "log").read_text().split("\n")[:N_FILES] == names
