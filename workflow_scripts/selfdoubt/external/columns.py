"""Which columns of a file from elsewhere are what, by their usual names, and the errors where one is missing."""

import difflib
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from selfdoubt.evaluation.scoring import FOLDER
from selfdoubt.runtime import methods
from selfdoubt.runtime.errors import UserError

_WANTED = {
    ".parquet": "column 'logits' or columns 'logit_0', 'logit_1', ...",
    ".csv": "columns 'logit_0', 'logit_1', ...",
    ".npz": "array 'logits'",
}
_LISTS = {  # a list column, or an array: what it holds
    "logits": "logits",
    "probabilities": "probabilities",
    "probs": "probabilities",
    "log_probabilities": "log-probabilities",
    "log_probs": "log-probabilities",
}
_NAMES = {  # of one column each, the first where there are several
    "label": (
        "label", "labels", "true_label", "true_class", "target", "targets", "y_true", "ground_truth", "gt", "class",
    ),
    "ood_class": ("ood_class",),
    "predicted": (
        "predicted", "prediction", "predictions", "pred", "preds", "predicted_label", "pred_label", "predicted_class",
        "pred_class", "y_pred", "y_hat", "yhat",
    ),
    "image_id": (
        "image_id", "id", "sample_id", "image_path", "path", "filename", "file_name", "file", "file_path", "filepath",
        "image_name", "image_index", "img_id", "img_name", "img_path", "uid", "index", "idx",
    ),
}  # fmt: skip
_CONFIDENT = {"conf", "confs", "confidence", "confidences", "score", "scores", "msp", "mcp", "prob", "probability"}
_CONFIDENT |= {"softmax", "margin", "certainty"}  # words in the names of confidences, of which there may be several
# words in the names of what grows with doubt, or knows the label
_NO_CONFIDENCE = {"uncertainty", "entropy", "error", "anomaly", "novelty", "outlier", "true", "gt", "target"}
_OF_ONE_CLASS = re.compile(r"(p|probs?|probability|softmax|logits?|scores?)[\W_]?\d+\W?", re.IGNORECASE)
_OTHER_NAMES = ("scores", "outputs", "y_score")  # of logits


class Columns(NamedTuple):
    """The names of the columns of a file, of an archive of its arrays."""

    logits: list[str]  # in the order of the classes; of a list column or array its name; none: not in the file
    numbers: str  # what these are by their name: logits, probabilities or log-probabilities
    label: str | None
    image_id: str | None
    predicted: str | None  # None where there are logits
    confidences: dict[str, str]  # by the name of the score; none where there are logits

    @property
    def texts(self) -> list[str]:
        """The columns that may hold names; a label with logits is a number."""
        found = [self.image_id, *([] if self.logits else [self.label, self.predicted])]
        return [name for name in found if name]

    @property
    def of_numbers(self) -> list[str]:
        """The columns of one number a row, but for logits."""
        return [*([self.label] if self.logits and self.label else []), *self.confidences.values()]


def find_columns(path: Path, names: list[str], label: str, labelled: bool) -> Columns:
    """Return what the columns are.

    names: of all columns of a table, or arrays of an archive. label: "label", which must be there if `labelled`, or
    "ood_class". Raises UserError where a column is missing, is there twice, or is one that no such file has.
    """
    kind = path.suffix.lower()
    if "split" in names:
        raise UserError(
            f"{path}: has a column 'split', but is read as a single split; write each split to a file of its own"
        )
    logits, numbers = _logits(path, kind, names)
    predicted, confidences = (None, {}) if logits else (_only(path, names, "predicted"), _confidences(names))
    ids = _only(path, names, "image_id")
    found = Columns(logits, numbers, _only(path, names, label), ids, predicted, confidences)
    if not logits:
        _check_enough(path, kind, names, found, labelled)
    for name, times in Counter(names).items():
        if times > 1 and name in (*logits, *found.texts, *found.of_numbers):
            raise UserError(f"{path}: has '{name}' {times} times; keep one of them")
    if labelled and not found.label:
        raise UserError(f"{path}: has no '{label}'; {_hint(kind, names, label)}it has {_listed(names)}")
    return found


