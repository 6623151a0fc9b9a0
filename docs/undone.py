"""How much of the rise in AURC that an attack causes is undone, from the kept tables of a study.

python docs/undone.py RUN CLEAN ATTACKED ARM ... reads docs/findings/RUN-metrics.parquet and prints, for each data set
and arm, the AURC by msp on test of CLEAN, ATTACKED and the arm, means over replicates; the percentage that the figure
kind attack-recovery draws, and the least of a replicate; and by how much the arm's AURC is below the half way from
ATTACKED to CLEAN, with the 95 % interval by t over replicates, for frozen models.
"""

import sys
from pathlib import Path

import pandas as pd
from scipy.stats import sem, t

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent / "workflow_scripts"))

from selfdoubt.figures.kinds.attack_recovery import recovered  # noqa: E402
from selfdoubt.figures.points import with_arms  # noqa: E402


def print_undone(run: str, clean: str, attacked: str, arms: list[str]) -> None:
    kept = with_arms(pd.read_parquet(DOCS / f"findings/{run}-metrics.parquet"))
    table = kept.query("metric == 'aurc' and score == 'msp' and split == 'test'")
    print(
        "| data set | arm | AURC × 10³: clean | attacked | arm | undone, % | least of a replicate | below half, × 10³ |"
    )
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for dataset, points in table.groupby("dataset"):
        of_replicates = points.pivot(index="replicate", columns="arm", values="value")
        means = of_replicates.mean()
        for arm in arms:
            whole, of_each = recovered(points, arm, clean, attacked)
            numbers = [f"{1000 * means[each]:.1f}" for each in (clean, attacked, arm)]
            below = 1000 * ((of_replicates[clean] + of_replicates[attacked]) / 2 - of_replicates[arm])
            low, high = t.interval(0.95, len(below) - 1, below.mean(), sem(below))
            numbers += [f"{whole:.0f}", f"{of_each.min():.0f}", f"{below.mean():.1f} ({low:.1f} to {high:.1f})"]
            print(f"| {dataset} | `{arm}` |", " | ".join(numbers), "|")


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    print_undone(*sys.argv[1:4], sys.argv[4:])
