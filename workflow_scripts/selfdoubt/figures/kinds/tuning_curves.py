"""AURC on val of the candidates of enhancers, along one setting."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from selfdoubt.figures.context import Context, look_at
from selfdoubt.figures.points import aurc, of_arm, read_metrics
from selfdoubt.figures.style import GREY, STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, NothingToShow, counted, listed
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.enhancements import ENHANCEMENTS_SCHEMA

SHOWN_AS = "svg"
NAMES = {"epsilon_255": "ε (1/255)", "eta": "η", "temperature": "T", "l2_penalty": "L2 penalty"}


class Tried(NamedTuple):
    """What was tried, and what it is compared with."""

    enhancements: pd.DataFrame  # rows of that table, with the column arm
    metrics: pd.DataFrame  # rows of the metrics table


def read(inputs, settings, context: Context) -> Tried:
    """Read what was tried for each enhancer, and the metrics of the reference."""
    found = table_files.read_table(inputs.enhancements[0], ENHANCEMENTS_SCHEMA).to_pandas()
    return Tried(found.assign(arm=found["name"] + "/" + found["variant"]), read_metrics(inputs.metrics))


@mpl.rc_context(STYLE)
def draw(data: Tried, settings, context: Context) -> Figure:
    """Draw a panel an arm, a curve for each combination of its other settings: mean and deviation over replicates.

    Raises NothingToShow if no arm has a candidate with an AURC beside the reference's.
    """
    curves, n_replicates = _curves(data, settings)
    figure = new_figure(settings)
    panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for axes, (arm, found) in zip(panels, curves.items(), strict=True):
        _panel(axes, found, settings)
        axes.set_title(context.labels[arm])
    panels[0].set_ylabel(f"AURC ×10³ on val, less that of {context.labels[settings.reference]}")
    header(figure, f"{settings.dataset}, val; score msp; {counted(n_replicates, 'replicate')}, mean and deviation")
    return laid_out(figure)


def table(data: Tried, settings, context: Context) -> pd.DataFrame:
    """Return arm, the other settings, the setting along which it is drawn, and mean and deviation of AURC ×10³ less the
    reference's.
    """
    curves, _ = _curves(data, settings)
    parts = [
        curve.reset_index().rename(columns={"at": settings.along, "std": "sd"}).assign(arm=arm, others=others)
        for arm, found in curves.items()
        for others, curve in found.items()
    ]
    return pd.concat(parts, ignore_index=True)[["arm", "others", settings.along, "mean", "sd"]]


def _curves(data: Tried, settings) -> tuple[dict[str, dict[str, pd.DataFrame]], int]:
    """Return the curves of each arm, and of how many replicates; raises NothingToShow if there are none."""
    own = SimpleNamespace(dataset=settings.dataset, split="val", score="msp")
    reference = of_arm(aurc(data.metrics, own), settings.reference)["value"]
    curves = {arm: curves_of(data.enhancements, arm, settings, reference) for arm in settings.arms}
    curves = {arm: found for arm, found in curves.items() if found}
    if not curves:
        raise NothingToShow(f"no candidate has an AURC beside that of {settings.reference} on {settings.dataset}")
    return curves, len(reference)


def curves_of(enhancements: pd.DataFrame, arm: str, settings, reference: pd.Series) -> dict[str, pd.DataFrame]:
    """Return, by the text of the other settings, the mean and deviation of AURC x10^3 less the reference's.

    reference: AURC x10^3 by replicate. The index of each is the setting `settings.along`.
    """
    rows = enhancements[(enhancements["arm"] == arm) & (enhancements["dataset"] == settings.dataset)]
    points = []
    for replicate, tried in zip(rows["replicate"], rows["tried"], strict=True):
        for candidate in json.loads(tried) if replicate in reference.index else []:
            gain, at = 1000 * candidate.pop("aurc") - reference[replicate], candidate.pop(settings.along)
            others = ", ".join(f"{NAMES.get(key, key.replace('_', ' '))} {value:g}" for key, value in candidate.items())
            points.append((others, at, gain))
    table = pd.DataFrame(points, columns=["others", "at", "gain"]).dropna()
    return {
        others: own.groupby("at")["gain"].agg(["mean", "std"]) for others, own in table.groupby("others", sort=False)
    }


def _panel(axes: Axes, curves: dict[str, pd.DataFrame], settings) -> None:
    for place, (others, curve) in enumerate(curves.items()):
        look, x = look_at(place), curve.index.to_numpy()
        spread = curve["std"].fillna(0).to_numpy()
        axes.fill_between(x, curve["mean"] - spread, curve["mean"] + spread, color=look.colour, alpha=0.15, linewidth=0)
        axes.plot(x, curve["mean"], color=look.colour, marker=look.marker, markersize=3.5, label=others or None)
    axes.axhline(0, color=GREY, linewidth=0.6, zorder=1)
    places = np.unique(np.concatenate([curve.index for curve in curves.values()]))
    if places.min() > 0 and places.max() / places.min() > 10:
        axes.set_xscale("log")
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.minorticks_off()
    axes.set_xlabel(NAMES.get(settings.along, settings.along.replace("_", " ")))
    axes.grid()
    if any(curves):
        axes.legend()


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    what = NAMES.get(settings.along, settings.along.replace("_", " "))
    return (
        f"AURC by msp on val of every candidate of {listed([*map(label, settings.arms)])} along {what}, less that of "
        f"{label(settings.reference)}, on {settings.dataset}; predictions of val are out-of-fold where something is "
        f"fitted. {extent.of_several('Lines are means over replicates, bands ± sd. ')}Lower is better."
    )
