"""Figures: each function takes data and the figure's settings and returns a matplotlib Figure.

Drawn with the object-oriented interface only: pyplot keeps figures and the current axes in global state.
The look does not depend on a user's matplotlibrc, and equal data give equal bytes in every format.
Axes are in percent where a reader thinks in percent; printed AURC is a fraction times 1000.
No t-SNE, no three-dimensional bars, no second y axis: none of them can be read off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox

from selfdoubt.evaluation import calibration, rankings
from selfdoubt.figures.mixing import Runs, SizedRuns, mixed_labels, object_size
from selfdoubt.figures.style import (
    ABOVE,
    BELOW,
    GREY,
    INK,
    PALETTE,
    STYLE,
    Look,
    Looks,
    arm_looks,
    header,
    laid_out,
    mean_sd,
    new_figure,
    replicates_text,
    save,
)
from selfdoubt.runtime.errors import UserError

if TYPE_CHECKING:
    import pandas as pd  # a third of a second in a job; most figures have no need of it

__all__ = ["FIGURES", "EnhancementExamples", "MaskGallery", "Runs", "SizedRuns", "arm_looks", "save"]


@dataclass(frozen=True)
class MaskGallery:
    """Images with what the segmenter learned from, or the truth, and what it says of them."""

    images: np.ndarray  # uint8 (n, C, H, W)
    reference: np.ndarray  # bool (n, H, W)
    predicted: np.ndarray  # bool (n, H, W)
    reference_name: str = "truth"  # or "pseudo-mask"


@dataclass(frozen=True)
class EnhancementExamples:
    """A few images before and after one enhancer."""

    clean: np.ndarray  # uint8 (n, C, H, W)
    enhanced: np.ndarray  # float32 (n, C, H, W) in [0, 1]
    clean_confidence: np.ndarray  # (n,)
    enhanced_confidence: np.ndarray  # (n,)
    epsilon_255: float  # the bound of the perturbation, of 255


@mpl.rc_context(STYLE)
def risk_coverage(data: Runs, settings, looks: Looks | None = None) -> Figure:
    """Draw error among the accepted against the share accepted: mean over replicates in a band of least to most.

    Below, the same less the first arm's curve of the same replicate: curves of one shape hide what tells them apart.
    """
    looks = looks or arm_looks(data)
    figure = new_figure(settings)
    top, bottom = figure.subplots(2, sharex=True, height_ratios=[2.6, 1])
    grid = np.linspace(0.01, 1, 397)  # below 1 % of the images a curve is noise
    risks = {arm: 100 * np.array([_risks_on(grid, *run) for run in replicates]) for arm, replicates in data.items()}
    first = next(iter(data))
    for arm, curves in risks.items():  # curves: (replicates, grid)
        _band(top, 100 * grid, curves, looks[arm])
        _band(bottom, 100 * grid, _paired_differences(curves, risks[first]), looks[arm])
    areas = {arm: mean_sd([1000 * rankings.aurc(*run) for run in replicates], 2) for arm, replicates in data.items()}
    _legend_with_values(top, areas, looks, "AURC ×10³, lower is better")
    top.set(xlim=(0, 100), ylabel="error among the\naccepted (%)")
    top.set_ylim(bottom=0)
    bottom.set(xlabel="coverage: share of images accepted (%)", ylabel=f"difference from\n{first} (points)")
    for axes in (top, bottom):
        axes.grid(axis="y")
    figure.align_ylabels()
    header(figure, _extent(data, settings, f"score {settings.score}; mean over replicates, band from least to most"))
    return laid_out(figure)


@mpl.rc_context(STYLE)
def reliability(data: Runs, settings, looks: Looks | None = None) -> Figure:
    """Draw accuracy against confidence in bins, one panel an arm, over the share of images in each bin.

    Bars pool the replicates; the printed ECE is the mean and standard deviation of each replicate's own.
    """
    looks = looks or arm_looks(data)
    figure = new_figure(settings)
    panels = figure.subplots(2, len(data), sharex=True, sharey="row", squeeze=False, height_ratios=[3.4, 1])
    for (arm, replicates), top, bottom in zip(data.items(), panels[0], panels[1], strict=True):
        _reliability_panel(top, bottom, replicates, settings.n_bins, looks[arm].colour)
        top.set_title(arm, loc="left", fontweight="bold", color=looks[arm].colour)
    panels[0, 0].set_ylabel("accuracy (%)")
    panels[1, 0].set_ylabel("images (%)")
    figure.supxlabel("confidence: largest probability (%)", fontsize=7.5)
    n_replicates = max(len(replicates) for replicates in data.values())
    note = f"{replicates_text(n_replicates)} pooled, ECE: mean ± sd over them; hatched: gap of accuracy and confidence"
    header(figure, _extent(data, settings, note))
    return laid_out(figure)


@mpl.rc_context(STYLE)
def auroc_accuracy(data: pd.DataFrame, settings, looks: Looks | None = None) -> Figure:
    """Draw AUROC of being right against accuracy: every arm's replicates as dots around their mean.

    data: rows of the metrics table, any splits and scores; only those of the settings are drawn.
    """
    points = _accuracy_and_auroc(data, settings)
    if points.empty:
        place = f"{settings.dataset}, split {settings.split}, score {settings.score}"
        raise UserError(f"auroc-accuracy: no arm has accuracy and AUROC on {place}; see `reason` in the metrics table")
    looks = looks or arm_looks(points["arm"])
    figure = new_figure(settings)
    axes = figure.subplots()
    means = points.groupby("arm", sort=False)[["accuracy", "auroc"]].mean()
    for arm, rows in points.groupby("arm", sort=False):
        look, (x, y) = looks[arm], means.loc[arm]
        for replicate_x, replicate_y in rows[["accuracy", "auroc"]].to_numpy():
            axes.plot([x, replicate_x], [y, replicate_y], color=look.colour, linewidth=0.5, alpha=0.35, zorder=2)
        axes.scatter(rows["accuracy"], rows["auroc"], s=7, color=look.colour, alpha=0.5, linewidth=0, zorder=3)
        axes.scatter(x, y, s=30, color=look.colour, marker=look.marker, edgecolor="white", linewidth=0.7, zorder=4)
    axes.set(xlabel="accuracy (%)", ylabel="AUROC of being right (%)")
    axes.margins(0.17, 0.1)
    axes.grid()
    n, n_replicates = int(points["n"].max()), points["replicate"].nunique()
    extent = f"{settings.dataset}, {settings.split}, n = {n:,}"
    header(figure, f"{extent}; score {settings.score}; {replicates_text(n_replicates)}, mean enlarged")
    laid_out(figure)
    _label_points(axes, means, points, looks)
    return figure


@mpl.rc_context(STYLE)
def mask_gallery(data: MaskGallery, settings, looks: Looks | None = None) -> Figure:
    """Draw images, what they are held against, and the segmenter's masks, a column an image."""
    n = min(settings.n_images, len(data.images))
    figure = new_figure(settings, layout="compressed")
    panels = figure.subplots(3, n, squeeze=False)
    for column, image in enumerate(data.images[:n]):
        reference, predicted = data.reference[column], data.predicted[column]
        _show_image(panels[0, column], image / 255)
        _show_overlay(panels[1, column], image / 255, reference, PALETTE[5])
        _show_overlay(panels[2, column], image / 255, predicted, PALETTE[6])
        overlap = (reference & predicted).sum() / max((reference | predicted).sum(), 1)
        panels[2, column].set_xlabel(f"{overlap:.2f}", labelpad=2.5, fontsize=7)
    for axes, name in zip(panels[:, 0], ["image", data.reference_name, "mask"], strict=True):
        axes.set_ylabel(name, rotation=0, ha="right", va="center", labelpad=4)
    text = f"{settings.dataset}, segmenter {settings.segmenter}, n = {n}; below: IoU of mask and {data.reference_name}"
    header(figure, text)
    return laid_out(figure)


