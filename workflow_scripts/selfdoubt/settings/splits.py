"""The splits that metrics are computed on, and the check that one which is named is among them."""

import difflib
import re

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.choices import not_one_of


def splits(study) -> list[str]:
    """Return the splits that metrics are computed on, and those that average over splits."""
    names = ["val", "test"]
    for dataset in study.datasets.values():
        names += [*(f"ood-{name}" for name in dataset.ood), *(f"shifted-{name}" for name in dataset.shifted)]
        names += [f"ood-{name}@{percent:g}" for name in dataset.ood for percent in study.evaluation.ood_mixed_percent]
        if dataset.corruptions:
            c = dataset.corruptions
            names += [f"{name}-{severity}" for name in c.names for severity in [*c.severities, "mean"]]
            names += ["corrupted-mean"]
    return names


def check_split(place: str, split: str, study) -> None:
    """Raise UserError if no data set has a split, with what would give it one. place: of the key that names it."""
    known = splits(study)
    if split in known:
        return
    needed = _needed(split, study)
    if needed is None:
        raise UserError(f"config: {place}: {not_one_of(split, known, 'a split')}")
    section, name = place.split(".")[:2]
    of_list = place if section == "evaluation" else section  # which a study can only give whole
    is_entry = section != "evaluation" and not name.isdigit()
    without = f"set {section}.{name} to null" if is_entry else f"give {of_list} without it"
    near = difflib.get_close_matches(split, known, n=1, cutoff=0.8)
    meant = f"did you mean '{near[0]}'? Else " if near else ""
    raise UserError(f"config: {place}: '{split}' is not a split of any data set; {meant}{needed}, or {without}")


def _needed(split: str, study) -> str | None:
    """Return what a data set lacks that would give it a split of this form; None: of no known form, or misspelt."""
    names = list(study.datasets)

    def of_dataset(key: str) -> str:
        return f"datasets.{names[0]}.{key}" if len(names) == 1 else f"`{key}` of a data set"

    if split.startswith("ood-"):
        ood, _, percent = split.removeprefix("ood-").partition("@")
        mixed = [f"{percent} to evaluation.ood_mixed_percent"] if percent else []
        new = "" if ood in study.ood_sets else " (an entry of ood_sets, which has none)"
        absent = (
            [f"{ood} to {of_dataset('ood')}{new}"]
            if all(ood not in each.ood for each in study.datasets.values())
            else []
        )
        return f"add {' and '.join([*mixed, *absent])}"
    if split.startswith("shifted-"):
        return f"add {split.removeprefix('shifted-')} to {of_dataset('shifted')}"
    corrupted = re.fullmatch(r"(.+)-(mean|\d+)", split)
    if corrupted and all(each.corruptions is None for each in study.datasets.values()):
        return f"set {of_dataset('corruptions')}"
    return None
