"""Which columns of a file from elsewhere are the logits and the labels, and the errors where there are none."""

import difflib
import re
from collections import Counter
from pathlib import Path

from selfdoubt.runtime.errors import UserError

_WANTED = {
    ".parquet": "column 'logits' or columns 'logit_0', 'logit_1', ...",
    ".csv": "columns 'logit_0', 'logit_1', ...",
    ".npz": "array 'logits'",
}
_OTHER_NAMES = {  # of the same columns in other projects, besides names that are spelt alike
    "logits": ("probabilities", "probs", "scores", "outputs", "predictions", "y_pred", "y_score"),
    "label": ("target", "targets", "class", "y", "y_true"),
}
_OTHER_SIGNS = ";\t|"  # that separate columns elsewhere


def find_columns(path: Path, names: list[str], label: str, labelled: bool) -> tuple[list[str], list[str]]:
    """Return the columns of the logits in the order of the classes, and that of the labels, where there is one.

    names: of all columns of a table, or arrays of an archive. label: the name of the labels, which must be there if
    `labelled`. Raises UserError where a column is missing, is there twice, or is one that no such file has.
    """
    kind = path.suffix.lower()
    numbered = {name for name in names if kind != ".npz" and re.fullmatch(r"logit_\d+", name)}
    logits = ["logits"] if "logits" in names and kind != ".csv" else sorted(numbered, key=lambda name: int(name[6:]))
    for name, times in Counter(names).items():
        if times > 1 and name in (label, *logits):
            raise UserError(f"{path}: has '{name}' {times} times")
    if "split" in names:
        raise UserError(
            f"{path}: has a column 'split', and would be taken for one; write each split to a file of its own"
        )
    if kind == ".csv" and len(names) == 1 and (signs := [sign for sign in _OTHER_SIGNS if sign in names[0]]):
        raise UserError(f"{path}: its columns are separated by {signs[0]!r}; write it with commas")
    if not logits:
        raise UserError(f"{path}: has no {_WANTED[kind]}; {_hint(kind, names, 'logits')}it has {_listed(names)}")
    if logits != ["logits"] and logits != [f"logit_{k}" for k in range(len(logits))]:
        last, found = len(logits) - 1, _listed(logits)
        raise UserError(f"{path}: logit columns must be logit_0 to logit_{last}; it has {found}")
    if labelled and label not in names:
        raise UserError(f"{path}: has no '{label}'; {_hint(kind, names, label)}it has {_listed(names)}")
    return logits, [label] * (label in names)


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
    near = difflib.get_close_matches(wanted, lower, n=1) or [name for name in _OTHER_NAMES[wanted] if name in lower]
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
