"""What changed from one run to another: settings, arms, verdicts, numbers and differences between arms."""

import json

import numpy as np
import pandas as pd
from scipy.stats import t as student

from selfdoubt.report.runs.reading import Run
from selfdoubt.runtime.schemas.changes import CHANGES_SCHEMA

_NUMBER = ["dataset", "arm", "split", "score", "metric"]
_DIFFERENCE = ["dataset", "study", "better", "than", "split", "score", "metric"]
_CONFIDENCE = 0.95
_NOT_COMPARED = {"run", "labels"}  # of the config
_SIDES = ("first", "second")
_TEXTS = ("first_text", "second_text")
_ENDS = {"": "value", "_low": "low", "_high": "high"}  # of columns, and what they are of a number


def changes(first: Run, second: Run) -> pd.DataFrame:
    """Return CHANGES, a row for each thing that differs; none where the two are equal.

    A number is the mean over replicates; its interval is that of t over replicates, of a single one that of its images.
    """
    parts = [_settings(first.settings, second.settings), _arms(first.metrics, second.metrics)]
    parts += [_verdicts(first.hypotheses, second.hypotheses)]
    parts += [_paired(*map(_numbers, (first.metrics, second.metrics)), _NUMBER, "number")]
    parts += [_paired(*map(_differences, (first.comparisons, second.comparisons)), _DIFFERENCE, "difference")]
    found = pd.concat([pd.DataFrame(part).reindex(columns=CHANGES_SCHEMA.names) for part in parts], ignore_index=True)
    return found.assign(**{name: found[name].astype(object).where(found[name].notna(), None) for name in _TEXTS})


def n_compared(first: Run, second: Run) -> int:
    """Return how many numbers both have."""
    keys = [set(run.metrics[_NUMBER].drop_duplicates().itertuples(index=False, name=None)) for run in (first, second)]
    return len(keys[0] & keys[1])


def _settings(first: dict, second: dict) -> list[dict]:
    one, other = (dict(_flat({k: v for k, v in each.items() if k not in _NOT_COMPARED})) for each in (first, second))
    return [
        {"kind": "setting", "key": key, "first_text": one.get(key), "second_text": other.get(key)}
        for key in dict.fromkeys([*one, *other])
        if one.get(key) != other.get(key)
    ]


def _flat(settings: dict, place: str = ""):
    """Yield each setting with its key, joined by dots, and its value as JSON; a list is one value."""
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{place}{key}.")
        else:
            yield f"{place}{key}", json.dumps(value, ensure_ascii=False)


def _arms(first: pd.DataFrame, second: pd.DataFrame) -> list[dict]:
    """Return the arms that are in one run alone."""
    one, other = (
        dict.fromkeys(rows[["dataset", "arm"]].itertuples(index=False, name=None)) for rows in (first, second)
    )
    return [
        {"kind": "arm", "dataset": dataset, "arm": arm}
        | {
            f"{side}_text": "there" if (dataset, arm) in has else None
            for side, has in zip(_SIDES, (one, other), strict=True)
        }
        for dataset, arm in dict.fromkeys([*one, *other])
        if not ((dataset, arm) in one and (dataset, arm) in other)
    ]


def _verdicts(first: pd.DataFrame, second: pd.DataFrame) -> list[dict]:
    """Return the claims whose verdicts are not the same, or that one run does not have."""
    sides = [{(row["hypothesis"], row["dataset"]): row for row in rows.to_dict("records")} for rows in (first, second)]
    found = []
    for key in dict.fromkeys([*sides[0], *sides[1]]):
        pair = [side.get(key) for side in sides]
        texts = [row and row["verdict"] for row in pair]
        if texts[0] != texts[1]:
            known = next(filter(None, pair))
            row = {"kind": "verdict", "key": key[0], "dataset": key[1], "arm": known["better"], "than": known["than"]}
            row |= {name: known[name] for name in ("split", "score", "metric")}
            for side, each, text in zip(_SIDES, pair, texts, strict=True):
                row[f"{side}_text"] = text
                if each:
                    row |= {side: each["difference"], f"{side}_low": each["low"], f"{side}_high": each["high"]}
            found.append(row)
    return found


def _numbers(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return value, low, high and text of each number: the mean over replicates with its interval."""
    grouped = metrics.groupby(_NUMBER, sort=False, dropna=False)
    n, mean, deviation = (grouped["value"].agg(how) for how in ("count", "mean", "std"))
    reach = deviation / np.sqrt(n.clip(lower=1)) * student.ppf((1 + _CONFIDENCE) / 2, (n - 1).clip(lower=1))
    alone = n == 1
    low, high = (grouped[end].first().where(alone, mean + sign * reach) for end, sign in (("low", -1), ("high", 1)))
    return pd.DataFrame({"value": mean, "low": low, "high": high, "text": grouped["reason"].first()})


def _differences(comparisons: pd.DataFrame) -> pd.DataFrame:
    rows = comparisons.drop_duplicates(_DIFFERENCE).set_index(_DIFFERENCE)  # those of claims are there twice
    return rows.rename(columns={"difference": "value", "reason": "text"})[["value", "low", "high", "text"]]


def _paired(first: pd.DataFrame, second: pd.DataFrame, keys: list[str], kind: str) -> pd.DataFrame:
    """Return what both runs have with different values, or one with a value and the other without."""
    both = first.add_suffix("_first").join(second.add_suffix("_second"), how="inner")
    one, other = both["value_first"], both["value_second"]
    both = both[(one != other) & ~(one.isna() & other.isna())]
    known = both[["low_first", "high_first", "low_second", "high_second"]].notna().all(axis=1)
    apart = (both["low_first"] > both["high_second"]) | (both["low_second"] > both["high_first"])
    found = {f"{side}{end}": both[f"{name}_{side}"] for side in _SIDES for end, name in _ENDS.items()}
    found |= {f"{side}_text": both[f"text_{side}"] for side in _SIDES}
    table = pd.DataFrame({**found, "kind": kind, "beyond": apart.astype(object).where(known, None)})
    return table.reset_index().rename(columns={"better": "arm", "study": "key"})
