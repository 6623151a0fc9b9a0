"""Small data of every kind of figure, and figures drawn of them."""

import json
from functools import cache
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from matplotlib.text import Text
from small_report import COMPARISON, HYPOTHESIS

from selfdoubt.figures import style
from selfdoubt.figures.context import Context, look_at
from selfdoubt.figures.kinds.enhancement_examples import Examples
from selfdoubt.figures.kinds.forest import Tables
from selfdoubt.figures.kinds.gain_cost import Numbers
from selfdoubt.figures.kinds.label_error import Measured
from selfdoubt.figures.kinds.mask_gallery import Gallery
from selfdoubt.figures.kinds.mask_sheet import Sheet
from selfdoubt.figures.kinds.message_examples import Exchange
from selfdoubt.figures.kinds.mixed_examples import Mixed
from selfdoubt.figures.kinds.object_size import SizedRuns
from selfdoubt.figures.kinds.tuning_curves import Tried
from selfdoubt.runtime import methods

ARMS = {"ce": "cross-entropy", "kd": "KD, τ = $4$", "a": "A", "b": "B", "trio/persuasion": "trio talks"}
ARMS |= {"ce/odin": "ODIN", "ce/random-sign": "placebo"}
LOOKS = {arm: look_at(place) for place, arm in enumerate(ARMS)}
FACTS = {
    "corruptions": {"names": ["blur", "noise"], "severities": [1, 3]},
    "doses": {"toys": 100, "games": 400},
    "claims": {"study": "distillation", "margins": {"kd-ranks-better": {"aurc": 0.002}}},
}
CONTEXT = Context(ARMS, LOOKS, values={"ce/odin": 2, "ce/random-sign": 8}, **FACTS)
ENTRY = {"dataset": "toys", "split": "test", "score": "msp", "style": SimpleNamespace(width_mm=150, height_mm=80)}
OWN = {  # kind -> what else its entry has
    "risk-coverage": {"arms": ["ce", "kd"]},
    "reliability": {"arms": ["ce", "kd"], "n_bins": 10},
    "auroc-accuracy": {"arms": []},
    "accuracy-ranking": {"arms": ["kd", "ce/odin"], "reference": "ce"},
    "gain-cost": {"arms": ["ce/odin"], "reference": "ce", "baselines": ["ce/random-sign", "trio/persuasion"]},
    "attack-recovery": {"arms": ["ce/random-sign"], "clean": "ce", "attacked": "ce/odin"},
    "tuning-curves": {"arms": ["ce/odin", "ce/random-sign"], "along": "epsilon_255", "reference": "ce"},
    "message-examples": {"group": "trio", "protocol": "persuasion", "n_images": 3},
    "metric-along": {
        "along": "epsilon_255",
        "series": SimpleNamespace(messages=["ce/odin", "ce/random-sign"]),
        "reference": "ce",
        "metric": "aurc",
    },
    "oracle-gap": {"arms": ["ce", "kd", "ce/odin"], "labels": "people", "coverage_percent": None},
    "mask-gallery": {"segmenter": "unet", "n_images": 3},
    "mask-sheet": {"segmenter": "unet", "n_images": 3, "n_columns": 2, "order": "spread"},
    "enhancement-examples": {"model": "ce", "replicate": 1, "n_images": 2, "enhancers": ["odin", "random-sign"]},
    "persuasion-matrix": {"group": "trio", "protocol": "persuasion"},
    "mixed-labels": {"models": ["a", "b"]},
    "mixed-examples": {"models": ["a", "b"], "n_images": 2},
    "label-error": {"models": ["kd", "a", "b"]},
    "object-size": {"arms": ["ce", "kd"], "n_bins": 2, "by": "size"},
    "confidence-histograms": {"arms": ["ce", "kd"], "n_bins": 5},
    "entropy-deciles": {"arms": ["kd", "a"], "reference": "ce"},
    "teacher-quality": {
        "arms": ["kd", "a", "b"],
        "teacher_metrics": ["target-ece", "entropy"],
        "student_metrics": ["aurc"],
    },
    "training-curves": {"arms": ["ce", "kd"], "column": "val_accuracy"},
    "generalised-risk-coverage": {"arms": ["ce", "kd"]},
    "ood-histograms": {"arms": ["ce", "kd"], "ood": "digits", "n_bins": 4},
    "severity-curves": {"arms": ["ce", "kd"], "metric": "accuracy", "score": "none"},
    "data-dose": {"arms": ["ce", "kd"], "datasets": ["toys", "games"], "metric": "aurc"},
    "forest": {"metrics": [], "exploratory": True},
}
KINDS = [kind for kind in methods.names_in("figures.kinds") if kind in OWN]

