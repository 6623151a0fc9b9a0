"""Figures on the page, each with its caption."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pandas as pd

from selfdoubt.figures.numbers import PLACES
from selfdoubt.figures.texts import NO_BREAK, Extent, counted
from selfdoubt.report.arms import Arms
from selfdoubt.report.inputs import ReportData
from selfdoubt.report.numbers import Column, Numbers, find, key_of
from selfdoubt.runtime import methods
from selfdoubt.runtime.cli import parse_settings
from selfdoubt.runtime.errors import UserError

TYPES = {"svg": "image/svg+xml", "png": "image/png"}
ENDS = {"svg": (b"<", b"</svg>"), "pdf": (b"%PDF-", b"%%EOF"), "png": (b"\x89PNG", b"IEND\xaeB`\x82")}


@dataclass(frozen=True)
class PlacedFigure:
    """A figure ready for the template."""

    name: str
    caption: str
    uri: str
    width_mm: float
    height_mm: float
    csv: str  # a data URI of what it shows; "" where there is none
    points: list["Point"]


@dataclass(frozen=True)
class Point:
    """A point of a figure that shows its numbers where a pointer or the keyboard is on it."""

    left: float  # percent of the figure's width
    top: float
    text: str
    arm: str
    key: tuple | None  # of its number in the table of metrics


def figures_of(data: ReportData, numbers: Numbers, study: str | None) -> list[PlacedFigure]:
    """Return the figures of one study; of None, those that name no study of the config."""
    known = data.settings.get("studies") or {}
    placed = []
    for name, figure in data.figures.items():
        settings = figure["settings"]
        own = settings.get("study") if settings.get("study") in known else None
        if own == study:
            kind = methods.load("figures.kinds", settings["kind"])
            text = kind.caption(parse_settings(json.dumps(settings)), data.arms.label, _extent(settings, numbers))
            text += data.arms.note(figure.get("upper_bounds", ()))
            csv, points = _numbers(figure, kind, data.arms, numbers)
            size = map(settings["style"].get, _SIZE)
            placed.append(PlacedFigure(name, text, _uri(figure, kind), *size, csv, points))
    return placed


_SIZE = ("width_mm", "height_mm")


def _extent(settings: dict, numbers: Numbers) -> Extent:
    """Return "fashion-mnist-12k, test (n = 10,000 images, 3 replicates)", or that part of it which is known."""
    dataset, split = settings["dataset"], settings.get("split")
    of_group = [f"{settings['group']}/{settings['protocol']}"] if settings.get("protocol") else None
    arms = settings.get("arms") or of_group or {arm for where, arm, *_ in numbers if where == dataset}
    column = Column("accuracy", split=split or "test")
    found = [value for arm in arms for value in find(numbers, dataset, arm, column)]
    n_replicates = len({value.replicate for value in found})
    if split is None or not found:
        return Extent(dataset if split is None else f"{dataset}, {split}", n_replicates)
    images = counted(max(value.n for value in found), "image")
    return Extent(f"{dataset}, {split} (n = {images}, {counted(n_replicates, 'replicate')})", n_replicates)


def _numbers(figure: dict, kind: ModuleType, names: Arms, numbers: Numbers) -> tuple[str, list[Point]]:
    """Return what a figure shows as a data URI of comma-separated values, and its points, where its kind names them."""
    if "csv" not in figure:
        return "", []
    table, points = pd.read_csv(figure["csv"]), []
    if {*PLACES} <= {*table}:
        points = [_point(row, figure["settings"], kind, names, numbers) for row in table.to_dict("records")]
        table = table.drop(columns=PLACES)
    content = table.to_csv(index=False, float_format="%.10g", lineterminator="\n").encode()
    return f"data:text/csv;base64,{base64.b64encode(content).decode()}", points


def _point(row: dict, settings: dict, kind: ModuleType, names: Arms, numbers: Numbers) -> Point:
    """Return a point with its arm, replicate and values; it leads to the number of its arm that its kind names."""
    which = "mean" if row["replicate"] == "mean" else f"replicate {row['replicate']}"
    values = ", ".join(text.format(row[name]) for name, text in kind.POINTS.items())
    values = values.replace(" %", f"{NO_BREAK}%").replace(" ×", f"{NO_BREAK}×").replace("-", "−")
    column = Column(kind.METRIC, settings["score"], settings["split"])
    key = key_of(numbers, settings["dataset"], row["arm"], column)
    places = (row[place] for place in PLACES)
    return Point(*places, f"{names.label(row['arm'])}, {which}: {values}", row["arm"], key)


def _uri(figure: dict, kind: ModuleType) -> str:
    """Return the format that the page shows; all are checked, since nothing else reads them."""
    given = {suffix: figure[suffix] for suffix in ENDS if suffix in figure}
    contents = {suffix: it if isinstance(it, bytes) else _whole(Path(it), suffix) for suffix, it in given.items()}
    return f"data:{TYPES[kind.SHOWN_AS]};base64,{base64.b64encode(contents[kind.SHOWN_AS]).decode()}"


def _whole(path: Path, kind: str) -> bytes:
    """Return a picture; raises UserError if it is truncated."""
    content, (start, end) = path.read_bytes(), ENDS[kind]
    if not (content.startswith(start) and content.rstrip().endswith(end)):
        raise UserError(f"{path}: not a whole {kind} file; delete it and run again")
    return content
