"""Tables of a run for a paper: LaTeX with booktabs, the numbers and labels those of the page."""

import pandas as pd

from selfdoubt.figures.texts import counted
from selfdoubt.report.comparison_tables import exploratory
from selfdoubt.report.formats import difference, mean_sd, metric_of, number, p_value
from selfdoubt.report.runs.reading import Run, chosen
from selfdoubt.report.sentences import labels_of
from selfdoubt.runtime.errors import UserError

_SPECIAL = {letter: f"\\{letter}" for letter in "&%$#_{}"}
_SPECIAL |= {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\u00a0": "~", "–": "--"}
_MATHS = {"±": r"\pm", "−": "-", "×": r"\times", "↑": r"\uparrow", "↓": r"\downarrow", "<": "<", ">": ">"}
_MATHS |= {"≈": r"\approx", "≤": r"\le", "≥": r"\ge", "Δ": r"\Delta", "⁻": "^{-}"}
_MATHS |= {power: f"^{{{digit}}}" for digit, power in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
_GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma sigma tau"
_MATHS |= {chr(ord("α") + i): f"\\{name}" for i, name in enumerate([*_GREEK.split(), "upsilon", "phi", "chi", "psi"])}
_MATHS |= {"ω": r"\omega"}
_PAIRS = {"⁻³": "$^{-3}$", "⁻⁶": "$^{-6}$"}


def tex(text: str) -> str:
    """Return a text as LaTeX source: special characters escaped; signs, arrows, powers and Greek letters in maths."""
    for pair, written in _PAIRS.items():
        if pair in text:
            return written.join(map(tex, text.split(pair)))
    return "".join(_SPECIAL.get(letter) or (f"${_MATHS[letter]}$" if letter in _MATHS else letter) for letter in text)


def of_arms(run: Run, asked) -> str:
    """Return mean ± deviation over replicates, a row an arm, a column a metric.

    asked: `study`, `dataset`, `arms`, `metrics`, `split`, `score`; None: all, and of a study its reference and arms,
    on test by msp. Raises UserError at what the run does not have.
    """
    split, score = asked.split or "test", asked.score or "msp"
    rows = _by(score, _on(split, _of_dataset(run.metrics, asked)))
    arms = chosen(asked.arms or _arms_of_study(run, asked.study), _once(rows["arm"]), "an arm of this run")
    rows = rows[rows["arm"].isin(arms)]
    metrics = chosen(asked.metrics, _once(rows["metric"]), f"a metric on {split} by {score}")
    lines, several = [], rows["dataset"].nunique() > 1
    for dataset in _once(rows["dataset"]):
        for arm in arms:
            own = rows[(rows["dataset"] == dataset) & (rows["arm"] == arm)]
            cells = [_value(own[own["metric"] == metric], metric) for metric in metrics]
            lines.append([*([tex(dataset)] if several else []), tex(run.arms.marked(arm)), *cells])
    headings = [*(["data set"] if several else []), "", *(tex(metric_of(metric).heading) for metric in metrics)]
    n_replicates = rows.groupby(["dataset", "arm"])["replicate"].nunique()
    note = f"mean ± standard deviation over {_range(n_replicates)} replicates; {split}, score {score}"
    return _table(run, headings, lines, 1 + several, [note, *_reasons(rows[rows["metric"].isin(metrics)])])


def of_differences(run: Run, asked) -> str:
    """Return the comparisons of studies that are in no claim: exploratory. asked: as of `of_verdicts`."""
    rows = _compared(run, exploratory(run.comparisons), asked)
    headings = ["", "", "difference", r"95\,\% interval", "p (Holm)"]
    lines = [[_arms(run, row), _quantity(row), *_size(row)] for row in rows.to_dict("records")]
    note = "paired by replicate; exploratory: not pre-registered"
    return _table(run, *_with_datasets(rows, headings, lines), 2, [note])


def of_comparisons(run: Run, asked) -> str:
    """Return all comparisons: those of claims, with what must not be lost and what repeats them, and exploratory ones.

    asked: as of `of_verdicts`. p is as the table of comparisons has it, corrected where it is one of a family.
    """
    rows = _compared(run, run.comparisons, asked)
    headings = ["", "", "difference", r"95\,\% interval", "p", "p (Holm)", "claim"]
    lines = [
        [_arms(run, row), _quantity(row), *_size(row)[:2], _p(row["p"]), _p(row["p_holm"]), _claim(row)]
        for row in rows.to_dict("records")
    ]
    notes = ["paired by replicate; claim: of which it is a part, exploratory where there is none"]
    if rows["repeats"].any():
        notes.append("(repeats): a claim by another score, or by AUGRC; not tested")
    return _table(run, *_with_datasets(rows, headings, lines), 2, notes)


def of_verdicts(run: Run, asked) -> str:
    """Return the claims of studies with their verdicts.

    asked: as of `of_arms`, None: all; `arms` are those of which a difference is taken, minus another.
    """
    rows = _compared(run, run.hypotheses, asked)
    headings = ["claim", "", "", "difference", r"95\,\% interval", "p (Holm)", "verdict"]
    lines = [
        [tex(row["statement"]), _arms(run, row), _quantity(row), *_size(row), tex(row["verdict"])]
        for row in rows.to_dict("records")
    ]
    note = "of a claim of several comparisons the numbers are those of the weakest"
    return _table(run, *_with_datasets(rows, headings, lines), 3, [note], wide=True)


# ---- rows ----


def _of_dataset(rows: pd.DataFrame, asked) -> pd.DataFrame:
    """Return the rows of the data set, and of claims on several that have it."""
    if not asked.dataset:
        return rows
    chosen([asked.dataset], _names(rows["dataset"]), "a data set here")
    return rows[[asked.dataset in names.split(", ") for names in rows["dataset"]]]


def _on(split: str | None, rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["split"].isin(chosen(split and [split], _once(rows["split"]), "a split here"))]


def _by(score: str | None, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by a score, and those of metrics that take none."""
    return rows[rows["score"].isin([*chosen(score and [score], _once(rows["score"]), "a score here"), "none"])]


def _compared(run: Run, rows: pd.DataFrame, asked) -> pd.DataFrame:
    """Return the comparisons or claims that are asked for: by arm, then by metric, in the order that is given."""
    rows = _by(asked.score, _on(asked.split, _of_study(run, _of_dataset(rows, asked), asked)))
    metrics = chosen(asked.metrics, _once(rows["metric"]), "a metric by which arms are compared")
    rows = rows[rows["metric"].isin(metrics)]
    if asked.metrics:
        rows = rows.sort_values("metric", key=lambda names: names.map(metrics.index), kind="stable")
    if not asked.arms:
        return rows
    arms = chosen(asked.arms, _names(rows["better"]), "an arm that is compared")
    places = [[arms.index(arm) for arm in names.split(", ") if arm in arms] for names in rows["better"]]
    rows = rows.assign(place=[min(each, default=len(arms)) for each in places])
    return rows[rows["place"] < len(arms)].sort_values("place", kind="stable")


def _names(texts: pd.Series) -> list[str]:
    """Return the names of which texts hold several, "a, b"."""
    return _once(name for names in texts for name in names.split(", "))


def _of_study(run: Run, rows: pd.DataFrame, asked) -> pd.DataFrame:
    if asked.study:
        rows = rows[rows["study"].isin(chosen([asked.study], [*(run.settings.get("studies") or {})], "a study here"))]
    if rows.empty:
        raise UserError(f"{run.folder}: nothing of this kind was compared; see its tables")
    return rows


def _arms_of_study(run: Run, study: str | None) -> list[str] | None:
    if study is None:
        return None
    studies = run.settings.get("studies") or {}
    chosen([study], [*studies], "a study here")
    return list(dict.fromkeys([studies[study]["reference"], *studies[study]["arms"]]))


def _with_datasets(rows: pd.DataFrame, headings: list[str], lines: list[list[str]]) -> tuple[list, list]:
    """Return headings and lines with the data set first, where there are several."""
    if rows["dataset"].nunique() < 2:
        return headings, lines
    return ["data set", *headings], [[tex(name), *line] for name, line in zip(rows["dataset"], lines, strict=True)]


# ---- cells ----


def _value(rows: pd.DataFrame, metric: str) -> str:
    values = rows["value"].dropna()
    return tex(" ".join(mean_sd(values, metric_of(metric))).strip()) if len(values) else "--"


def _arms(run: Run, row: dict) -> str:
    """Return "A $-$ B": of which arms it is a difference."""
    return " $-$ ".join(tex(labels_of(row[side], run.arms)) for side in ("better", "than"))


def _quantity(row: dict) -> str:
    metric = metric_of(row["metric"])
    score = "" if row["score"] == "none" else f", {row['score']}"
    split = "" if row["split"] == "test" else f", {row['split']}"
    return tex(f"{metric.label}{score}{split}{f' ({metric.short_unit})' if metric.short_unit else ''}")


def _size(row: dict) -> list[str]:
    """Return difference, interval and corrected p."""
    metric = metric_of(row["metric"])
    if pd.isna(row["difference"]):
        return ["--", "--", "--"]
    interval = f"[{difference(row['low'], metric)}, {difference(row['high'], metric)}]"
    size = tex(difference(row["difference"], metric))
    return [size, "--" if pd.isna(row["low"]) else tex(interval), _p(row["p_holm"])]


def _p(p: float | None) -> str:
    return tex(p_value(p).replace("\u00a0", "").removeprefix("="))


def _claim(row: dict) -> str:
    """Return the claim of which a comparison is a part."""
    return "" if pd.isna(row["hypothesis"]) else tex(f"{row['hypothesis']}{' (repeats)' if row['repeats'] else ''}")


def _range(numbers: pd.Series) -> str:
    least, most = numbers.min(), numbers.max()
    return number(least, 0) if least == most else f"{number(least, 0)} to {number(most, 0)}"


def _reasons(rows: pd.DataFrame) -> list[str]:
    lacking = rows[rows["value"].isna()]
    return [
        f"no {metric} of {arm}: {reason}"
        for (arm, metric, reason), _ in lacking.groupby(["arm", "metric", "reason"], sort=False, dropna=False)
    ]


def _once(values) -> list[str]:
    return list(dict.fromkeys(values))


def _table(run: Run, headings: list[str], lines: list[list[str]], n_words: int, notes: list[str], wide=False) -> str:
    """Return the table, below comments on what it is of. n_words: columns of words; wide: claims take several lines."""
    words = ["p{0.34\\linewidth}" if wide and heading == "claim" else "l" for heading in headings[: n_words + 1]]
    columns = [*words[: len(headings)], *["r"] * (len(headings) - len(words))]
    if headings[-1] in ("verdict", "claim"):
        columns[-1] = "l"
    if not lines:
        raise UserError(f"{run.folder}: nothing is left to show; ask for less")
    rows = [headings, *lines]
    top, *body = [f"{' & '.join(cells)} \\\\" for cells in rows]
    table = [f"\\begin{{tabular}}{{{''.join(columns)}}}", "\\toprule", top, "\\midrule", *body]
    comments = [f"{run.folder.name}, {counted(len(lines), 'row')}; commit {run.commit}", *notes]
    comments = [f"% {' '.join(line.split())}" for line in comments]  # no-break spaces among them
    return "\n".join([*comments, *table, "\\bottomrule", "\\end{tabular}"])