LAST_INCORRECT = (np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, True, True, False]))
FIRST_INCORRECT = (np.array([0.9, 0.8, 0.7, 0.1]), np.array([False, True, True, True]))


def metrics_rows(arm: str, replicate: int, accuracy: float, auroc: float) -> list[dict]:
    name, _, variant = arm.partition("/")
    row = {"dataset": "toys", "name": name, "replicate": replicate, "variant": variant or "clean"}
    row |= {"split": "test", "n": 100, "reason": None if auroc == auroc else "no incorrect samples"}
    return [
        row | {"metric": "accuracy", "score": "none", "value": accuracy},
        row | {"metric": "auroc", "score": "msp", "value": auroc},
    ]


def metrics() -> pd.DataFrame:
    pairs = [metrics_rows(arm, replicate, 0.9, 0.8) for arm in ("kd", "ce", "ce/odin") for replicate in (1, 2)]
    return pd.DataFrame([row for pair in pairs for row in pair])


def gaps(gap: float | None = 0.010) -> pd.DataFrame:
    """Two replicates of ce, whose gap is split, kd, whose gap is not, and ODIN, of which some parts are negative."""
    of_arms = {
        "ce": {"gap": gap, "noise": 0.002, "approximation": 0.001, "ranking": 0.006, "rest": 0.001},
        "kd": {"gap": gap, "noise": None, "ranking": None, "mended-by-logits": 0.003},
        "ce/odin": {
            "gap": gap,
            "noise": 0.009,
            "approximation": -0.004,
            "ranking": 0.006,
            "rest": -0.001,
            "mended-by-people": 0.004,
        },
    }
    rows = []
    for arm, parts in of_arms.items():
        name, _, variant = arm.partition("/")
        row = {"dataset": "toys", "name": name, "variant": variant or "clean", "split": "test", "score": "msp", "n": 9}
        for (part, value), replicate, coverage in product(parts.items(), (1, 2), (None, 50.0)):
            own = {"part": part, "replicate": replicate, "coverage_percent": coverage, "value": value}
            rows.append(row | own | {"reason": None if value is not None else "no labels of people"})
    return pd.DataFrame(rows).astype({"value": float, "coverage_percent": float})


def aurcs(**of_arms: float | None) -> pd.DataFrame:
    """Rows of AURC x10^3 in two replicates, the second higher by 2; arms by their names in ARMS, with _ for / and -."""
    arms = {arm.replace("/", "_").replace("-", "_"): arm for arm in ARMS}
    rows = []
    for (key, value), replicate in product(of_arms.items(), (1, 2)):
        name, _, variant = arms[key].partition("/")
        row = {"dataset": "toys", "name": name, "replicate": replicate, "variant": variant or "clean", "split": "test"}
        number = None if value is None else (value + 2 * (replicate - 1)) / 1000
        rows.append(row | {"n": 100, "metric": "aurc", "score": "msp", "value": number, "reason": None})
    return pd.DataFrame(rows).astype({"value": float})


def costed(**changes: float | None) -> Numbers:
    """ODIN takes 3 passes and gains 5, the placebo 2 and loses 1, the trio 9 and gains 4."""
    metrics = aurcs(**{"ce": 50, "ce_odin": 45, "ce_random_sign": 51, "trio_persuasion": 46} | changes)
    passes = [("toys", "ce/odin", 3.0), ("toys", "ce/random-sign", 2.0), ("toys", "trio/persuasion", 9.0)]
    return Numbers(metrics, pd.DataFrame(passes, columns=["dataset", "arm", "passes"]))


def gallery() -> Gallery:
    reference = np.zeros((3, 8, 8), bool)
    reference[:, 0, :2] = True
    predicted = reference.copy()
    predicted[0, 0, 1] = False
    return Gallery(np.full((3, 1, 8, 8), 200, np.uint8), reference, predicted)


def examples() -> dict[str, Examples]:
    clean = np.full((2, 1, 8, 8), 51, np.uint8)
    enhanced = np.full((2, 1, 8, 8), 0.2, np.float32)
    enhanced[0] += np.float32(2 / 255)
    shown = Examples(clean, enhanced, np.array([0.5, 0.9]), np.array([0.75, 0.9]), 2)
    return {"ce/odin": shown, "ce/random-sign": shown}


