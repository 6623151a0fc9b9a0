"""The small tables of each study under docs/findings: whole, or of those data sets that have been run.

A verdict over several data sets needs no images, only the contrasts of each (tables/contrasts): so a study may be run a
data set at a time, on different machines, and be decided when the last is done.
"""

import subprocess
import sys
from itertools import product
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from selfdoubt.evaluation import hypotheses  # noqa: E402
from selfdoubt.runtime import costs  # noqa: E402
from selfdoubt.runtime.cli import parse_settings  # noqa: E402
from selfdoubt.runtime.provenance import canonical  # noqa: E402
from selfdoubt.runtime.schemas.comparisons import COMPARISONS_SCHEMA  # noqa: E402
from selfdoubt.runtime.schemas.contrasts import CONTRASTS_SCHEMA  # noqa: E402
from selfdoubt.runtime.schemas.costs import COSTS_SCHEMA  # noqa: E402
from selfdoubt.runtime.schemas.counts import COUNTS_SCHEMA  # noqa: E402
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA  # noqa: E402
from selfdoubt.runtime.schemas.information import INFORMATION_SCHEMA  # noqa: E402
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA  # noqa: E402
from selfdoubt.runtime.table_files import read_metadata, read_table, write_table  # noqa: E402
from selfdoubt.settings.decisions import decision_settings  # noqa: E402
from selfdoubt.settings.metrics import metric  # noqa: E402
from selfdoubt.settings.study import Study, parse_arm  # noqa: E402

KEPT = ROOT / "docs/findings"
WHOLE = {
    "metrics": METRICS_SCHEMA,
    "comparisons": COMPARISONS_SCHEMA,
    "hypotheses": HYPOTHESES_SCHEMA,
    "costs": COSTS_SCHEMA,
}
SCHEMAS = WHOLE | {  # of each data set
    "contrasts": CONTRASTS_SCHEMA,
    "counts": pa.schema([("dataset", pa.string()), *COUNTS_SCHEMA]),
    "information": INFORMATION_SCHEMA,
}
LATER = {  # columns that tables which are kept may lack
    "comparisons": ("margin", "low_family", "high_family", "n_replicates_needed", "n_replicates_negligible")
}
SHOWN = {  # of the metrics that are kept
    "split": ["test"],
    "score": ["none", "msp"],
    "metric": ["accuracy", "auroc", "aurc", "augrc", "nll"],
}


def path_of(study: Study, name: str) -> Path:
    return KEPT / f"{study.run}-{name}.parquet"


