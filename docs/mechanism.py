"""How students follow their teachers, and where their gains lie: python docs/mechanism.py RUN [results/FOLDER [SPLIT]]

Prints, from docs/findings/RUN-metrics.parquet, the AURC by msp on test of each arm, that of a perfect ordering of the
same errors, and the gap between both, means over replicates. Of a folder of results it prints, on a split, val unless
named, how much each student agrees with its teacher, and how much lower its error rate and higher its confidence is
than the reference's, by the entropy of the teacher (tables/fidelity.parquet).
"""

import sys
from pathlib import Path

import pandas as pd

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent / "workflow_scripts"))

from selfdoubt.evaluation.oracle_gap import upper_bound  # noqa: E402
from selfdoubt.figures.points import with_arms  # noqa: E402
from selfdoubt.runtime.schemas.fidelity import FIDELITY_SCHEMA  # noqa: E402
from selfdoubt.runtime.table_files import read_table  # noqa: E402

AGREEMENT = ("agreement", "kl", "confidence-correlation", "confidence-correlation-both-correct")
THIRDS = {"1 to 3": (1, 3), "4 to 7": (4, 7), "8 to 10": (8, 10)}  # deciles of the teacher's entropy, 1 the lowest


def print_gaps(run: str) -> None:
    kept = with_arms(pd.read_parquet(DOCS / f"findings/{run}-metrics.parquet")).query("split == 'test'")
    of = {metric: kept.query(f"metric == '{metric}'") for metric in ("accuracy", "aurc")}
    keys = ["dataset", "arm", "replicate"]
    joined = of["accuracy"].merge(of["aurc"].query("score == 'msp'"), on=keys, suffixes=("", "_aurc"))
    joined["perfect"] = [1 - upper_bound(value, n).mean() for value, n in zip(joined.value, joined.n, strict=True)]
    print("| data set | arm | accuracy, % | AURC × 10³ | of a perfect ordering | gap |\n|---|---|--:|--:|--:|--:|")
    for (dataset, arm), rows in joined.groupby(["dataset", "arm"]):
        least = 1000 * rows.perfect.mean()
        whole = 1000 * rows.value_aurc.mean()
        print(
            f"| {dataset} | {arm} | {100 * rows.value.mean():.2f} | {whole:.1f} | {least:.1f} | {whole - least:.1f} |"
        )


def print_agreement(table: pd.DataFrame) -> None:
    means = table[table.reference.isna() & table.decile.isna()]
    means = means.groupby(["dataset", "student", "quantity"]).value.mean().unstack()[list(AGREEMENT)]
    print("\n| data set | student | agreement, % | KL, nats | correlation of confidence | where both are correct |")
    print("|---|---|--:|--:|--:|--:|")
    for (dataset, student), (agreement, *others) in means.iterrows():
        print(f"| {dataset} | {student} | {100 * agreement:.1f} |", " | ".join(f"{value:.3f}" for value in others), "|")


def print_thirds(table: pd.DataFrame) -> None:
    rows = table[table.reference.notna() & table.decile.notna()]
    columns = [("error", third) for third in THIRDS]
    columns += [("confidence-correct", "8 to 10"), ("confidence-incorrect", "8 to 10")]
    head = [f"{quantity.replace('-', ', ')}: {third}" for quantity, third in columns]
    print(f"\n| data set | student less {rows.reference.unique()[0]}, points |", " | ".join(head), "|")
    print("|---|---|" + "--:|" * len(head))
    for (dataset, student), own in rows.groupby(["dataset", "student"]):
        parts = [own[(own.quantity == name) & own.decile.between(*THIRDS[third])] for name, third in columns]
        print(f"| {dataset} | {student} |", " | ".join(f"{100 * part.value.mean():+.1f}" for part in parts), "|")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3, 4):
        sys.exit(__doc__)
    print_gaps(sys.argv[1])
    if len(sys.argv) > 2:
        table = read_table(Path(sys.argv[2]) / "tables/fidelity.parquet", FIDELITY_SCHEMA).to_pandas()
        table = table[table["split"] == (sys.argv[3] if len(sys.argv) > 3 else "val")]
        print_agreement(table)
        print_thirds(table)
