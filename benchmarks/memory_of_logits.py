"""Peak memory of the jobs that read whole tables of logits, on made-up predictions, against what they request.

python benchmarks/memory_of_logits.py 50000 1000 writes tables of so many images, a third of them val, and classes, and
prints a line for each job. Groups are of three members.
Requested is what the rules request for tables of this size, if it is above their least.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import yaml
from memory import SCRIPTS, peak_mb

sys.path.insert(0, str(SCRIPTS))

from selfdoubt.data.datasets import Split
from selfdoubt.evaluation.prediction_tables import write_predictions
from selfdoubt.settings import memory
from selfdoubt.settings.study import load_study

N_MEMBERS = 3
IDENTITY = {"dataset": "made-up", "name": "m0", "role": "baseline", "variant": "clean"}


def write_tables(folder: Path, n: int, n_classes: int) -> list[Path]:
    """Write the predictions of each member."""
    paths, draws = [folder / f"m{i}.parquet" for i in range(N_MEMBERS)], np.random.default_rng(0)
    for path in paths:
        splits, logits = {}, {}
        for name, own in {"val": n // 3, "test": n - n // 3}.items():
            labels = np.random.default_rng(1).integers(0, n_classes, own)
            splits[name] = Split(np.empty((own, 1, 1, 1), np.uint8), labels, np.arange(own))
            logits[name] = draws.standard_normal((own, n_classes), np.float32)
            logits[name][np.arange(own), labels] += 3
        write_predictions(path, splits, logits, metadata={"costs_per_image": {"forwards": 1, "backwards": 0}})
    return paths


def jobs(folder: Path, paths: list[Path], evaluation: dict, config: dict) -> dict[str, tuple[str, dict, dict]]:
    """Return script, settings and options of each job."""
    group = {"dataset": "made-up", "group": "trio", "replicate": 1, "n_members": N_MEMBERS, "protocols": ["p"]}
    claim = {"metric": "aurc", "score": "msp", "split": "test"}
    study = {"name": "s", "reference": "m0", "arms": ["m1", "m2"], "replicates": [1]}
    arms = [{"name": f"m{i}", "replicates": [1]} for i in range(N_MEMBERS)]
    compared = {"dataset": "made-up", "arms": arms, "n_drawn": None, "claims": []}
    compared |= {"studies": [study], "comparisons": [claim], "evaluation": evaluation}
    several = list(map(str, paths))
    guaranteed = {"arms": [IDENTITY | {"replicate": 1}], "guarantees": evaluation["guarantees"]}
    metrics = {"identity": IDENTITY, "evaluation": evaluation}
    found = {
        "compute_metrics": (metrics, {"predictions": paths[0], "output": folder / "o", "replicate": 1}),
        "compare_groups": ({"groups": [group]}, {"predictions": [*several, several[0]], "output": folder / "g"}),
        "compare_arms": (compared, {"predictions": several, "counts": [], "output": folder / "c"}),
        "compute_guarantees": (guaranteed, {"predictions": several[:1], "output": folder / "t"}),
    }
    figure = config["figures"]["risk-coverage"] | {"arms": ["m0"], "dataset": "made-up"}
    shown = {"figure": figure, "labels": {"m0": "m0"}, "looks": {"m0": 0}}
    found["plot_figure"] = (shown, {"predictions": several[:1], "figure": folder / "f.svg"})
    for method in ("mean-probability", "mean-logit", "majority-vote", "most-confident"):
        found[f"combine_members {method}"] = ({"method": method}, {"members": several, "output": folder / "d"})
    return found


def requested_mb(name: str, table_mb: float) -> float:
    """Return what a job requests by its tables."""
    of_group = N_MEMBERS * memory.MEMBER + memory.DECIDING
    reading = ("compute_metrics", "compare_arms", "compute_guarantees")
    of_rule = dict.fromkeys(reading, memory.READING) | {"plot_figure": memory.DRAWING}
    least = memory.FIGURE_MB if name == "plot_figure" else memory.LEAST_MB
    return max(least, memory.TABLE_MB + of_rule.get(name.split()[0], of_group) * table_mb)


def main(n: int, n_classes: int) -> None:
    """Print a line for each job."""
    config = yaml.safe_load((SCRIPTS.parent / "config.yaml").read_text())
    evaluation = json.loads(load_study(config).evaluation.model_dump_json(exclude={"mc_dropout_passes"}))
    with tempfile.TemporaryDirectory() as folder:
        paths = write_tables(Path(folder), n, n_classes)
        for name, (settings, options) in jobs(Path(folder), paths, evaluation, config).items():
            peak, asked = peak_mb(name.split()[0], settings, **options), requested_mb(name, 4 * n * n_classes / 1e6)
            print(f"{n} x {n_classes}: {name} {peak:.0f} MB, requested {asked:.0f}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
