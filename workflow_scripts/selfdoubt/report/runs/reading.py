"""A finished run from its folder: config as run, labels of arms and tables."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import yaml

from selfdoubt.figures.points import with_arms
from selfdoubt.report.arms import Arms
from selfdoubt.report.crate import NAME
from selfdoubt.runtime import table_files
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.comparisons import COMPARISONS_SCHEMA
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA
from selfdoubt.settings.choices import not_one_of
from selfdoubt.settings.registry import settings_of
from selfdoubt.settings.upper_bounds import has_true_masks


@dataclass(frozen=True)
class Run:
    """What is read of a run; tables as soon as they are asked for."""

    folder: Path
    settings: dict
    arms: Arms
    commit: str  # in words

    @property
    def metrics(self) -> pd.DataFrame:
        """METRICS, with the column `arm`."""
        return with_arms(self._table("metrics", METRICS_SCHEMA))

    @property
    def comparisons(self) -> pd.DataFrame:
        """COMPARISONS."""
        return self._table("comparisons", COMPARISONS_SCHEMA)

    @property
    def hypotheses(self) -> pd.DataFrame:
        """HYPOTHESES."""
        return self._table("hypotheses", HYPOTHESES_SCHEMA)

    def _table(self, name: str, schema: pa.Schema) -> pd.DataFrame:
        return table_files.read_table(self.folder / f"tables/{name}.parquet", schema).to_pandas()


def read_run(folder: Path) -> Run:
    """Return a run; raises UserError, in one line, if there is no such folder or its report was not made."""
    path = folder / "report/config.yaml"
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; give that of a run, such as results/default")
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run snakemake to make the report of this run") from None
    except (UnicodeDecodeError, yaml.YAMLError):
        settings = None
    if not isinstance(settings, dict):
        raise UserError(f"{path}: is no config; delete it and run snakemake again")
    arms = Arms(settings.get("labels") or {}, frozenset(_upper_bounds(settings)))
    return Run(folder, settings, arms, _commit(folder / NAME))


def chosen(wanted: list[str] | None, known: list[str], kind: str) -> list[str]:
    """Return what was asked for, of all that there is; all where nothing was. Raises UserError at what is absent.

    kind: with its article.
    """
    for name in wanted or ():
        if name not in known:
            raise UserError(not_one_of(name, known, kind))
    return wanted or known


def _upper_bounds(settings: dict) -> list[str]:
    """Return the arms whose enhancer reads the true labels, and the models that mix by true masks."""
    methods = settings_of("enhancers")
    enhancers = settings.get("enhancers") or {}
    reading = {key: entry for key, entry in enhancers.items() if methods[entry["method"]].reads_labels}
    truths = {entry.get("mask_truth", "none") for entry in (settings.get("datasets") or {}).values()}
    mixed = {**(settings.get("augmented") or {}), **(settings.get("students") or {})}
    masked = [name for name, entry in mixed.items() if has_true_masks(entry.get("masks"), truths)]
    return masked + [f"{model}/{key}" for key, entry in reading.items() for model in entry["models"]]


def _commit(record: Path) -> str:
    """Return the commit by the record of the run."""
    try:
        entities = json.loads(record.read_text(encoding="utf-8"))["@graph"]
        return next(entity["version"] for entity in entities if entity["@id"].endswith("/Snakefile"))
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return "not known"
