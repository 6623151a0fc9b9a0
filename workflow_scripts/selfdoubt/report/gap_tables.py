"""Tables of gaps to a perfect ordering, and what they come from."""

from collections.abc import Sequence

import pandas as pd

from selfdoubt.figures.points import with_arms
from selfdoubt.figures.texts import NO_BREAK, listed
from selfdoubt.report.arms import BY_NAME, Arms
from selfdoubt.report.tables import Table, mean_cell

SCORE = "msp"
_GAP = {"gap": f"gap{NO_BREAK}↓"}  # part -> heading
_PARTS = {
    "noise": "label noise",
    "approximation": "approximation",
    "ranking": "ranking",
    "rest": "rest",
    "rest-deviation": "sd of rest",
}
_MENDED = {"mended-by-temperature": "temperature", "mended-by-logits": "logits", "mended-by-people": "people"}


def gap_tables(gaps: pd.DataFrame, arms: Sequence[str], names: Arms = BY_NAME) -> list[Table]:
    """Return a table for each data set with a row for each arm that has rows, in the order of `arms`.

    gaps: GAPS. Means over replicates, times 1000, and gaps at single coverages in points. What is not known of any arm
    has no column but a sentence.
    """
    if gaps.empty:
        return []
    rows = with_arms(gaps[gaps["score"] == SCORE])
    rows = rows[rows["arm"].isin(arms)]
    return [_table(dataset, own, arms, names) for dataset, own in rows.groupby("dataset")]


def _table(dataset: str, rows: pd.DataFrame, arms: Sequence[str], names: Arms) -> Table:
    coverages, known = sorted(rows["coverage_percent"].dropna().unique()), set(rows[rows["value"].notna()]["part"])
    kept = [{part: text for part, text in group.items() if part in known} for group in (_PARTS, _MENDED)]
    columns = {**_GAP, **kept[0], **kept[1]}
    table = Table(_caption(dataset, rows, kept), [*columns.values(), *(f"{c:g}{NO_BREAK}%" for c in coverages)], "arm")
    spans = (("", 1), ("parts, if labels were drawn from people's", len(kept[0])))
    spans += (("mended by an order by", len(kept[1])), ("gap at coverage, points", len(coverages)))
    table.groups = [(text, n) for text, n in spans if n]
    notes: dict[str, str] = {}
    for arm in [arm for arm in dict.fromkeys(arms) if arm in set(rows["arm"])]:
        own = rows[rows["arm"] == arm]
        mean, gap = own[own["coverage_percent"].isna()], own[own["part"] == "gap"]
        cells = [mean_cell(mean[mean["part"] == part], 2, notes, 1000) for part in columns]
        cells += [mean_cell(gap[gap["coverage_percent"] == coverage], 2, notes, 100) for coverage in coverages]
        table.rows.append((names.marked(arm), cells))
    table.notes = [(letter, reason) for reason, letter in notes.items()]
    table.caption += names.note(arms)
    return table


def _caption(dataset: str, rows: pd.DataFrame, kept: list[dict[str, str]]) -> str:
    replicates, sizes = rows["replicate"].nunique(), sorted(rows["n"].unique())
    spread = f"mean ± standard deviation over {replicates} replicates" if replicates > 1 else "one replicate"
    images = f"n = {sizes[0]:,}" + (f" to {sizes[-1]:,}" if len(sizes) > 1 else "")
    texts = [
        f"Gaps to a perfect ordering of the same predictions on {dataset}, test ({images} images), by {SCORE}, times "
        f"10³, as means over all coverages (the gap is the e-AURC); {spread}."
    ]
    if kept[0]:
        texts.append(
            "Parts add up to the gap. Label noise: that of the Bayes classifier of people's labels in its best order. "
            "Approximation: what the predictions add in their best order. Ranking: what the score loses against that "
            "order. Rest: the labels of the data set against those of people, and its standard deviation if they were "
            "drawn from these."
        )
    if "mended-by-people" in kept[1]:
        texts.append("What an order by the fraction of people who agree mends is ranking on the labels as they are.")
    texts.append(
        f"Mended: what another order of the same images gains over {SCORE}: {SCORE} at the temperature of val, or a "
        "model of correctness on logits that was fitted on val."
    )
    missing = rows[rows["part"].isin([*_PARTS, *_MENDED]) & ~rows["part"].isin([*kept[0], *kept[1]])]
    if reasons := list(dict.fromkeys(missing["reason"].dropna())):
        texts.append(f"Not shown: {listed(list(dict.fromkeys(missing['part'])))} ({'; '.join(reasons)}).")
    return " ".join(texts)
