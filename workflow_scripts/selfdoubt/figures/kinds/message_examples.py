"""Single images about which members send messages: what each predicted, what each message did, and the decision."""

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure
from scipy.special import softmax

from selfdoubt.communication import kept_gains
from selfdoubt.data import counts, datasets
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.figures.context import Context
from selfdoubt.figures.pixels import show_image
from selfdoubt.figures.style import ABOVE, BELOW, INK, STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, NothingToShow
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.counts import COUNTS_SCHEMA
from selfdoubt.runtime.schemas.gains import GAINS_SCHEMA
from selfdoubt.settings.class_names import named

SHOWN_AS = "png"
ALL_IN_TURN = "all in turn"  # who sends in a dialogue


@dataclass(frozen=True)
class Exchange:
    """What members predicted and what messages did, of the m images about which messages were sent."""

    members: list[str]
    senders: list[str]  # the members, or of a dialogue ALL_IN_TURN
    class_names: list[str]
    images: np.ndarray  # uint8 (m, C, H, W)
    labels: np.ndarray  # int (m,)
    candidates: np.ndarray  # int (m, 2): the two most probable classes
    clean: np.ndarray  # (M, m, K) probabilities of each member
    decided: np.ndarray  # (m, K) probabilities of the group
    gains: np.ndarray  # (m, 2, S, M) nats; NaN of a member's own message, which counts for nothing

    @property
    def before(self) -> np.ndarray:
        """(m, K) the members' mean probability."""
        return self.clean.mean(0)


