"""The page: what goes into the template, in the order in which a reader meets it."""

import base64
from dataclasses import dataclass
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from selfdoubt.report.answers import Answer, answers_of, headline
from selfdoubt.report.captions import caption
from selfdoubt.report.data import ReportData
from selfdoubt.report.decisions import decision_tables
from selfdoubt.report.details import comparison_table, cost_table, counts_table, mask_table, missing_table
from selfdoubt.report.enhancements import enhancement_table
from selfdoubt.report.formats import bounds_text, metric_of
from selfdoubt.report.numbers import Numbers, arm_order, numbers_of, with_arms
from selfdoubt.report.tables import Table, corruption_table, main_columns, numbers_table, score_columns
from selfdoubt.runtime.errors import UserError

FOLDER = Path(__file__).parent
PICTURES = ("mask-gallery", "enhancement-examples")  # made of pixels: smaller and truer as PNG
TYPES = {"svg": "image/svg+xml", "png": "image/png"}
BOUNDS = {"svg": (b"<", b"</svg>"), "pdf": (b"%PDF-", b"%%EOF"), "png": (b"\x89PNG", b"IEND\xaeB`\x82")}


@dataclass(frozen=True)
class PlacedFigure:
    """A figure ready for the template."""

    name: str
    caption: str
    uri: str
    width_mm: float
    height_mm: float


@dataclass(frozen=True)
class StudySection:
    """One study, ready for the template."""

    name: str
    text: dict  # title, question, background, protocol, threats
    answers: list[Answer]
    arms: list[tuple[str, str]]  # arm, what it is
    figures: list[PlacedFigure]
    tables: list[Table]
    enhancements: Table | None
    comparisons: Table | None