@mpl.rc_context(STYLE)
def enhancement_examples(data: dict[str, EnhancementExamples], settings, looks: Looks | None = None) -> Figure:
    """Draw, for each enhancer, images before and after, the magnified step, and the confidence before and after."""
    n = min(settings.n_images, *(len(examples.clean) for examples in data.values()))
    figure = new_figure(settings)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.025, wspace=0, hspace=0)
    groups = figure.subfigures(1, len(data), wspace=0.05, squeeze=False)[0]
    for (enhancer, examples), group in zip(data.items(), groups, strict=True):
        panels = group.subplots(n, 3, squeeze=False)
        factor = _enhancement_group(panels, examples, n)
        for axes, title in zip(panels[0], ["clean", "enhanced", f"step ×{factor}"], strict=True):
            axes.set_title(title, fontsize=7, pad=3)
        budget = f"   ε = {examples.epsilon_255:g}/255" if examples.epsilon_255 > 0 else ""
        group.suptitle(f"{enhancer}{budget}", fontsize=7.5, fontweight="bold")
    shown = f"{settings.dataset}, {settings.model}, replicate {settings.replicate}, n = {n}"
    text = f"{shown}; below: confidence before → after"
    header(figure, text)
    return laid_out(figure)


@mpl.rc_context(STYLE)
def persuasion_matrix(data: pd.DataFrame, settings, looks: Looks | None = None) -> Figure:
    """Draw the mean gain in the listener's log p, sender by listener, of messages for the true and a wrong class.

    data: rows of SCHEMAS["persuasion"] of all replicates, one below the other.
    """
    members = list(dict.fromkeys([*data["sender"], *data["listener"]]))
    limit = float(np.nanmax(np.abs(data["gain"].to_numpy(float)), initial=0)) or 1.0
    figure = new_figure(settings, layout="compressed")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, message in zip(panels, ["true", "wrong"], strict=True):
        rows = data[data["message"] == message]
        picture = _heat_map(axes, *(_by_pair(rows, members, how) for how in ("mean", "std")), limit)
        n = _largest(rows.groupby("listener")["n"].sum())  # a message has a row for each listener, of whom one will do
        n_replicates = _largest(rows.groupby(["sender", "listener"]).size())
        name = "the true class" if message == "true" else "a wrong class"
        axes.set_title(f"message for {name}\nn = {n:,} messages, {replicates_text(n_replicates)}", loc="left")
        axes.set_xlabel("listener")
    panels[0].set_ylabel("sender")
    bar = figure.colorbar(picture, ax=panels, shrink=0.85, pad=0.02)
    bar.outline.set_visible(False)
    bar.set_label("mean gain in the listener's log p (nats)")
    header(figure, f"{settings.dataset}, test, {settings.group}/{settings.protocol}; contested images only")
    return laid_out(figure)