def small(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the few numbers that are kept of each replicate."""
    for column, values in SHOWN.items():
        metrics = metrics[metrics[column].isin(values)]
    return metrics


def keep(study: Study, name: str, table: pd.DataFrame, metadata: dict | None = None) -> None:
    """Write a table of a study."""
    rows = pa.Table.from_pandas(table, schema=SCHEMAS[name], preserve_index=False)
    write_table(path_of(study, name), rows, SCHEMAS[name], metadata)


def progress(folder: Path, study: Study) -> dict[str, tuple[int, int]]:
    """Return, of each data set, how many tables of metrics are there, and of how many."""
    paths = {dataset: metrics_paths(folder, study, dataset) for dataset in study.datasets}
    return {dataset: (sum(path.exists() for path in found), len(found)) for dataset, found in paths.items()}


def metrics_paths(folder: Path, study: Study, dataset: str) -> list[Path]:
    arms = map(parse_arm, study.arms())
    return [
        folder / f"metrics/{dataset}/{name}/replicate-{replicate}/{variant}.parquet"
        for name, variant in arms
        for replicate in study.replicates_of(name)
    ]


def keep_part(folder: Path, study: Study, dataset: str, commit: str) -> None:
    """Put the tables of a data set that was run in the place of those that are kept of it."""
    metrics = [read_table(path, METRICS_SCHEMA).to_pandas() for path in metrics_paths(folder, study, dataset)]
    jobs = [path.relative_to(folder / "benchmarks").with_suffix("") for path in folder.glob("benchmarks/**/*.tsv")]
    own_jobs = [str(job) for job in jobs if job.parts[1:2] == (dataset,)]
    new = {
        "metrics": small(pd.concat(metrics)),
        "contrasts": read_table(folder / f"contrasts/{dataset}.parquet", CONTRASTS_SCHEMA).to_pandas(),
        "costs": pd.DataFrame(costs.read_benchmarks(folder / "benchmarks", own_jobs, folder / "logs")),
        "counts": read_table(folder / f"data/{dataset}/counts.parquet", COUNTS_SCHEMA).to_pandas(),
    }
    new["counts"].insert(0, "dataset", dataset)
    if (path := folder / f"information/{dataset}.parquet").exists():
        new["information"] = read_table(path, INFORMATION_SCHEMA).to_pandas()
    for name, table in new.items():
        metadata = {"commits": commits(study) | {dataset: commit}} if name == "contrasts" else None
        replace(study, name, dataset, table, metadata)


def replace(study: Study, name: str, dataset: str, table: pd.DataFrame, metadata: dict | None = None) -> None:
    """Put the rows of a data set in the place of those that are kept of it."""
    before = kept(study, name)
    others = before[of_data_set(before, name) != dataset]
    keep(study, name, pd.concat([others, table] if len(others) else [table]), metadata)


def of_data_set(table: pd.DataFrame, name: str) -> pd.Series:
    """Return the data set of each row of a table."""
    return table["job"].str.split("/").str[0] if name == "costs" else table["dataset"]


def kept(study: Study, name: str) -> pd.DataFrame:
    """Return a table that is kept; empty if there is none, and with nulls in columns that are younger than its file."""
    path, schema = path_of(study, name), SCHEMAS[name]
    if not path.exists():
        return schema.empty_table().to_pandas()
    there = pq.read_schema(path).names
    lacking = [field for field in schema if field.name in LATER.get(name, ()) and field.name not in there]
    table = read_table(path, pa.schema([field for field in schema if field not in lacking]))
    for field in lacking:
        table = table.append_column(field, pa.nulls(len(table), field.type))
    return table.select(schema.names).to_pandas()


def kept_whole(study: Study) -> dict[str, pd.DataFrame]:
    """Return the tables of a study as they are kept, decided again where its contrasts are kept, for its section."""
    if tables := decided(study):
        return tables
    tables = {name: kept(study, name) for name in WHOLE}
    return tables | {"comparisons": with_parts(tables["comparisons"], tables["hypotheses"])}


def with_parts(comparisons: pd.DataFrame, hypotheses: pd.DataFrame) -> pd.DataFrame:
    """Return comparisons with the parts, accuracy and ranking, of claims about rankings, as claims have them now.

    Where a claim is not repeated by AUGRC, but its arms were compared by it in no claim, that is the same number.
    """
    place = ["dataset", "study", "better", "than", "score", "split"]
    augrc = comparisons[comparisons["metric"] == "augrc"]
    repeated = augrc["hypothesis"].dropna()
    rankings = hypotheses[hypotheses["metric"].map(lambda name: metric(name).kind == "ranking").astype(bool)]
    claimed = rankings.loc[~rankings["hypothesis"].isin(repeated), ["hypothesis", "metric", "score", "split"]]
    claimed = comparisons.merge(claimed.drop_duplicates(), on=[*claimed.columns])
    explored = augrc[augrc["hypothesis"].isna()].drop(columns="hypothesis")
    found = explored.merge(claimed[[*place, "hypothesis"]], on=place).assign(repeats=True, p_holm=None)
    return pd.concat([comparisons, found[comparisons.columns]], ignore_index=True) if len(found) else comparisons


def commits(study: Study) -> dict[str, str]:
    """Return the commit at which each data set whose contrasts are kept was run."""
    path = path_of(study, "contrasts")
    return read_metadata(path)["commits"] if path.exists() else {}


def decided(study: Study) -> dict[str, pd.DataFrame] | None:
    """Return the tables of a study from the contrasts that are kept; None if a data set is missing."""
    if {*commits(study)} != {*study.datasets}:
        return None
    contrasts = read_table(path_of(study, "contrasts"), CONTRASTS_SCHEMA).to_pylist()
    tables = hypotheses.decide(contrasts, parse_settings(canonical(decision_settings(study))))
    frames = {name: pa.Table.from_pylist(rows, schema=SCHEMAS[name]).to_pandas() for name, rows in tables.items()}
    return {"metrics": kept(study, "metrics"), **frames, "costs": kept(study, "costs")}


def commit_of(checkout: Path) -> str:
    described = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    return subprocess.run(described, check=False, capture_output=True, text=True).stdout.strip() or "not known"


def mask_tables(folder: Path, study: Study) -> list[Path]:
    """Return the tables of mask quality that are there."""
    found = {
        folder / f"masks/{dataset}/{segmenter}/replicate-{study.segmented_by(segmenter, replicate)}.quality.parquet": 0
        for dataset, segmenter, replicate in product(study.datasets, study.segmenters, study.present)
    }
    return [path for path in found if path.exists()]
