"""What training by each mixing took in a finished run, over training on labels alone.

    python benchmarks/mixing_costs.py [RUN]  # of docs/findings/RUN-costs.parquet; docs/mixing.md has that of `mixing`

Medians, over replicates, of the processor time of a job, start and reading of data included, divided by the median of
the baseline `ce` on the same data set. Segmenters are jobs of their own, and counted for no model.
"""

import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from selfdoubt.runtime.schemas.costs import COSTS_SCHEMA  # noqa: E402
from selfdoubt.runtime.table_files import read_table  # noqa: E402

FINDINGS = ROOT / "docs/findings"
REFERENCE = "ce"
TRAINING = ("train_baseline", "train_augmented")


def ratios(costs: pd.DataFrame) -> pd.DataFrame:
    """Return, a row a model and a column a data set, the median processor time over that of REFERENCE."""
    jobs = costs[costs["rule"].isin(TRAINING)]
    keys = jobs["job"].str.split("/", expand=True)
    medians = jobs["cpu_seconds"].groupby([keys[1].rename("model"), keys[0].rename("dataset")]).median().unstack()
    return (medians / medians.loc[REFERENCE]).sort_values(medians.columns[0])


def main() -> None:
    run = sys.argv[1] if len(sys.argv) > 1 else "mixing"
    found = ratios(read_table(FINDINGS / f"{run}-costs.parquet", COSTS_SCHEMA).to_pandas())
    print(f"| model | {' | '.join(found.columns)} |\n|---|{'--:|' * len(found.columns)}")
    for model, row in found.iterrows():
        print(f"| `{model}` | {' | '.join(f'{value:.2f}' for value in row)} |")


if __name__ == "__main__":
    main()
