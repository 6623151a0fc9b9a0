"""Folders of finished runs, with the tables and the config of `small_report`."""

from pathlib import Path

import yaml
from helpers import SCHEMAS
from small_report import COMPARISON, HYPOTHESIS, METRICS, SETTINGS

from selfdoubt.runtime import table_files

NUMBERS = [row | {"warning": None} for row in METRICS]
CLAIM = HYPOTHESIS | {"warning": None}


def write_run(folder: Path, metrics=NUMBERS, comparisons=(COMPARISON,), hypotheses=(CLAIM,), **settings) -> Path:
    """Write what commands for finished runs read; settings: changes of the config."""
    tables = {"metrics": metrics, "comparisons": comparisons, "hypotheses": hypotheses}
    for name, rows in tables.items():
        table_files.write_rows(folder / f"tables/{name}.parquet", [*rows], SCHEMAS[name])
    (folder / "report").mkdir()
    config = SETTINGS | {"labels": {"kd": "KD & co_1", "ce": "CE"}} | settings
    (folder / "report/config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return folder