def persuasion() -> pd.DataFrame:
    rows = [("a", "b", "true", 1.0, 10), ("a", "b", "true", 3.0, 10), ("a", "b", "other", -1.0, 5)]
    return pd.DataFrame(rows, columns=["sender", "listener", "message", "gain", "n"])


def labels(error: float | None = 0.19) -> dict:
    return {"weight-mean": 0.7, "weight-sd": 0.2, "label-error": error, "ghost-labels": 0.3, "nothing-visible": 0.0}


def mixed(n: int = 3) -> Mixed:
    """Pairs of a bag and a shoe, grey and black; b pastes by masks, and a fifth of its labels is spread evenly."""
    grey = np.full((n, 3, 8, 8), 100, np.uint8)
    own = {"target": grey, "source": 0 * grey, "mixed": grey // 2, "labels": np.tile([1, 0], (n, 1))}
    masks = {"target_mask": grey[:, 0] > 0, "source_mask": grey[:, 0] == 0}
    whole, part = (np.tile(np.float32(weight), (n, 1)) for weight in ((0.7, 1), (0.75, 0.8)))
    return Mixed({"a": own | {"weight": whole}, "b": own | masks | {"weight": part}}, ["Shoe", "Bag"])


def sized() -> SizedRuns:
    """The two small objects are the first and the last; kd is correct on one more of them, and otherwise as ce."""
    confidence, correct = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, False])
    kd = (confidence, np.array([True, True, False, True]))
    return SizedRuns({"ce": [(confidence, correct)], "kd": [kd]}, np.array([0.1, 0.3, 0.4, 0.2]))


def fidelity() -> pd.DataFrame:
    """Two replicates of three students, the better the higher the error of their teachers' calibration."""
    rows = []
    for place, (student, replicate) in enumerate(product(("kd", "a", "b"), (1, 2))):
        row = {"dataset": "toys", "student": student, "replicate": replicate, "split": "test", "n": 9, "reason": None}
        numbers = {"target-ece": 0.01 * place, "teacher-entropy": 1.0, "student-aurc": 0.02 - 0.001 * place}
        rows += [row | {"quantity": key, "value": value, "decile": None} for key, value in numbers.items()]
        for quantity, decile in product(("error", "confidence-correct", "confidence-incorrect"), range(1, 11)):
            own = {"quantity": quantity, "decile": decile, "value": 0.01 * decile * replicate}
            rows += [row | own | {"reference": "ce"}, row | own | {"reference": None, "value": 0.5}]
    return pd.DataFrame(rows).astype({"decile": float})


def exchanged(n: int = 4) -> Exchange:
    """Members ce and kd about n images of class 0 of three: of the first the messages correct the mean, of the second
    they turn it wrong.
    """
    clean = np.tile([0.5, 0.4, 0.1], (2, n, 1))
    clean[:, :1] = [0.4, 0.5, 0.1]
    decided = clean[0].copy()
    decided[:2] = decided[:2][:, [1, 0, 2]]
    candidates, gains = np.tile([0, 1], (n, 1)), np.empty((n, 2, 2, 2))
    gains[:, 0], gains[:, 1] = 0.5, -0.1
    gains[..., [0, 1], [0, 1]] = np.nan
    images = np.arange(n * 16, dtype=np.uint8).reshape(n, 1, 4, 4)
    members = ["ce", "kd"]
    return Exchange(members, members, ["A", "B", "C"], images, np.zeros(n, int), candidates, clean, decided, gains)


def tried(arms: tuple[str, ...] = ("ce/odin", "ce/random-sign")) -> Tried:
    """Two replicates and four candidates each; of larger steps a lower AURC, of T = 10 one that is higher by 2."""
    rows = []
    for arm, replicate in product(arms, (1, 2)):
        listed = [(epsilon, t, 0.05 - 0.001 * epsilon + 0.002 * (t == 10)) for epsilon in (1, 2) for t in (1, 10)]
        listed = [{"epsilon_255": epsilon, "temperature": t, "aurc": value} for epsilon, t, value in listed]
        rows.append({"dataset": "toys", "arm": arm, "replicate": replicate, "tried": json.dumps(listed)})
    return Tried(pd.DataFrame(rows), aurcs(ce=50).assign(split="val"))


