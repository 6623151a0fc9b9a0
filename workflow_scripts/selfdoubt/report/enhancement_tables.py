"""Tables of enhancers: settings selected on val, and the cost of an image."""

import json
from collections.abc import Collection

import pandas as pd

from selfdoubt.report.arms import BY_NAME, Arms
from selfdoubt.report.tables import Cell, Table, number_cell


def enhancement_table(
    enhancements: pd.DataFrame, settings: dict, arms: Collection[str], names: Arms = BY_NAME
) -> Table | None:
    """Return what was selected on val for the enhanced arms of a study, a column a replicate, and their costs."""
    if enhancements.empty:
        return None
    rows = enhancements.assign(arm=enhancements["name"] + "/" + enhancements["variant"])
    rows = rows[rows["arm"].isin(arms)]
    if rows.empty:
        return None
    replicates, several = sorted(rows["replicate"].unique()), rows["dataset"].nunique() > 1
    words = [*(["dataset"] if several else []), "method", *(f"replicate {replicate}" for replicate in replicates)]
    table = Table("", [*words, "forwards", "backwards"], "arm", n_words=len(words), wraps=True)
    places = {arm: place for place, arm in enumerate(arms)}
    for (dataset, arm), own in sorted(rows.groupby(["dataset", "arm"]), key=lambda row: (row[0][0], places[row[0][1]])):
        chosen = {row["replicate"]: json.loads(row["chosen"]) for row in own.to_dict("records")}
        entry = settings["enhancers"][own["variant"].iloc[0]]
        texts = [*([dataset] if several else []), entry["method"]]
        texts += [_selected(chosen[replicate], entry) if replicate in chosen else "" for replicate in replicates]
        passes = (own["forwards"], own["backwards"])
        numbers = [number_cell(each.mean(), 0 if (each % 1 == 0).all() else 2) for each in passes]
        table.rows.append((names.marked(arm), [*map(Cell, texts), *numbers]))
    table.caption = (
        "Settings selected on val from the candidates of the config, by the lowest AURC of msp, or by the lowest FPR "
        "at 95 % TPR against the OOD set that is named, which is then not tested; and the passes through the model per "
        f"test image{', mean over replicates' if len(replicates) > 1 else ''}. "
        "A prediction on the clean image is one forward."
    )
    return table


def _selected(chosen: dict, entry: dict) -> str:
    """Return the values of the settings that had more than one candidate."""
    selected = [key for key, value in entry.items() if isinstance(value, list) and len(value) > 1]
    text = ", ".join(_value(key, chosen[key]) for key in selected if key in chosen) or "one candidate"
    return f"{text}, by {chosen['tune_on']}" if "tune_on" in chosen else text


def _value(key: str, value: float) -> str:
    return f"ε {value:g}/255" if key == "epsilon_255" else f"{key.replace('_', ' ')} {value:g}"
