"""What the report is made from."""

from dataclasses import dataclass, field

import pandas as pd

from selfdoubt.figures.texts import listed
from selfdoubt.report.arms import BY_NAME, Arms
from selfdoubt.settings.rounds import Round


@dataclass(frozen=True)
class Registration:
    """What was written down before the run, against what was evaluated."""

    file: str
    commit: str | None  # and its date; None where the file is not committed as it is
    differences: list[str]  # keys of the config that are not as registered
    evaluated_before: int = 0  # metric tables of its arms and replicates that were there when it was written
    rounds: list[Round] = field(default_factory=list)  # of studies that have several

    @property
    def holds(self) -> bool:
        """Whether it shows that what was evaluated was written down before, as far as the order of commits shows it."""
        complete = all(each.complete for each in self.rounds)
        return bool(self.commit) and not self.differences and not self.evaluated_before and complete

    @property
    def sentence(self) -> str:
        """Return it in words."""
        when = f"in commit {self.commit}" if self.commit else "but not committed, so that nothing shows when"
        text = f"Registered in {self.file}, {when}."
        if self.evaluated_before:
            tables = f"{self.evaluated_before} metric tables of its arms and replicates"
            text += f" {tables} were there already: not registered before the run."
        text += "".join(f" {_round_text(each)}" for each in self.rounds)
        if not self.differences:
            return f"{text} Claims, margins, families, arms and replicates are those that were registered."
        return f"{text} Not as registered: {listed(self.differences)}."


def _round_text(found: Round) -> str:
    text = f"{found.study}: round {found.number} of {found.of}, each at 1/{found.of} of the level"
    if not found.complete:
        return f"{text}; its earlier rounds are not recorded."
    return f"{text}; before it {listed([f'commit {each}' for each in found.earlier])}." if found.earlier else f"{text}."


@dataclass(frozen=True)
class Library:
    """A script that the page inlines."""

    name: str  # with its version
    source: str
    licence: str


@dataclass(frozen=True)
class ReportData:
    """All tables, figures and settings; a missing part is an empty table or dict, and its section is left out."""

    settings: dict  # the resolved study, keys as in config.yaml; the page follows the order of its entries
    metrics: pd.DataFrame  # METRICS
    comparisons: pd.DataFrame  # COMPARISONS
    hypotheses: pd.DataFrame  # HYPOTHESES
    costs: pd.DataFrame  # COSTS
    groups: pd.DataFrame  # GROUPS
    mask_quality: dict[tuple[str, str], list[pd.DataFrame]]  # (data set, segmenter) -> MASK_QUALITY of each replicate
    counts: dict[str, pd.DataFrame]  # data set -> COUNTS
    figures: dict[str, dict]  # name -> {"settings": its entry, "upper_bounds"; "svg", "png", "pdf": bytes or path}
    provenance: dict  # {"commit": str or None, "versions": {package: version}, further texts}
    gaps: pd.DataFrame = field(default_factory=pd.DataFrame)  # GAPS
    fidelity: pd.DataFrame = field(default_factory=pd.DataFrame)  # FIDELITY
    enhancements: pd.DataFrame = field(default_factory=pd.DataFrame)  # ENHANCEMENTS
    guarantees: pd.DataFrame = field(default_factory=pd.DataFrame)  # GUARANTEES
    information: pd.DataFrame = field(default_factory=pd.DataFrame)  # INFORMATION
    pictures: dict[tuple[str, str], pd.DataFrame] = field(default_factory=dict)  # (data set, study) -> PICTURES
    left_out: dict[str, list[str]] = field(default_factory=dict)  # study -> sentences; "": of studies that are missing
    library: Library | None = None  # of tables; None: a page without scripts
    registration: Registration | None = None
    arms: Arms = BY_NAME

    @property
    def is_registered(self) -> bool:
        """Whether claims may be called pre-registered."""
        return self.registration is not None and self.registration.holds