def corrupted() -> pd.DataFrame:
    """Accuracy of two arms and replicates: .9 on test, less by .01 a severity, by .02 for noise; kd has .02 more."""
    rows = []
    for arm, replicate in product(("ce", "kd"), (1, 2)):
        row = {"dataset": "toys", "name": arm, "variant": "clean", "replicate": replicate, "metric": "accuracy"}
        own = 0.9 + 0.02 * (arm == "kd") + 0.01 * (replicate - 1)
        severities = {f"{name}-{s}": own - s * step for name, step in (("blur", 0.01), ("noise", 0.02)) for s in (1, 3)}
        rows += [
            row | {"score": "none", "split": split, "value": v} for split, v in {"test": own, **severities}.items()
        ]
    return pd.DataFrame(rows)


def dosed() -> pd.DataFrame:
    """AURC of two arms on two data sets, 50 and 30 for ce, the second replicate higher by 2."""
    of_toys, of_games = aurcs(ce=50, kd=45), aurcs(ce=30, kd=28).assign(dataset="games")
    return pd.concat([of_toys, of_games], ignore_index=True)


def mislabelled(**errors: list[float]) -> Measured:
    """The more labels are in error, the higher is the AURC: 51, 46 and 48 as means over replicates."""
    return Measured(aurcs(kd=50, a=45, b=47), {"kd": [0.3, 0.2], "a": [0.1, 0.1], "b": [0.2, 0.1]} | errors)


def compared() -> Tables:
    """A claim by AURC, what it must not lose, the same by another score, and an exploratory comparison by accuracy."""
    own = COMPARISON | {"hypothesis": "kd-ranks-better", "high": -0.001}
    kept = own | {"metric": "accuracy", "score": "none", "difference": 0.001, "low": -0.001, "high": 0.003}
    explored = kept | {"better": "a", "hypothesis": None, "low": -0.1}
    rows = [own, kept, own | {"score": "pnorm", "repeats": True}, explored]
    claims = [HYPOTHESIS | {"verdict": "supported"}]
    frames = pd.DataFrame(rows), pd.DataFrame(claims)
    return Tables(*frames, pd.concat([metrics(), aurcs(ce=50, kd=45)], ignore_index=True))


DATA = {
    "risk-coverage": lambda: {"ce": [LAST_INCORRECT], "kd": [FIRST_INCORRECT]},
    "reliability": lambda: {"ce": [LAST_INCORRECT] * 2, "kd": [FIRST_INCORRECT] * 2},
    "auroc-accuracy": metrics,
    "accuracy-ranking": metrics,
    "gain-cost": costed,
    "attack-recovery": lambda: aurcs(ce=50, ce_odin=60, ce_random_sign=56),
    "tuning-curves": tried,
    "message-examples": exchanged,
    "metric-along": lambda: aurcs(ce=50, ce_odin=45, ce_random_sign=47),
    "oracle-gap": gaps,
    "mask-gallery": gallery,
    "mask-sheet": lambda: Sheet(gallery().images, gallery().predicted, np.array([0, 20, 39]), 40),
    "enhancement-examples": examples,
    "persuasion-matrix": persuasion,
    "mixed-labels": lambda: {"a": [labels(), labels(0.21)], "b": [labels(None)] * 2},
    "mixed-examples": mixed,
    "label-error": mislabelled,
    "object-size": sized,
    "confidence-histograms": lambda: {"ce": [LAST_INCORRECT] * 2, "kd": [FIRST_INCORRECT] * 2},
    "entropy-deciles": fidelity,
    "teacher-quality": fidelity,
    "generalised-risk-coverage": lambda: {"ce": [LAST_INCORRECT], "kd": [FIRST_INCORRECT]},
    "ood-histograms": lambda: {arm: [(np.arange(4.0), np.arange(-1.0, 3))] * 2 for arm in ("ce", "kd")},
    "severity-curves": corrupted,
    "data-dose": dosed,
    "forest": compared,
    "training-curves": lambda: {"ce": [np.array([0.5, 0.7]), np.array([0.6, 0.7])], "kd": [np.array([0.4, 0.9])] * 2},
}


def settings(kind: str, **changes) -> SimpleNamespace:
    return SimpleNamespace(**(ENTRY | OWN[kind] | changes))


def draw(kind: str, data=None, context: Context = CONTEXT, **changes):
    data = DATA[kind]() if data is None else data
    return methods.load("figures.kinds", kind).draw(data, settings(kind, **changes), context)


drawn = cache(draw)


def table(kind: str, **changes) -> pd.DataFrame:
    """What a kind shows of the small data, as numbers."""
    return methods.load("figures.kinds", kind).table(DATA[kind](), settings(kind, **changes), CONTEXT)


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def saved(figure, path: Path) -> bytes:
    style.save(figure, [path])
    return path.read_bytes()


# ---- of all kinds ----
