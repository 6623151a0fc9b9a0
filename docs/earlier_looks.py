"""The primary claim of a sequential study at each of its looks, from the numbers of each replicate that are kept.

What is known of earlier looks is their replicates' differences. With s² their variance, the variance of a mean of n of
them is s² / n and a part of the images, of which that at the last look is known. At n of N replicates it is at most
N / n times that (evaluation/contrasts.py), as far as s² is the same, which is what is taken here.
"""

import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow_scripts"))

from selfdoubt.evaluation.contrasts import Contrast
from selfdoubt.evaluation.verdicts import decision
from selfdoubt.figures.points import with_arms
from selfdoubt.figures.texts import NO_BREAK
from selfdoubt.report.formats import p_value
from selfdoubt.report.sentences import difference_text
from selfdoubt.report.verdict_texts import SYMBOLS
from selfdoubt.settings.metrics import metric
from selfdoubt.settings.study import Study

NOTE = (
    "Of earlier looks the numbers of each replicate are kept, but not the part of the images in the variance of their "
    "mean: it is taken as large as that of the last look allows, so their p was about as it stands here, or smaller."
)


def lines_of(study: Study, name: str, hypotheses: pd.DataFrame, metrics: pd.DataFrame) -> list[str]:
    """Return a table of the primary claim of a study at each look; nothing where there was one, or a number is missing.

    hypotheses: HYPOTHESES. metrics: METRICS, as kept.
    """
    own = hypotheses[(hypotheses["study"] == name) & (hypotheses["role"] == "primary")]
    if study.look.get(name, 1) < 2 or len(own) != 1:
        return []
    [row] = own.to_dict("records")
    differences = differences_of(row, metrics)
    if row["n_components"] > 1 or not pd.isna(row["p_no_loss"]) or len(differences) != row["n_replicates"]:
        return []
    level = f"{100 * (1 - row['level']):.3g}{NO_BREAK}%"
    lines = [f"| replicates | difference ({level} interval) | p | p of being within the margin | verdict |"]
    lines.append("|--:|---|--:|--:|---|")
    for n in study.looks[: study.look[name]]:
        lines.append(line_of(row, at_look(row, differences, n)))
    return [*lines, "", NOTE]


def differences_of(row: dict, metrics: pd.DataFrame) -> list[float]:
    """Return the difference of a claim's arms in each replicate, in their order; none where an arm has no numbers."""
    same = metrics
    for key in ("dataset", "metric", "score", "split"):
        same = same[same[key] == row[key]]
    values = with_arms(same).pivot(index="replicate", columns="arm", values="value")
    if not {row["better"], row["than"]} <= {*values}:
        return []
    return (values[row["better"]] - values[row["than"]]).dropna().tolist()


def at_look(row: dict, differences: list[float], n: int) -> Contrast:
    """Return the comparison of the first n replicates. row: of HYPOTHESES, with the error of all of them."""
    n_all, variance = len(differences), row["standard_error"] ** 2
    of_replicates = pd.Series(differences).var() / n_all
    of_images = max(variance - of_replicates, 0.0)
    left = variance**2 / row["degrees_of_freedom"] - of_replicates**2 / (n_all - 1)  # Satterthwaite: of the images
    n_images = round(1 + of_images**2 / left) if left > 0 else 10**9
    return Contrast(tuple(differences[:n]), of_images * n_all / n, of_images * n_all / n, n_images)


def line_of(row: dict, found: Contrast) -> str:
    low, high = found.interval(1 - row["level"])
    shown = difference_text(row | {"difference": found.difference, "low": low, "high": high})
    both = found.p, found.p_within(row["margin"])
    p_values = [p_value(p).removeprefix(f"={NO_BREAK}") for p in both]
    verdict = decision(found.difference * metric(row["metric"]).better <= 0, *both, row["level"])
    return f"| {found.n} | {shown} | {' | '.join(p_values)} | {SYMBOLS[verdict]} {verdict} |"