def render(data: ReportData) -> str:
    """Return the page as HTML: one file, without scripts, that loads nothing."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    metrics = with_arms(data.metrics)
    numbers = numbers_of(metrics)
    return environment.get_template("template.html.j2").render(
        style=Markup((FOLDER / "style.css").read_text()),  # our own file, free of markup
        headline=headline(metrics, data.hypotheses),
        studies=[_study(name, data, numbers) for name in data.settings.get("studies") or {}],
        loose_figures=_figures(data, numbers, None),
        tables=_all_tables(data, numbers, arm_order(metrics, data.settings)),
        costs=cost_table(data.costs),
        missing=missing_table(metrics),
        settings=yaml.safe_dump(data.settings, sort_keys=False, allow_unicode=True, width=100),
        commit=data.provenance.get("commit"),
        versions=data.provenance.get("versions") or {},
        further={key: value for key, value in data.provenance.items() if key not in ("commit", "versions")},
    )


def _study(name: str, data: ReportData, numbers: Numbers) -> StudySection:
    text = data.settings["studies"][name]
    claims = data.hypotheses[data.hypotheses["study"] == name]
    arms = list(dict.fromkeys([text["reference"], *text["arms"], *claims["better"], *claims["than"]]))
    tables = [
        numbers_table(
            numbers,
            dataset,
            arms,
            main_columns(data.settings, dataset),
            f"On {dataset}, the reference first",
            bounds=data.bounds,
        )
        for dataset in _datasets(numbers)
    ]
    comparisons = comparison_table(data.comparisons, data.hypotheses, name)
    if comparisons:
        comparisons.caption += bounds_text(arms, data.bounds)
    return StudySection(
        name,
        text,
        answers_of(data.hypotheses, numbers, name),
        [(arm, what_is(arm, data.settings) + bounds_text([arm], data.bounds)) for arm in arms],
        _figures(data, numbers, name),
        [*(table for table in tables if table.rows), *decision_tables(data.groups, arms)],
        enhancement_table(data.enhancements, data.settings, arms),
        comparisons,
    )


def _datasets(numbers: Numbers) -> list[str]:
    return list(dict.fromkeys(dataset for dataset, *_ in numbers))


def _all_tables(data: ReportData, numbers: Numbers, arms: list[str]) -> list[tuple[str, list[Table]]]:
    """Return (title, tables) of the part that compares everything with everything."""
    settings = data.settings
    main, scores, shifted = [], [], []
    for dataset in _datasets(numbers):
        what = f"All arms on {dataset}"
        main.append(numbers_table(numbers, dataset, arms, main_columns(settings, dataset), what, bounds=data.bounds))
        for metric in ("auroc", "aurc"):
            what = f"{metric_of(metric).heading} of each confidence score on {dataset}"
            columns = score_columns(settings, metric)
            scores.append(numbers_table(numbers, dataset, arms, columns, what, "row", data.bounds))
        shifted.append(corruption_table(numbers, dataset, arms, settings))
    masks = [mask_table(" on ".join(reversed(key)), quality) for key, quality in data.mask_quality.items()]
    images = [counts_table(dataset, counts, settings) for dataset, counts in data.counts.items()]
    parts = [
        ("Images", images),
        ("All models", main),
        ("Confidence scores", scores),
        ("Corrupted images", shifted),
        ("Masks", masks),
    ]
    kept = [(title, [table for table in tables if table and table.rows]) for title, tables in parts]
    return [(title, tables) for title, tables in kept if tables]


def what_is(arm: str, settings: dict) -> str:
    """Return the config entry of an arm as text: of the model or group, then of the variant."""
    name, _, variant = arm.partition("/")
    kinds = ("teachers", "baselines", "students", "augmented", "pretrained", "groups")
    own = next((settings[kind][name] for kind in kinds if name in (settings.get(kind) or {})), {})
    entry = {key: value for key, value in own.items() if key != "protocols"}
    if variant:
        further = settings.get("protocols" if "members" in own else "enhancers") or {}
        of_variant = {key: value for key, value in further.get(variant, {}).items() if key != "models"}
        entry = ({"members": own["members"]} if "members" in own else {"model": name}) | of_variant
    return "; ".join(_facts(entry))


def _facts(entry: dict) -> list[str]:
    facts = []
    for key, value in entry.items():
        if isinstance(value, dict):
            facts += _facts(value)
        elif value is not None:
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            facts.append(f"{key.replace('_', ' ')} {text}")
    return facts


def _figures(data: ReportData, numbers: Numbers, study: str | None) -> list[PlacedFigure]:
    """Return the figures of one study; of None, those that name no study of the config."""
    known = data.settings.get("studies") or {}
    placed = []
    for name, figure in data.figures.items():
        settings = figure["settings"]
        own = settings.get("study") if settings.get("study") in known else None
        if own == study:
            size = settings["style"]["width_mm"], settings["style"]["height_mm"]
            text = caption(settings, numbers) + bounds_text(_shown(settings, data.bounds), data.bounds)
            placed.append(PlacedFigure(name, text, _uri(figure), *size))
    return placed


def _shown(figure: dict, bounds: list[str]) -> list[str]:
    """Return the arms that a figure shows; of one of all arms, the bounds will do."""
    if figure["kind"] == "auroc-accuracy":
        return figure.get("arms") or bounds
    return figure.get("arms") or [f"{figure['model']}/{name}" for name in figure.get("enhancers", [])]


def _uri(figure: dict) -> str:
    """Return the format that the page shows; all are looked at, since nothing else reads them."""
    given = {kind: figure[kind] for kind in BOUNDS if kind in figure}
    contents = {kind: it if isinstance(it, bytes) else _whole(Path(it), kind) for kind, it in given.items()}
    kind = "png" if figure["settings"]["kind"] in PICTURES else "svg"
    return f"data:{TYPES[kind]};base64,{base64.b64encode(contents[kind]).decode()}"


def _whole(path: Path, kind: str) -> bytes:
    """Return a picture; raises UserError if it was cut off."""
    content, (start, end) = path.read_bytes(), BOUNDS[kind]
    if not (content.startswith(start) and content.rstrip().endswith(end)):
        raise UserError(f"{path}: not a whole {kind} file; delete it and run again")
    return content
