"""The page: what goes into the template, in the order in which a reader meets it."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from selfdoubt.figures.points import with_arms
from selfdoubt.report.arm_tables import corruption_table, failure_columns, main_columns, numbers_table, score_columns
from selfdoubt.report.arms import BY_NAME
from selfdoubt.report.by_metric import sentences_by_metric
from selfdoubt.report.cards import Card, card_of
from selfdoubt.report.claims import claims_of
from selfdoubt.report.comparison_tables import comparison_table
from selfdoubt.report.data_tables import counts_table, mask_table
from selfdoubt.report.design import design_sentences
from selfdoubt.report.enhancement_tables import enhancement_table
from selfdoubt.report.explorer import explorer_of
from selfdoubt.report.fidelity_tables import fidelity_tables
from selfdoubt.report.figures import PlacedFigure, figures_of
from selfdoubt.report.formats import metric_of
from selfdoubt.report.gap_tables import gap_tables
from selfdoubt.report.group_tables import group_tables
from selfdoubt.report.guarantee_tables import guarantee_tables
from selfdoubt.report.information_tables import information_tables
from selfdoubt.report.inputs import ReportData
from selfdoubt.report.numbers import Numbers, arm_order, numbers_of
from selfdoubt.report.pictures import PictureList, class_names, picture_lists
from selfdoubt.report.provenance import provenance_of
from selfdoubt.report.run_tables import missing_table
from selfdoubt.report.tables import Table
from selfdoubt.report.verdict_texts import Verdict, failed_checks, headline, verdicts_of
from selfdoubt.report.warnings import Warned, of_study, warnings_of
from selfdoubt.settings.metrics import OF_NO_ARM

FOLDER = Path(__file__).parent
_NOTHING = {
    **dict.fromkeys(("headline", "registration", "provenance", "missing", "library", "explorer"), None),
    **{part: [] for part in ("warnings", "studies", "loose_figures", "tables", "scripts", "left_out")},
    "is_registered": False,
}


@dataclass(frozen=True)
class StudySection:
    """One study, ready for the template."""

    name: str
    text: dict  # title, question, background, protocol, threats
    card: Card
    design: list[str]  # after how many replicates claims are tested, and which training images these share
    checks: list[Verdict]
    failed_checks: str | None  # why the study supports no conclusion
    verdicts: list[Verdict]
    by_metric: list[tuple[str, str]]  # label and text of each arm: in which metrics it differs from the reference
    warnings: list[str]
    left_out: list[str]
    arms: list[tuple[str, str, str]]  # label, name, settings
    figures: list[PlacedFigure]
    tables: list[Table]
    gaps: list[Table]
    fidelity: list[Table]
    enhancements: Table | None
    comparisons: Table | None
    pictures: list[tuple[str, list[PictureList]]]  # by data set


def render(data: ReportData) -> str:
    """Return the page as HTML: one file that loads nothing, and reads whole without its scripts."""
    metrics = with_arms(data.metrics)
    numbers, warned = numbers_of(metrics), warnings_of(data, metrics)
    scripts = [data.library.source, _own_script()] if data.library else []
    return page(
        policy=_policy(scripts),
        scripts=[Markup(script) for script in scripts],  # of this repository, free of closing tags
        library=data.library,
        explorer=explorer_of(numbers, data.arms) if data.library and numbers else None,
        headline=headline(metrics, data.hypotheses, data.is_registered),
        left_out=data.left_out.get("", []),
        warnings=[each.of([*each.arms]) for each in warned],
        studies=[_study(name, data, numbers, warned) for name in data.settings.get("studies") or {}],
        loose_figures=figures_of(data, numbers, None),
        tables=_all_tables(data, numbers, arm_order(metrics, data.settings)),
        missing=missing_table(metrics, data.arms),
        provenance=provenance_of(data),
        registration=data.registration.sentence if data.registration else None,
        is_registered=data.is_registered,
    )


def page(**parts) -> str:
    """Return the page of some parts; of those that are not given it has none."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["exact"] = lambda value: f"{value:.10g}"
    style = Markup((FOLDER / "style.css").read_text())  # our own file, free of markup
    return environment.get_template("template.html.j2").render(
        **_NOTHING | {"style": style, "policy": _policy([])} | parts
    )


def _own_script() -> str:
    """Return the page's own scripts as one, in a scope of their own."""
    parts = [(FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in ("tables", "numbers", "points", "start")]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def _policy(scripts: list[str]) -> str:
    """Return the content security policy: nothing is loaded, and no script runs but those with these digests."""
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{each}'" for each in digests) or "'none'"
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}"


