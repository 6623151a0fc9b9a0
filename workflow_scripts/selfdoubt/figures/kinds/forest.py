"""A forest plot: every comparison of a study as an interval against its margin, with its verdict."""

from collections.abc import Callable
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from selfdoubt.figures.context import Context
from selfdoubt.figures.formats import difference, metric_of
from selfdoubt.figures.points import read_metrics, with_arms
from selfdoubt.figures.style import ABOVE, BELOW, GREY, INK, PALE, STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, NothingToShow, counted, listed
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.comparisons import COMPARISONS_SCHEMA
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA
from selfdoubt.settings.metrics import OF_NO_ARM, margin, metric

SHOWN_AS = "svg"
COLOURS = {"supported": ABOVE, "refuted": BELOW, "negligible": INK, "inconclusive": GREY}  # and None: exploratory
_MOST = 8.0  # margins that are shown to either side
_IDENTITY = ["better", "than", "metric", "score", "split"]


class Tables(NamedTuple):
    """All comparisons, claims and metrics of a study."""

    comparisons: pd.DataFrame
    hypotheses: pd.DataFrame
    metrics: pd.DataFrame


def read(inputs, settings, context: Context) -> Tables:
    """Read the tables of comparisons and of hypotheses, and the metrics, from which margins are."""
    comparisons = table_files.read_table(inputs.comparisons[0], COMPARISONS_SCHEMA).to_pandas()
    hypotheses = table_files.read_table(inputs.hypotheses[0], HYPOTHESES_SCHEMA).to_pandas()
    return Tables(comparisons, hypotheses, read_metrics(inputs.metrics))


@mpl.rc_context(STYLE)
def draw(data: Tables, settings, context: Context) -> Figure:
    """Draw a row for each comparison: its 95 % interval in units of its margin, better arms to the right.

    Claims come first, with their verdicts, then exploratory comparisons, hollow. Raises NothingToShow without any.
    """
    rows = table(data, settings, context)
    scaled = rows[["low", "difference", "high"]].to_numpy(float)
    sides = np.array([metric(name).better for name in rows["metric"]])
    scaled = np.sort(scaled * (sides / rows["margin"].to_numpy(float))[:, None], axis=1)
    reach = float(np.clip(1.08 * np.abs(scaled).max(), 1.6, _MOST))
    figure = new_figure(settings)
    axes = figure.subplots()
    axes.axvspan(-1, 1, color=PALE, linewidth=0, zorder=0)
    axes.axvline(0, color=GREY, linewidth=0.6, zorder=1)
    for place, (row, ends) in enumerate(zip(rows.to_dict("records"), scaled, strict=True)):
        _interval(axes, place, ends, reach, row)
    axes.set_yticks(range(len(rows)), [_label(row, context) for row in rows.to_dict("records")])
    axes.set(xlim=(-reach, reach), xlabel="difference in units of its margin (right: better)")
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    _numbers(axes, rows)
    _legend(figure, rows)
    n_replicates = int(rows["n_replicates"].max())
    over = "; verdicts over all data sets" if _is_over_several(rows, data.hypotheses) else ""
    shown = f"{settings.dataset}, {context.claims['study']}; 95 % intervals; {counted(n_replicates, 'replicate')}"
    header(figure, f"{shown}{over}")
    return laid_out(figure)


def table(data: Tables, settings, context: Context) -> pd.DataFrame:
    """Return the comparisons, claims first: difference, interval, margin and verdict (none of exploratory ones)."""
    own = data.comparisons
    own = own[(own["study"] == context.claims["study"]) & (own["dataset"] == settings.dataset)]
    own = own[~own["repeats"].astype(bool) & ~own["metric"].isin(OF_NO_ARM)].dropna(subset=["difference", "low"])
    if settings.metrics:
        own = own[own["metric"].isin(settings.metrics)]
    claims = own[own["hypothesis"].notna()]
    reversed_ = claims.rename(columns={"better": "than", "than": "better"})
    known = pd.concat([claims, reversed_]).set_index(_IDENTITY).index
    others = own[own["hypothesis"].isna() & ~own.set_index(_IDENTITY).index.isin(known)] if settings.exploratory else []
    rows = pd.concat([claims, *([others] if len(others) else [])], ignore_index=True)
    rows = rows.assign(
        verdict=pd.Series(_verdicts(rows, data.hypotheses), dtype=object), margin=_margins(rows, data.metrics, context)
    )
    rows = rows[rows["margin"] > 0]
    if rows.empty:
        raise NothingToShow(f"no comparison of {context.claims['study']} has an interval on {settings.dataset}")
    columns = ["hypothesis", *_IDENTITY, "difference", "low", "high", "margin", "verdict", "n_replicates"]
    return rows[columns].reset_index(drop=True)