def _logits(path: Path, kind: str, names: list[str]) -> tuple[list[str], str]:
    lists = [name for name in _LISTS if name in names] if kind != ".csv" else []
    if lists:
        return lists[:1], _LISTS[lists[0]]
    numbered = {name for name in names if kind != ".npz" and re.fullmatch(r"logit_\d+", name)}
    logits = sorted(numbered, key=lambda name: int(name[6:]))
    if logits != [f"logit_{k}" for k in range(len(logits))]:
        last, found = len(logits) - 1, _listed(logits)
        raise UserError(f"{path}: logit columns must be logit_0 to logit_{last}; it has {found}")
    return logits, "logits"


def _only(path: Path, names: list[str], role: str) -> str | None:
    """Return the column of a role, by its own name or the only other; None where there is none."""
    if role in names:
        return role
    others = [name for name in dict.fromkeys(names) if name.lower() in _NAMES[role]]
    if len(others) > 1 and role != "image_id":
        raise UserError(f"{path}: which of {_listed(others)} is the {role}? name it '{role}'")
    return min(others, key=lambda name: _NAMES[role].index(name.lower()), default=None)


def _confidences(names: list[str]) -> dict[str, str]:
    """Return the columns that are confidences by the names of their scores: this project's where they are alike."""
    known, found = methods.names_in(FOLDER), {}
    taken = {other for others in _NAMES.values() for other in others}
    for name in names:
        alike = name.lower().replace("_", "-")
        words = re.split(r"[\W_]+", name.lower())
        confident = _CONFIDENT & {*words} and not (_NO_CONFIDENCE & {*words} or _OF_ONE_CLASS.fullmatch(name))
        if name.lower() not in taken and (alike in known or confident):
            found[alike if alike in known else name] = name
    return found


def _check_enough(path: Path, kind: str, names: list[str], found: Columns, labelled: bool) -> None:
    """Raise UserError unless metrics can be computed without logits."""
    of_each_class = sum(bool(_OF_ONE_CLASS.fullmatch(name)) for name in names) > 1
    needs_classes = labelled and not found.predicted
    if not needs_classes and found.confidences and not of_each_class:
        return
    nor = ", nor columns 'prediction' and 'confidence'" if needs_classes else ", nor a column 'confidence'"
    hint = _hint(kind, names, "logits")
    raise UserError(f"{path}: has no {_WANTED[kind]}{'' if of_each_class else nor}; {hint}it has {_listed(names)}")


def _hint(kind: str, names: list[str], wanted: str) -> str:
    """Return which column may be meant and how to rename it; "" where none is near."""
    near = _numbered(names) if wanted == "logits" else None
    if near and kind == ".npz":
        return f"stack {near[1]!r} and the others into one; "
    if near:
        more = " and add --probabilities" if re.match("p$|prob|softmax", near[0].lower()) else ""
        return f"did you mean {near[1]!r}? name them 'logit_0', 'logit_1', ...{more}; "
    if wanted == "logits" and kind == ".csv":
        return ""  # which has no lists
    lower = {name.lower(): name for name in reversed(names)}
    others = _OTHER_NAMES if wanted == "logits" else ("y",)
    near = difflib.get_close_matches(wanted, lower, n=1) or [name for name in others if name in lower]
    return f"did you mean {lower[near[0]]!r}? name it '{wanted}'; " if near else ""


def _numbered(names: list[str]) -> tuple[str, str] | None:
    """Return what most of several numbered names have in common, as "logit" of logit0 and logit1, and the first."""
    found = [(name, match[1]) for name in names if (match := re.fullmatch(r"(.*?)[\W_]?\d+\W?", name))]
    common = Counter(stem for _, stem in found).most_common(1)
    if not common or common[0][1] < 2:
        return None
    return common[0][0], next(name for name, stem in found if stem == common[0][0])


def _listed(names: list[str]) -> str:
    """Return names in quotes, which show spaces; of many the first and the last."""
    shown = [repr(name) for name in names]
    return ", ".join(shown if len(shown) <= 8 else [*shown[:6], "...", shown[-1]]) or "nothing"
