"""Tables of a study of two models and one group, as a page is made of them."""

import copy
from dataclasses import replace

import pandas as pd
from helpers import SCHEMAS

from selfdoubt.report.inputs import ReportData

SETTINGS = {
    "datasets": {
        "toys": {"ood": ["digits"], "corruptions": {"names": ["blur", "noise"], "severities": [1, 2], "n_images": 9}}
    },
    "teachers": {"teacher": {"network": "net"}},
    "baselines": {"ce": {"network": "net", "label_smoothing": 0.0}},
    "students": {"kd": {"network": "net", "temperature": 4, "segmenter": None}},
    "enhancers": {"odin": {"method": "odin", "models": ["ce"], "epsilon_255": [1, 2]}},
    "groups": {"pair": {"members": ["ce", "kd"], "protocols": ["mean"]}},
    "protocols": {"mean": {"method": "mean-probability"}},
    "evaluation": {"scores": ["msp", "margin"], "metrics": ["accuracy"], "ood_mixed_percent": [50]},
    "studies": {
        "distillation": {
            "title": "Distillation",
            "question": "Does a student know better?",
            "background": "See Galil et al., https://example.org/paper.",
            "protocol": "Same views.",
            "threats": "One data set.",
            "reference": "ce",
            "arms": ["kd"],
        }
    },
}


STYLE = {"width_mm": 100, "height_mm": 60}


CURVE = {"kind": "risk-coverage", "study": "distillation", "dataset": "toys", "split": "test", "score": "msp"}


GALLERY = {"kind": "mask-gallery", "study": "distillation", "dataset": "toys", "segmenter": "unet", "n_images": 3}


FIGURES = {
    "curves": {"settings": CURVE | {"arms": ["ce", "kd"], "style": STYLE}, "svg": b"<svg/>", "png": b"png"},
    "masks": {"settings": GALLERY | {"style": STYLE}, "svg": b"<svg/>", "png": b"png"},
}


def row(arm: str, replicate: int, metric: str, value: float | None, **other) -> dict:
    name, _, variant = arm.partition("/")
    fixed = {"dataset": "toys", "role": "baseline", "split": "test", "n": 100, "low": None, "high": None}
    reason = None if value is not None else "no errors"
    score = "none" if metric == "accuracy" else "msp"
    own = {"name": name, "replicate": replicate, "variant": variant or "clean", "metric": metric, "value": value}
    return fixed | own | {"score": score, "reason": reason} | other


METRICS = [
    *(row("ce", replicate, "accuracy", 0.90 + replicate / 100) for replicate in (1, 2, 3)),
    *(row("kd", replicate, "accuracy", 0.94 + replicate / 100) for replicate in (1, 2, 3)),
    *(row("ce", replicate, "aurc", 0.020) for replicate in (1, 2, 3)),
    *(row("kd", replicate, "aurc", 0.016) for replicate in (1, 2, 3)),
    *(row("ce", replicate, "auroc", 0.8) for replicate in (1, 2, 3)),
    *(row("kd", replicate, "auroc", None if replicate == 2 else 0.9) for replicate in (1, 2, 3)),
]


COMPARISON = {
    "dataset": "toys",
    "study": "distillation",
    "better": "kd",
    "than": "ce",
    "metric": "aurc",
    "score": "msp",
    "split": "test",
    "difference": -0.004,
    "low": -0.006,
    "high": 0.001,
    "p": 0.04,
    "p_holm": 0.08,
    "standard_error": 0.001,
    "degrees_of_freedom": 2.0,
    "accuracy_part": None,
    "ranking_part": None,
    "effect_size": -1.5,
    "n_replicates": 3,
    "reason": None,
    "hypothesis": None,
    "repeats": False,
}


HYPOTHESIS = COMPARISON | {
    "hypothesis": "kd-ranks-better",
    "role": "secondary",
    "statement": "A student has a lower AURC.",
    "registered": True,
    "units": "replicates",
    "n_components": 1,
    "on_at_least": None,
    "alpha": 0.05,
    "level": 0.05,
    "low_family": -0.006,
    "high_family": 0.001,
    "margin": 0.001,
    "p_negligible": 0.9,
    "p_negligible_holm": 0.9,
    "p_no_loss": None,
    "verdict": "inconclusive",
    "n_replicates_needed": 12,
    "n_replicates_negligible": 30,
}


COUNTS = [
    ("train", "images", 7, None, None, None),
    ("train", "images", 5, None, 0, "cat"),
    ("train", "images", 2, None, 1, "<dog>"),
    *((split, "images", 4, None, None, None) for split in ("val", "test")),
    *((split, "images", 2, None, label, "cat") for split in ("val", "test") for label in (0, 1)),
    ("test", "duplicates", 3, "of a training image", None, None),
    ("all", "ignored files", 2, "a.txt, <b>.txt", None, None),
]


DECIDED = {  # protocol -> quantity -> value and n of each of two replicates
    "mean": {"accuracy": [(0.9, 100), (0.8, 100)], "fixed": [(3, 100), (6, 100)], "forwards": [(2, 100), (2, 100)]},
    "shout": {"weight": [(-0.5, None), (-1.5, None)], "accuracy-disagreed": [(None, 0), (0.25, 8)]},
    "oracle-selector": {"accuracy": [(0.95, 100), (0.95, 100)], "accuracy-disagreed": [(None, 0), (0.5, 8)]},
}


GROUPS = [
    ("toys", "pair", protocol, replicate, "test", quantity, value, n, "no samples" if value is None else None)
    for protocol, quantities in DECIDED.items()
    for quantity, replicates in quantities.items()
    for replicate, (value, n) in enumerate(replicates, start=1)
]


COSTS = [("train", "toys/ce/1", 10.0, 9.0, 500.0), ("train", "toys/ce/2", 30.0, 29.0, 700.0)]


def frame(schema: str, rows: list) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=SCHEMAS[schema].names)


def report(**changes) -> ReportData:
    quality = frame(
        "mask-quality", [("mask", "iou", 0.75, 10, None, None), ("mask", "empty", None, 0, "no images", None)]
    )
    data = ReportData(
        copy.deepcopy(SETTINGS),
        frame("metrics", METRICS),
        frame("comparisons", [COMPARISON, COMPARISON | {"metric": "ece"}]),
        frame("hypotheses", [HYPOTHESIS]),
        frame("costs", COSTS),
        frame("groups", GROUPS),
        {("toys", "unet"): [quality]},
        {"toys": frame("counts", COUNTS)},
        FIGURES,
        {"commit": "abc123", "versions": {"numpy": "2.4.6"}, "device": "cpu"},
    )
    return replace(data, **changes)


CHOSEN = [
    ("toys", "ce", 1, "odin", '{"epsilon_255": 1, "method": "odin", "precision": "float32"}', "[]", 2.0, 1.0),
    ("toys", "ce", 2, "odin", '{"epsilon_255": 0.5, "method": "odin", "precision": "float32"}', "[]", 2.5, 1.0),
    ("toys", "kd", 1, "odin", '{"epsilon_255": 1, "method": "odin", "precision": "float32"}', "[]", 2.0, 1.0),
]
