"""Warnings of the tables, as the page shows them: at its top, and those of a study at the study."""

from collections import Counter
from dataclasses import dataclass, field

import pandas as pd

from selfdoubt.figures.texts import counted, listed
from selfdoubt.report.inputs import ReportData


@dataclass(frozen=True)
class Warned:
    """One warning in words, and what it is about, by which a study is known to need it."""

    text: str
    arms: dict[str, str] = field(default_factory=dict)  # as they are shown, before the text
    segmenter: str | None = None

    def of(self, arms: list[str]) -> str:
        """Return it about some arms alone, in their order."""
        return f"{listed([self.arms[arm] for arm in arms])} {self.text}" if arms else self.text


def warnings_of(data: ReportData, metrics: pd.DataFrame) -> list[Warned]:
    """Return all warnings about models and masks, then those about claims. metrics: with the column `arm`."""
    return [*_of_models(data, metrics), *_of_masks(data), *_of_claims(data)]


def of_study(found: list[Warned], arms: list[str], name: str, settings: dict) -> list[str]:
    """Return the texts of those that are about arms of a study, or about masks that it uses or shows."""
    mixed = {**(settings.get("augmented") or {}), **(settings.get("students") or {})}
    models = [mixed.get(arm.partition("/")[0], {}) for arm in arms]
    figures = [entry for entry in (settings.get("figures") or {}).values() if entry.get("study") == name]
    segmenters = {entry.get("segmenter") for entry in [*models, *figures]} - {None}
    about = [(warned, [arm for arm in arms if arm in warned.arms]) for warned in found]
    return [warned.of(own) for warned, own in about if own or warned.segmenter in segmenters]


def _of_models(data: ReportData, metrics: pd.DataFrame) -> list[Warned]:
    rows, found = metrics[metrics["warning"].notna()], []
    n_replicates = metrics.groupby(["dataset", "arm"])["replicate"].nunique()
    for (dataset, warning), part in rows.groupby(["dataset", "warning"], sort=False):
        shown = {}
        for arm, replicates in part.groupby("arm", sort=False)["replicate"].nunique().items():
            n = n_replicates[dataset, arm]
            some = f" ({replicates} of {counted(n, 'replicate')})" if replicates < n else ""
            shown[arm] = f"{data.arms.label(arm)}{some}"
        found.append(Warned(f"on {dataset}: {warning}.", shown))
    return found


def _of_masks(data: ReportData) -> list[Warned]:
    found = []
    for (dataset, segmenter), qualities in data.mask_quality.items():
        rows = pd.concat(qualities).dropna(subset="warning")
        for (stage, warning), n in Counter(zip(rows["stage"], rows["warning"], strict=True)).items():
            some = f" ({n} of {counted(len(qualities), 'replicate')})" if n < len(qualities) else ""
            found.append(Warned(f"{stage}s of {segmenter} on {dataset}{some}: {warning}.", segmenter=segmenter))
    return found


def _of_claims(data: ReportData) -> list[Warned]:
    rows = data.hypotheses[data.hypotheses["warning"].notna()].to_dict("records")
    return [Warned(f"{row['hypothesis']} on {row['dataset']}: {row['warning']}.") for row in rows]
