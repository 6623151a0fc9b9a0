"""What the report is made from."""

from dataclasses import dataclass, field

import pandas as pd

from selfdoubt.report.arms import BY_NAME, Arms


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
    enhancements: pd.DataFrame = field(default_factory=pd.DataFrame)  # ENHANCEMENTS
    arms: Arms = BY_NAME