def _verdicts(rows: pd.DataFrame, hypotheses: pd.DataFrame) -> list[str | None]:
    """Return the verdict of each row's claim; none of what must not be lost, and of exploratory rows."""
    found = {
        (row["hypothesis"], row["metric"], row["score"], row["split"], dataset): row["verdict"].partition(",")[0]
        for row in hypotheses.to_dict("records")
        for dataset in row["dataset"].split(", ")
    }
    keys = zip(*(rows[key] for key in ("hypothesis", "metric", "score", "split", "dataset")), strict=True)
    return [found.get(key) for key in keys]


def _is_over_several(rows: pd.DataFrame, hypotheses: pd.DataFrame) -> bool:
    """Return whether a claim that is shown has one verdict over several data sets."""
    own = hypotheses[hypotheses["hypothesis"].isin(set(rows["hypothesis"].dropna()))]
    return own["dataset"].str.contains(", ", regex=False).any()


def _margins(rows: pd.DataFrame, metrics: pd.DataFrame, context: Context) -> list[float]:
    """Return each row's margin: the claim's own, or that of the metric; nan where neither is known."""
    of_arms = with_arms(metrics).groupby(["dataset", "arm", "metric", "score", "split"])["value"].mean()
    found = []
    for row in rows.to_dict("records"):
        given = context.claims["margins"].get(row["hypothesis"], {})
        if row["metric"] in given:
            found.append(given[row["metric"]])
            continue
        keys = [(row["dataset"], arm, row["metric"], row["score"], row["split"]) for arm in row["than"].split(", ")]
        values = [of_arms[key] for key in keys if key in of_arms.index]
        found.append(margin(row["metric"], float(np.mean(values))) if values else np.nan)
    return found


def _interval(axes: Axes, place: int, ends: np.ndarray, reach: float, row: dict) -> None:
    """Draw one interval with its estimate; an arrow where it goes on beyond the axes."""
    colour, claimed = COLOURS.get(row["verdict"], GREY), pd.notna(row["hypothesis"])
    low, estimate, high = np.clip(ends, -reach, reach)
    axes.plot([low, high], [place, place], color=colour, linewidth=1.6 if claimed else 1, solid_capstyle="butt")
    filled = {"color": colour} if claimed else {"facecolor": "white", "edgecolor": colour, "linewidth": 0.9}
    if estimate == ends[1]:
        axes.scatter(estimate, place, s=18, marker="s", zorder=3, clip_on=False, **filled)
    for end, marker, beyond in ((-reach, "<", ends[0] < -reach), (reach, ">", ends[2] > reach)):
        if beyond:
            axes.scatter(end, place, s=16, marker=marker, color=colour, zorder=3, clip_on=False)


def _label(row: dict, context: Context) -> str:
    better, than = (_arms([context.labels[arm] for arm in row[side].split(", ")]) for side in ("better", "than"))
    split = "" if row["split"] == "test" else f" on {row['split']}"
    kept = " (no loss)" if pd.notna(row["hypothesis"]) and row["verdict"] is None else ""
    return f"{better} − {than}, {metric_of(row['metric']).label}{split}{kept}"


def _arms(labels: list[str]) -> str:
    return listed(labels) if len(labels) < 3 else f"{labels[0]} and {len(labels) - 1} more"


def _numbers(axes: Axes, rows: pd.DataFrame) -> None:
    """Write each difference with its interval and unit right of the axes."""
    for place, row in enumerate(rows.to_dict("records")):
        shown = metric_of(row["metric"])
        texts = [difference(row[key], shown) for key in ("difference", "low", "high")]
        unit = shown.short_unit.replace("×10⁻³", r"$\times10^{-3}$")  # not every type has a raised minus
        text = f"{texts[0]} ({texts[1]} to {texts[2]}) {unit}"
        where = (1, place), (6, 0), ("axes fraction", "data"), "offset points"
        axes.annotate(text, *where, va="center", fontsize=7, parse_math=True)


def _legend(figure: Figure, rows: pd.DataFrame) -> None:
    used = [verdict for verdict in COLOURS if verdict in set(rows["verdict"])]
    marks = [Line2D([], [], color=COLOURS[verdict], marker="s", markersize=4) for verdict in used]
    if rows["hypothesis"].isna().any():
        used.append("exploratory")
        marks.append(Line2D([], [], color=GREY, marker="s", markersize=4, markerfacecolor="white", linewidth=1))
    marks.append(mpl.patches.Patch(color=PALE, linewidth=0))
    figure.legend(marks, [*used, "within the margin"], loc="outside lower center", ncols=len(marks))


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set and replicates."""
    others = "claims with their verdicts, then exploratory comparisons, hollow" if settings.exploratory else "claims"
    return (
        f"Comparisons of arms on {settings.dataset}, {others}: differences with their 95 % intervals, each divided by "
        "its margin, the smallest difference of interest, so that metrics share an axis. To the right the first arm "
        "is better; what lies in the grey band is too small to matter. Arrows: intervals that extend beyond the axis."
        f"{extent.of_several(' Differences are paired by replicate.')}"
    )