def read(inputs, settings, context: Context) -> Exchange:
    """Read the exchange of the first replicate."""
    gains = table_files.read_table(inputs.gains[0], GAINS_SCHEMA)
    protocol = table_files.metadata_of(gains.schema)["settings"]
    members, in_turn = protocol["members"], protocol["method"] == "dialogue"
    arms = len(members) + 1
    first = inputs.predictions[:: len(inputs.predictions) // arms]  # of arms, then replicates
    tests = [predictions_by_split(table_files.read_table(path), path)["test"] for path in first]
    ids = tests[0].image_ids
    kept = kept_gains.from_table(gains, "test", ids)
    split = datasets.read_split(inputs.images[0], "test")
    own = np.flatnonzero(np.isin(split.image_ids, ids[kept.rows]))
    p = [softmax(test.logits[kept.rows].astype(np.float64), axis=1) for test in tests]
    return Exchange(
        members,
        [ALL_IN_TURN] if in_turn else members,
        named(context.source, counts.class_names(table_files.read_table(inputs.counts[0], COUNTS_SCHEMA))),
        split.images[own],
        tests[0].labels[kept.rows],
        kept.candidates,
        np.stack(p[:-1]),
        p[-1],
        kept.gains[:, :, None] if in_turn else of_pairs(kept.gains, len(members)),
    )


def of_pairs(gains: np.ndarray, n: int) -> np.ndarray:
    """Return gains (m, 2, F) of the F = n (n - 1) pairs of n members, by sender and listener: (m, 2, n, n)."""
    placed = np.full((*gains.shape[:2], n, n), np.nan)
    placed[:, :, ~np.eye(n, dtype=bool)] = gains
    return placed


@mpl.rc_context(STYLE)
def draw(data: Exchange, settings, context: Context) -> Figure:
    """Draw a row an image: the image, what members predicted of its two classes, and what messages gained.

    Raises NothingToShow if no message was sent.
    """
    rows = chosen(data, settings.n_images)
    if not len(rows):
        raise NothingToShow("no message was sent: no test image is contested")
    figure = new_figure(settings)
    panels = figure.subplots(len(rows), 3, width_ratios=[1, 2.2, 1.6], squeeze=False)
    limit = float(np.nanmax(np.abs(_advantage(data)[rows]))) or 1.0
    names = {ALL_IN_TURN: ALL_IN_TURN} | {member: context.labels[member] for member in data.members}
    for (image, probabilities, gained), row in zip(panels, rows, strict=True):
        show_image(image, data.images[row] / 255)
        image.set_xlabel(f"true: {data.class_names[data.labels[row]]}", fontsize=7, labelpad=2)
        _draw_probabilities(probabilities, data, row, names)
        _draw_gains(gained, data, row, names, limit)
    label = context.labels[f"{settings.group}/{settings.protocol}"]
    header(figure, f"{settings.dataset}, test, {label}, first replicate; {len(rows)} of {len(data.labels)} images")
    return laid_out(figure)


def table(data: Exchange, settings, context: Context) -> pd.DataFrame:
    """Return image, from 1, true class, class, who predicts (a member, the mean, the group after messages), and p."""
    rows = []
    for image, row in enumerate(chosen(data, settings.n_images), 1):
        known = {"image": image, "true_class": data.class_names[data.labels[row]]}
        probabilities = dict(zip(data.members, data.clean[:, row], strict=True))
        for who, p in (probabilities | {"mean": data.before[row], "after messages": data.decided[row]}).items():
            rows += [known | {"class": data.class_names[c], "by": who, "p": p[c]} for c in data.candidates[row]]
    return pd.DataFrame(rows)


def chosen(data: Exchange, n: int) -> np.ndarray:
    """Return rows: alternately images that messages corrected and ones they made incorrect, then unchanged ones."""
    before, after = data.before.argmax(1), data.decided.argmax(1)
    mended = np.flatnonzero((before != data.labels) & (after == data.labels))
    broken = np.flatnonzero((before == data.labels) & (after != data.labels))
    turns = [row for pair in zip(mended, broken, strict=False) for row in pair]
    shorter = min(len(mended), len(broken))
    changed = [*turns, *mended[shorter:], *broken[shorter:]]
    others = [row for row in range(len(data.labels)) if row not in set(changed)]
    return np.array([*changed, *others][:n], dtype=int)


def _advantage(data: Exchange) -> np.ndarray:
    """Return by how much more the first class gains than the second, (m, S, M) nats."""
    return data.gains[:, 0] - data.gains[:, 1]


def _draw_probabilities(axes: Axes, data: Exchange, row: int, names: dict[str, str]) -> None:
    shown = [(names[member], data.clean[i, row]) for i, member in enumerate(data.members)]
    shown += [("mean", data.before[row]), ("after", data.decided[row])]
    first, second = data.candidates[row]
    for place, (_, p) in enumerate(shown):
        axes.barh(place - 0.18, p[first], height=0.34, color=ABOVE)
        axes.barh(place + 0.18, p[second], height=0.34, color=BELOW)
    axes.set_yticks(range(len(shown)), [name for name, _ in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(0, 1.6)  # the legend stands beside the bars
    axes.set_xticks([0, 0.5, 1])
    axes.axhline(len(data.members) - 0.5, xmax=1 / 1.6, color=INK, linewidth=0.5)
    before, after = (data.class_names[p[row].argmax()] for p in (data.before, data.decided))
    verdict = "correct" if data.decided[row].argmax() == data.labels[row] else "incorrect"
    axes.set_title(f"{before} → {after}: {verdict}", loc="left", fontsize=7.5)
    pair = ((ABOVE, first), (BELOW, second))
    handles = [mpl.patches.Patch(color=colour, label=data.class_names[c]) for colour, c in pair]
    axes.legend(handles=handles, fontsize=7, loc="center right", title="probability of")


def _draw_gains(axes: Axes, data: Exchange, row: int, names: dict[str, str], limit: float) -> None:
    found = _advantage(data)[row]
    colours = LinearSegmentedColormap.from_list("gain", [BELOW, "#ffffff", ABOVE])
    axes.imshow(found, cmap=colours, norm=TwoSlopeNorm(0, -limit, limit), aspect="auto")
    for place, value in np.ndenumerate(found):
        if np.isnan(value):
            continue
        colour = "white" if abs(value) > 0.6 * limit else INK
        axes.text(*place[::-1], f"{value:+.2f}".replace("-", "−"), ha="center", va="center", color=colour)
    axes.set_xticks(range(len(data.members)), [names[name] for name in data.members])
    axes.set_yticks(range(len(data.senders)), [names[name] for name in data.senders])
    first, second = (data.class_names[c] for c in data.candidates[row])
    axes.set_title(f"nats for {first} less {second}", loc="left", fontsize=7.5)
    axes.set_ylabel("sender")


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows."""
    name = label(f"{settings.group}/{settings.protocol}")
    return (
        f"{settings.n_images} test images of {settings.dataset} about which the members of {name} send messages, "
        "alternating between ones that the messages corrected and ones that they made incorrect, as far as there "
        "are any, then ones whose class stayed. Left the image; in the middle the probability of its two most probable "
        "classes by each member, by their mean, and after the messages; right how much more a listener's log "
        "probability of the first class gains by a sender's message for it than that of the second by the message for "
        "the second, or by a dialogue from before it to its end (columns are listeners; blue favours the first)."
    )