def _by_pair(rows: pd.DataFrame, members: list[str], how: str) -> pd.DataFrame:
    """Return the gains' mean or standard deviation over replicates, senders by listeners."""
    pairs = rows.pivot_table(index="sender", columns="listener", values="gain", aggfunc=how)
    return pairs.reindex(index=members, columns=members)


def _largest(numbers: pd.Series) -> int:
    return int(numbers.max()) if len(numbers) else 0


def _extent(data: Runs, settings, note: str) -> str:
    sizes = sorted({len(confidence) for replicates in data.values() for confidence, _ in replicates})
    return f"{settings.dataset}, {settings.split}, n = {' or '.join(f'{size:,}' for size in sizes)}; {note}"


def _risks_on(grid: np.ndarray, confidence: np.ndarray, correct: np.ndarray) -> np.ndarray:
    coverage, risk = rankings.risk_coverage_curve(confidence, correct)
    return np.interp(grid, coverage, risk)


def _paired_differences(curves: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(replicates, grid) less the first arm's of the same replicate; an arm of one stands against every one."""
    n = len(curves) if 1 in (len(curves), len(first)) else min(len(curves), len(first))
    return curves[:n] - first[:n]


def _band(axes: Axes, x: np.ndarray, curves: np.ndarray, look: Look) -> None:
    axes.fill_between(x, curves.min(0), curves.max(0), color=look.colour, alpha=0.16, linewidth=0)
    axes.plot(x, curves.mean(0), color=look.colour, linestyle=look.dashes)


def _legend_with_values(axes: Axes, values: dict[str, str], looks: Looks, title: str) -> None:
    """Draw a legend of two aligned columns: arms, and a text each."""
    lines = [Line2D([], [], color=looks[arm].colour, linestyle=looks[arm].dashes) for arm in values]
    blanks = [Line2D([], [], linestyle="none") for _ in values]
    box = {"frameon": True, "framealpha": 0.9, "edgecolor": "none", "columnspacing": -0.6, "alignment": "left"}
    axes.legend([*lines, *blanks], [*values, *values.values()], ncols=2, loc="upper left", title=title, **box)


def _reliability_panel(top: Axes, bottom: Axes, replicates: list, n_bins: int, colour: str) -> None:
    pooled = [np.concatenate(parts) for parts in zip(*replicates, strict=True)]
    confidence, accuracy, share = (100 * np.asarray(part) for part in calibration.reliability_bins(*pooled, n_bins))
    width = 100 / n_bins
    centres, full = (np.arange(n_bins) + 0.5) * width, share > 0
    gap = {"fill": False, "edgecolor": INK, "alpha": 0.45, "hatch": "/////", "linewidth": 0.4}
    top.bar(centres[full], accuracy[full], width * 0.94, color=colour, alpha=0.85)
    top.bar(centres[full], (confidence - accuracy)[full], width * 0.94, bottom=accuracy[full], **gap)
    top.plot([0, 100], [0, 100], color=INK, linewidth=0.7, linestyle=(0, (3, 2)))
    errors = [calibration.ece(*run, n_bins) for run in replicates]
    top.text(0.04, 0.95, f"ECE {mean_sd(errors, 4, '')}", transform=top.transAxes, va="top", fontsize=7)
    top.set(xlim=(0, 100), ylim=(0, 100), xticks=[0, 25, 50, 75, 100])
    bottom.bar(centres, share, width * 0.94, color=GREY, alpha=0.55)
    for axes in (top, bottom):
        axes.grid(axis="y")


def _accuracy_and_auroc(table: pd.DataFrame, settings) -> pd.DataFrame:
    """Return arm, replicate, accuracy, auroc (percent) and n, for each arm and replicate that has both."""
    rows = table[(table["dataset"] == settings.dataset) & (table["split"] == settings.split)]
    rows = rows.assign(arm=rows["name"].where(rows["variant"] == "clean", rows["name"] + "/" + rows["variant"]))
    accuracy = rows[rows["metric"] == "accuracy"].rename(columns={"value": "accuracy"})
    auroc = rows[(rows["metric"] == "auroc") & (rows["score"] == settings.score)].rename(columns={"value": "auroc"})
    both = accuracy[["arm", "replicate", "n", "accuracy"]].merge(
        auroc[["arm", "replicate", "auroc"]], on=["arm", "replicate"]
    )
    both[["accuracy", "auroc"]] *= 100
    return both.dropna(subset=["accuracy", "auroc"])


def _label_points(axes: Axes, means: pd.DataFrame, points: pd.DataFrame, looks: Looks) -> None:
    """Write each arm's name beside its mean, at the nearest of many places that hides least."""
    axes.autoscale(False)  # a line to a label must not move what the labels were placed by
    centres = axes.transData.transform(means.to_numpy())
    dots = axes.transData.transform(points[["accuracy", "auroc"]].to_numpy())
    texts = [axes.text(0, 0, arm, fontsize=7, color=looks[arm].colour, ha="center", va="center") for arm in means.index]
    places = [_places(text.get_window_extent(), centre) for text, centre in zip(texts, centres, strict=True)]
    taken = np.full((len(texts), 4), np.inf)
    for _ in range(4):  # the first labels move again once they know of the last
        for i, boxes in enumerate(places):
            cost = _costs(boxes, centres[i], np.delete(taken, i, axis=0), centres, dots) + _outside(boxes, axes.bbox)
            taken[i] = boxes[cost.argmin()]
    to_data = axes.transData.inverted().transform
    for text, box, centre in zip(texts, taken, centres, strict=True):
        text.set_position(to_data((box[:2] + box[2:]) / 2))
        near = np.clip(centre, box[:2], box[2:])
        if np.hypot(*(near - centre)) > 9:  # far enough from its point to need a line
            axes.plot(*to_data([centre, near]).T, color=text.get_color(), linewidth=0.5, zorder=1)


def _places(box: Bbox, centre: np.ndarray) -> np.ndarray:
    """Return boxes of the text's size around `centre`, nearest first: (96, 4) of x0, y0, x1, y1 in pixels."""
    half = np.array([box.width, box.height]) / 2
    angles = np.deg2rad([0, 180, 90, 270, 45, 315, 135, 225, 22, 338, 158, 202])
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)  # (12, 2)
    distances = np.array([7, 11, 16, 22, 29, 37, 47, 59])[:, None, None]
    middles = (centre + directions * (distances + half)).reshape(-1, 2)
    return np.concatenate([middles - half, middles + half], axis=1)


