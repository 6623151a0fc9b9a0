"""After how many replicates claims are tested, and which training images these have in common, in sentences."""

import pandas as pd

from selfdoubt.figures.texts import counted, listed
from selfdoubt.report.formats import number
from selfdoubt.report.inputs import ReportData


def design_sentences(study: str, data: ReportData, claims: pd.DataFrame) -> list[str]:
    """Return after how many replicates the claims of a study are tested, and what these have in common.

    claims: rows of HYPOTHESES, of that study.
    """
    return [*_look_sentence(study, data.settings, claims), *_pool_sentences(data, claims)]


def _look_sentence(study: str, settings: dict, claims: pd.DataFrame) -> list[str]:
    looks = settings.get("looks")
    if not looks or claims.empty:
        return []
    look, level = settings["look"].get(study, 1), format(claims["alpha"].max(), "g")
    text = f"Claims are tested after {listed([str(n) for n in looks])} replicates, until the primary one is decided, "
    return [f"{text}each time at a level of {level}; this is look {look} of {len(looks)}."]


def _pool_sentences(data: ReportData, claims: pd.DataFrame) -> list[str]:
    """Return that claims are conditional on the training images, or how overlapping draws enter their variance.

    claims: rows of HYPOTHESES. Nothing where replicates have images of their own, or nothing is trained.
    """
    trained = any(data.settings.get(kind) for kind in ("teachers", "baselines", "students", "augmented", "robust"))
    entries = data.settings["datasets"] if trained else {}
    shared = [name for name, entry in entries.items() if not entry.get("train_images_per_replicate")]
    found = [_overlap(name, entry, data, claims) for name, entry in entries.items() if entry.get("overlapping_draws")]
    if shared:
        images = f"All replicates train on the same images of {listed(shared)}"
        found.insert(0, f"{images}: claims are conditional on this training pool.")
    return found


def _overlap(name: str, entry: dict, data: ReportData, claims: pd.DataFrame) -> str:
    own, counts = entry["train_images_per_replicate"], data.counts[name]
    train = counts[(counts["split"] == "train") & (counts["statistic"] == "images") & counts["label"].isna()]
    pool = int(train["count"].iloc[0])
    rho = own / pool
    text = (
        f"Draws of {name} overlap: each replicate trains on {number(own, 0)} of the same {number(pool, 0)} images, two "
        f"have a fraction ρ = {number(rho, 2)} of theirs in common, and the variance of the mean of n replicates is "
        "multiplied by 1 + nρ/(1 − ρ)"
    )
    rows = claims[(claims["units"] == "replicates") & claims["dataset"].str.split(", ").map(lambda d: name in d)]
    n = 0 if rows.empty else int(rows["n_replicates"].max())
    return f"{text}: by {number(1 + n * rho / (1 - rho), 2)} of {counted(n, 'replicate')}." if n > 1 else f"{text}."
