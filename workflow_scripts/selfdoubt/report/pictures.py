"""Test images on the page: those that arms classify incorrectly with most confidence, and on which two arms differ."""

import base64
from dataclasses import dataclass

import pandas as pd

from selfdoubt.figures.texts import NO_BREAK, counted
from selfdoubt.report.arms import BY_NAME, Arms
from selfdoubt.report.formats import number
from selfdoubt.settings.class_names import named

_TITLES = {
    "errors": "{arm}: most confident errors",
    "gains": "{arm} finds the class more probable than {than}",
    "losses": "{arm} finds the class less probable than {than}",
}
_PNG = b"\x89PNG"


@dataclass(frozen=True)
class Picture:
    """One image, ready for the template."""

    uri: str
    alt: str
    label: str  # its class
    lines: list[str]  # what arms predict


@dataclass(frozen=True)
class PictureList:
    """Images under one title."""

    title: str
    pictures: list[Picture]


def picture_lists(pictures: pd.DataFrame, classes: dict[int, str], names: Arms = BY_NAME) -> list[PictureList]:
    """Return the lists of one study and data set: errors of each arm, then what each arm gains and loses.

    pictures: PICTURES. classes: label -> name.
    """
    lists = []
    for (kind, arm, than), rows in pictures.groupby(["list", "arm", "than"], sort=False, dropna=False):
        title = _TITLES[kind].format(arm=names.label(arm), than=names.label(than) if isinstance(than, str) else "")
        shown = [_picture(row, classes, names) for row in rows.sort_values("rank").to_dict("records")]
        lists.append((list(_TITLES).index(kind), PictureList(title, shown)))
    return [found for _, found in sorted(lists, key=lambda each: each[0])]


def _picture(row: dict, classes: dict[int, str], names: Arms) -> Picture:
    label = _name(row["label"], classes)
    kind = "png" if row["picture"].startswith(_PNG) else "jpeg"
    uri = f"data:image/{kind};base64,{base64.b64encode(row['picture']).decode()}"
    lines = [_line(row, "", names.label(row["arm"]), classes, is_difference=row["list"] != "errors")]
    if row["list"] != "errors":
        lines.append(_line(row, "than_", names.label(row["than"]), classes, is_difference=True))
    return Picture(uri, f"test image {row['image_id']}, of the class {label}", label, lines)


def _line(row: dict, side: str, arm: str, classes: dict[int, str], is_difference: bool) -> str:
    """Return what an arm predicts of an image; of a difference, the probability of its class first."""
    n, n_incorrect = int(row[f"{side}n_replicates"]), int(row[f"{side}n_incorrect"])
    predicted = f"{_name(row[f'{side}predicted'], classes)}{NO_BREAK}({_probability(row[f'{side}confidence'])})"
    incorrect = f"incorrect in {n_incorrect} of {counted(n, 'replicate')}" if n > 1 else "incorrect" * n_incorrect
    if not is_difference:
        return f"{arm}: {predicted}" + f"; {incorrect}" * (n > 1)
    found = f"{arm}: {_probability(row[f'{side}of_label'])}"
    return f"{found}; {incorrect}, as {predicted}" if n_incorrect else found


def _probability(value: float) -> str:
    return number(value, 3)


def _name(label: int, classes: dict[int, str]) -> str:
    name = classes.get(int(label), str(int(label)))
    return f"class{NO_BREAK}{name}" if name.isdecimal() else name


def class_names(counts: pd.DataFrame | None, source: str) -> dict[int, str]:
    """Return the name of each label; counts: COUNTS of a data set. source: of it, in the config."""
    if counts is None:
        return {}
    known = counts.dropna(subset=["label", "class_name"]).drop_duplicates("label").sort_values("label")
    return dict(zip(known["label"].astype(int), named(source, known["class_name"].to_list()), strict=True))