def _costs(boxes: np.ndarray, own: np.ndarray, taken: np.ndarray, means: np.ndarray, dots: np.ndarray) -> np.ndarray:
    """Count what a label in each box would hide: other labels most, then means, dots; and how far it is."""
    apart = (boxes[:, None, :2] - 2 > taken[:, 2:]) | (boxes[:, None, 2:] + 2 < taken[:, :2])  # (96, labels, 2)
    labels = (~apart.any(-1)).sum(-1)
    distance = np.hypot(*(np.clip(own, boxes[:, :2], boxes[:, 2:]) - own).T)
    return 10_000 * labels + 400 * _hidden(means, boxes, 4.5) + 15 * _hidden(dots, boxes, 2) + distance


def _hidden(points: np.ndarray, boxes: np.ndarray, margin: float) -> np.ndarray:
    inside = (points > boxes[:, None, :2] - margin) & (points < boxes[:, None, 2:] + margin)  # (96, points, 2)
    return inside.all(-1).sum(-1)


def _outside(boxes: np.ndarray, frame: Bbox) -> np.ndarray:
    return 10_000 * ((boxes[:, :2] < frame.min + 2) | (boxes[:, 2:] > frame.max - 2)).any(-1)


def _bare(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _show_image(axes: Axes, image: np.ndarray) -> None:
    """Show (C, H, W) in [0, 1]; one channel as grey."""
    picture = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
    axes.imshow(np.clip(picture, 0, 1), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    _bare(axes)


def _show_overlay(axes: Axes, image: np.ndarray, mask: np.ndarray, colour: str) -> None:
    tint = np.array(to_rgb(colour))[:, None, None]
    grey = np.broadcast_to(0.75 * image.mean(0), (3, *mask.shape))
    _show_image(axes, np.where(mask, 0.5 * grey + 0.5 * tint, grey))


def _enhancement_group(panels: np.ndarray, examples: EnhancementExamples, n: int) -> int:
    """Fill rows of clean, enhanced, step; return how much the step is magnified (ε fills the range around grey)."""
    factor = int(127.5 / examples.epsilon_255) if examples.epsilon_255 > 0 else 1
    for i, (clean, enhanced, step) in enumerate(panels):
        before, after = examples.clean[i] / 255, examples.enhanced[i]
        _show_image(clean, before)
        _show_image(enhanced, after)
        _show_image(step, 0.5 + factor * (after - before))
        change = f"{examples.clean_confidence[i]:.3f} → {examples.enhanced_confidence[i]:.3f}"
        enhanced.set_xlabel(change, fontsize=7, labelpad=2)
    return factor


def _heat_map(axes: Axes, gains: pd.DataFrame, spreads: pd.DataFrame, limit: float):
    """Draw one matrix with its numbers and their spreads; white is 0, so that the sign shows in the colour."""
    colours = LinearSegmentedColormap.from_list("gain", [BELOW, "#ffffff", ABOVE])
    values = gains.to_numpy(float)
    picture = axes.imshow(values, cmap=colours, norm=TwoSlopeNorm(0, -limit, limit))
    for (row, column), value in np.ndenumerate(values):
        spread = spreads.to_numpy(float)[row, column]
        text = "–" if np.isnan(value) else f"{value:+.2f}".replace("-", "−")
        text += "" if np.isnan(spread) else f"\n± {spread:.2f}"
        axes.text(column, row, text, ha="center", va="center", color="white" if abs(value) > 0.6 * limit else INK)
    slant = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if max(map(len, gains.columns)) > 9 else {}
    axes.set_xticks(range(len(gains)), gains.columns, **slant)
    axes.set_yticks(range(len(gains)), gains.index)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return picture


FIGURES = {
    "risk-coverage": risk_coverage,
    "reliability": reliability,
    "auroc-accuracy": auroc_accuracy,
    "mask-gallery": mask_gallery,
    "enhancement-examples": enhancement_examples,
    "persuasion-matrix": persuasion_matrix,
    "mixed-labels": mixed_labels,
    "object-size": object_size,
}
