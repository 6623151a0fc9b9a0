"""A page of made-up numbers, as large as is asked for, with something of everything that a page may hold."""

import copy
import io
import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from helpers import SCHEMAS
from PIL import Image
from small_figures import CONTEXT, DATA, draw, metrics_rows, settings
from small_report import COMPARISON, HYPOTHESIS, SETTINGS, frame, report

from render_report import library
from selfdoubt.figures import numbers, style
from selfdoubt.report.arms import Arms
from selfdoubt.report.inputs import ReportData
from selfdoubt.runtime import methods

SCORES = ("msp", "msp-ts", "margin", "energy")
OF_SCORES = ("auroc", "aurc", "e-aurc", "augrc", "fpr95", "coverage-at-sac-99", "risk-at-coverage-80")
OF_PROBABILITIES = ("ece", "nll", "brier")
SPLITS = ("test", "val", *(f"{name}-{severity}" for name in ("blur", "noise") for severity in (1, 2)))
LABELS = {"model-0": "Cross-entropy", "model-1": "KD, τ = 4 <three teachers>"}
VERDICTS = {  # verdict -> difference, ends of the interval and p, in margins of .001 of AURC
    "supported": (-2.1, -3.0, -1.2, 0.001),
    "refuted": (1.8, 0.6, 3.0, 0.002),
    "negligible": (0.1, -0.4, 0.6, 0.7),
    "inconclusive": (-0.9, -2.4, 0.6, 0.2),
}


def metrics_of(n_models: int, n_replicates: int = 5) -> pd.DataFrame:
    """Metrics of models 0, 1, …, whose accuracy and ranking differ by a little; one value in a thousand is missing."""
    keys = [("accuracy", "none"), *product(OF_SCORES, SCORES), *((metric, "msp") for metric in OF_PROBABILITIES)]
    axes = pd.MultiIndex.from_product(
        [[f"model-{i}" for i in range(n_models)], range(1, n_replicates + 1), SPLITS, range(len(keys))],
        names=["name", "replicate", "split", "key"],
    )
    rows = axes.to_frame(index=False)
    draw = np.random.default_rng(0)
    high = np.array([name.startswith(("acc", "auroc", "cov")) for name, _ in keys])[rows["key"]]
    of_model = rows["name"].str.removeprefix("model-").astype(int) % 7 / 200
    rows["value"] = np.where(high, 0.9 + of_model, 0.05 - of_model) + draw.normal(0, 0.004, len(rows))
    missing = draw.random(len(rows)) < 0.001
    rows.loc[missing, "value"] = None
    named = {"metric": [keys[key][0] for key in rows["key"]], "score": [keys[key][1] for key in rows["key"]]}
    fixed = {"dataset": "toys", "role": "baseline", "variant": "clean", "n": 10_000, "low": None, "high": None}
    rows = rows.assign(**fixed, **named, warning=None, reason=np.where(missing, "no incorrect <samples>", None))
    return rows[SCHEMAS["metrics"].names]


def claim(name: str, verdict: str, **other) -> dict:
    """A row of the table of hypotheses, of the numbers that its verdict needs."""
    difference, low, high, p = VERDICTS[verdict]
    ends = {"low": low / 1000, "high": high / 1000, "low_family": low / 1000, "high_family": high / 1000}
    small = {"p_negligible_holm": 0.01 if verdict == "negligible" else 0.9, "margin": 0.001, "n_replicates": 5}
    arms = {"better": "model-1", "than": "model-0", "hypothesis": name, "verdict": verdict}
    return HYPOTHESIS | arms | ends | small | {"difference": difference / 1000, "p": p, "p_holm": p} | other


def explored_of(arm: str, metric: str, place: int) -> dict:
    """A row of exploratory comparisons, whose numbers are of either sign and up to a hundred times as large."""
    size = (-1) ** place * 10 ** ((7 * place % 5) / 2)
    low, high = sorted((-0.006 * size, 0.001 * size))
    numbers = {"difference": -0.004 * size, "low": low, "high": high, "effect_size": -1.5 * size}
    p_values = {"p": 0.04 / abs(size), "p_holm": min(1.0, 0.24 / abs(size))}
    arms = {"better": arm, "than": "model-0", "metric": metric, "hypothesis": None}
    return COMPARISON | arms | numbers | p_values