def _study(name: str, data: ReportData, numbers: Numbers, warned: list[Warned]) -> StudySection:
    text = data.settings["studies"][name]
    claims = data.hypotheses[data.hypotheses["study"] == name]
    of_arms = claims[~claims["metric"].isin(OF_NO_ARM)]
    claimed = [arm for arms in (*of_arms["better"], *of_arms["than"]) for arm in arms.split(", ")]
    arms = list(dict.fromkeys([text["reference"], *text["arms"], *claimed]))
    tables = [
        numbers_table(
            numbers,
            dataset,
            arms,
            main_columns(data.settings, dataset),
            f"On {dataset}, the reference first",
            names=data.arms,
        )
        for dataset in _datasets(numbers)
    ]
    comparisons = comparison_table(data.comparisons, name, numbers, data.arms)
    if comparisons:
        comparisons.caption += data.arms.note(arms)
    verdicts = verdicts_of(data.hypotheses, data.comparisons, numbers, name, data.arms)
    failed = failed_checks(verdicts)
    found = claims_of(data.hypotheses, data.comparisons, name)
    return StudySection(
        name,
        text,
        card_of(found, failed, numbers, data.settings, data.arms),
        design_sentences(name, data, claims),
        [verdict for verdict in verdicts if verdict.role == "check"],
        failed,
        [verdict for verdict in verdicts if verdict.role != "check"],
        sentences_by_metric(data.comparisons, name, text["reference"], data.arms),
        of_study(warned, arms, name, data.settings),
        data.left_out.get(name, []),
        [(data.arms.label(arm), arm, what_is(arm, data.settings) + data.arms.note([arm])) for arm in arms],
        figures_of(data, numbers, name),
        [*(table for table in tables if table.rows), *group_tables(data.groups, arms, data.arms)],
        gap_tables(data.gaps, arms, data.arms),
        fidelity_tables(data.fidelity, arms, data.arms),
        enhancement_table(data.enhancements, data.settings, arms, data.arms),
        comparisons,
        [
            (dataset, picture_lists(found, _classes(data, dataset), data.arms))
            for (dataset, study), found in data.pictures.items()
            if study == name and len(found)
        ],
    )


def _classes(data: ReportData, dataset: str) -> dict[int, str]:
    entry = (data.settings.get("datasets") or {}).get(dataset, {})
    return class_names(data.counts.get(dataset), entry.get("source", ""))


def _datasets(numbers: Numbers) -> list[str]:
    return list(dict.fromkeys(dataset for dataset, *_ in numbers))


def _all_tables(data: ReportData, numbers: Numbers, arms: list[str]) -> list[tuple[str, list[Table]]]:
    """Return (title, tables) of the part that compares everything with everything."""
    settings = data.settings
    main, failures, scores, shifted = [], [], [], []
    for dataset in _datasets(numbers):
        what = f"All arms on {dataset}"
        main.append(numbers_table(numbers, dataset, arms, main_columns(settings, dataset), what, names=data.arms))
        what = f"{dataset}: failures among test images, and with those of OOD sets, each of them a failure"
        columns = failure_columns(settings, dataset)
        failures.append(numbers_table(numbers, dataset, arms, columns, what, names=data.arms))
        for metric in ("auroc", "aurc"):
            what = f"{metric_of(metric).heading} of each confidence score on {dataset}"
            columns = score_columns(settings, metric)
            scores.append(numbers_table(numbers, dataset, arms, columns, what, "row", data.arms))
        shifted.append(corruption_table(numbers, dataset, arms, settings, data.arms))
    masks = [mask_table(" on ".join(reversed(key)), qualities) for key, qualities in data.mask_quality.items()]
    images = [counts_table(dataset, counts, settings) for dataset, counts in data.counts.items()]
    parts = [
        ("Images", images),
        ("All models", main),
        ("Failure detection", failures),
        ("Guarantees", guarantee_tables(data.guarantees, data.arms)),
        ("Information of messages", information_tables(data.information, data.arms)),
        ("Confidence scores", scores),
        ("Corrupted images", shifted),
        ("Masks", masks),
    ]
    kept = [(title, [table for table in tables if table and table.rows]) for title, tables in parts]
    return [(title, tables) for title, tables in kept if tables]


def what_is(arm: str, settings: dict) -> str:
    """Return the config entry of an arm as text: of the model or group, then of the variant."""
    name, _, variant = arm.partition("/")
    kinds = ("teachers", "baselines", "students", "augmented", "robust", "pretrained", "predictions", "groups")
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
            values = value if isinstance(value, list) else [value]
            values = BY_NAME.spans(values) if key in ("teacher", "members") else values
            facts.append(f"{key}: {', '.join(f'{it:g}' if isinstance(it, float) else str(it) for it in values)}")
    return facts