def spread_points() -> pd.DataFrame:
    """Accuracy and AUROC of two models and replicates, all apart."""
    places = {("ce", 1): (0.90, 0.80), ("ce", 2): (0.92, 0.82), ("kd", 1): (0.94, 0.86), ("kd", 2): (0.95, 0.89)}
    return pd.DataFrame([row for key, numbers in places.items() for row in metrics_rows(*key, *numbers)])


def figures_in(folder: Path, *kinds: str) -> dict[str, dict]:
    """Figures of the kinds with their numbers, drawn of the small data into a folder."""
    found = {}
    for kind in kinds:
        entry, module = settings(kind), methods.load("figures.kinds", kind)
        paths = {suffix: folder / f"{kind}.{suffix}" for suffix in ("svg", "png", "pdf")}
        shown = spread_points() if kind == "auroc-accuracy" else DATA[kind]()
        figure, table = draw(kind, shown), module.table(shown, entry, CONTEXT)
        style.save(figure, paths.values())
        if hasattr(module, "POINTS"):
            table = numbers.placed(table, figure, *module.POINTS)
        numbers.write(folder / f"{kind}.csv", table)
        known = json.loads(json.dumps(vars(entry), default=vars)) | {"kind": kind, "study": "distillation"}
        found[kind] = {"settings": known, **paths, "csv": folder / f"{kind}.csv"}
    return found


def pictures_of(n: int = 4) -> pd.DataFrame:
    """Pictures of errors of two arms, and of what the second gains and loses."""
    rows, draw = [], np.random.default_rng(1)
    lists = [("errors", "model-0", None), ("errors", "model-1", None)]
    for kind, arm, than in [*lists, ("gains", "model-1", "model-0"), ("losses", "model-1", "model-0")]:
        for rank in range(1, n + 1):
            file = io.BytesIO()
            Image.fromarray(draw.integers(0, 256, (28, 28)).astype(np.uint8)).save(file, "PNG")
            own = {"predicted": 1, "confidence": 0.97, "of_label": 0.02, "n_incorrect": 4, "n_replicates": 5}
            row = {"list": kind, "arm": arm, "than": than, "rank": rank, "image_id": rank, "label": 0} | own
            row |= {f"than_{key}": value if than else None for key, value in own.items()}
            rows.append(row | {"picture": file.getvalue()})
    return frame("pictures", rows)


def made_up(folder: Path, n_models: int = 40) -> ReportData:
    """What a page is made from: three studies, of which one supports no conclusion, and numbers of many models."""
    known = copy.deepcopy(SETTINGS)
    known |= {"teachers": {}, "students": {}, "baselines": {f"model-{i}": {"network": "net"} for i in range(n_models)}}
    known["evaluation"]["scores"] = list(SCORES)
    text = known["studies"]["distillation"] | {"reference": "model-0", "arms": ["model-1", "model-2"]}
    titles = {"distillation": "Distillation", "enhancers": "Deep enhancers", "mixing": "Mixing of images"}
    known["studies"] = {name: text | {"title": title} for name, title in titles.items()}
    claims = [
        claim("ranks-better", "supported", role="primary"),
        *(claim(f"is-{verdict}", verdict) for verdict in ("negligible", "inconclusive")),
        claim("reverse", "refuted", study="enhancers"),
        claim("known", "supported", study="enhancers", role="check"),
        claim("missed", "inconclusive", study="mixing", role="check"),
        claim("open", "inconclusive", study="mixing"),
    ]
    compared = product((1, 2), ("aurc", "accuracy", "nll"))
    explored = [explored_of(f"model-{i}", metric, place) for place, (i, metric) in enumerate(compared)]
    kinds = ("auroc-accuracy", "gain-cost", "forest", "risk-coverage", "mask-gallery")
    return replace(
        report(),
        settings=known,
        metrics=metrics_of(n_models),
        hypotheses=frame("hypotheses", claims),
        comparisons=frame("comparisons", explored),
        groups=frame("groups", []),
        figures=figures_in(folder, *kinds),
        pictures={("toys", "distillation"): pictures_of()},
        arms=Arms(LABELS),
        library=library(),
    )
