"""Evaluate predictions from any model: evaluate_predictions.py FILE ... [--val FILE] [--ood FILE] [--output FILE]

FILE is Parquet, CSV or NPZ with a column label and logits: one list column "logits", columns logit_0, logit_1, ..., or
NPZ arrays logits (n, C) and label (n,). Each FILE is a model on test; the definitions are in docs/metrics.md.
"""

import argparse
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from selfdoubt import foreign_predictions, schemas
from selfdoubt.errors import UserError
from selfdoubt.evaluation import evaluate
from selfdoubt.metrics import FAMILIES
from selfdoubt.scores import SCORES


def main():
    arguments = _parser().parse_args()
    try:
        if arguments.format == "parquet" and not arguments.output:
            raise UserError("--format parquet prints nothing; name a file by --output")
        rows = [row for path in arguments.files for row in _evaluate(path, arguments)]
        if arguments.output:
            schemas.write_rows(arguments.output, rows, schemas.SCHEMAS["metrics"])
        if arguments.format == "json":
            print(json.dumps(rows, indent=1))
        elif arguments.format == "table":
            print(table(rows))
    except (UserError, OSError) as fault:
        print(f"evaluate_predictions: {fault}", file=sys.stderr)
        sys.exit(2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="predictions on test, a file a model")
    parser.add_argument("--val", type=Path, metavar="FILE", help="on val: temperature and p are fitted there")
    parser.add_argument(
        "--ood", type=Path, metavar="FILE", help="on images of other classes; their classes, if any, as ood_class"
    )
    parser.add_argument("--probabilities", action="store_true", help="the numbers are probabilities, not logits")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the metrics table (Parquet) here")
    parser.add_argument("--format", choices=["table", "json", "parquet"], default="table", help="what is printed")
    parser.add_argument("--scores", nargs="+", choices=list(SCORES), default=list(SCORES), metavar="SCORE")
    parser.add_argument("--bins", type=int, default=15, help="of the calibration errors (15)")
    parser.add_argument("--resamples", type=int, default=0, help="for 95 %% bootstrap intervals; 0: none")
    return parser


def _evaluate(path: Path, arguments: argparse.Namespace) -> list[dict]:
    """Return the rows of the metrics table of one file."""
    predictions = {"test": foreign_predictions.read(path, arguments.probabilities)}
    if arguments.val:
        predictions["val"] = foreign_predictions.read(arguments.val, arguments.probabilities)
    if arguments.ood:
        predictions["ood-given"] = foreign_predictions.read(arguments.ood, arguments.probabilities, False)
    n_classes = predictions["test"].logits.shape[1]
    for name, given in (("val", arguments.val), ("ood-given", arguments.ood)):
        if name in predictions and predictions[name].logits.shape[1] != n_classes:
            found = predictions[name].logits.shape[1]
            raise UserError(f"{given}: has {found} classes and {path} {n_classes}; give predictions of one model")
    settings = SimpleNamespace(
        scores=arguments.scores,
        metrics=FAMILIES,
        ece_bins=arguments.bins,
        selective_accuracies_percent=[90, 95, 97, 99, 99.5],
        coverages_percent=[50, 70, 80, 90],
        n_resamples=arguments.resamples,
        resampled_splits=["test"] if arguments.resamples else [],
    )
    identity = {"dataset": "given", "name": path.stem, "role": "given", "seed": 0, "variant": "clean"}
    return evaluate(predictions, settings, identity)


def table(rows: list[dict]) -> str:
    """Return the numbers on test and out of distribution for people: a block a file, a row a metric."""
    frame = pd.DataFrame(rows)
    blocks = []
    for name, found in frame[frame.split != "val"].groupby("name", sort=False):
        known = found.dropna(subset="value").assign(text=lambda rows: [_text(row) for row in rows.itertuples()])
        shown = known.pivot(index=["split", "metric"], columns="score", values="text")
        shown = shown.reindex(index=pd.MultiIndex.from_frame(known[["split", "metric"]].drop_duplicates()))
        shown = shown[[score for score in ["none", *SCORES] if score in shown]].rename(columns={"none": "-"})
        body = shown.to_string(na_rep="")
        missing = found[found.value.isna()].groupby("reason", sort=False).score.unique()
        notes = [f"no number for {', '.join(scores)}: {reason}" for reason, scores in missing.items()]
        blocks.append("\n".join([f"{name}  (n = {found.n.iloc[0]:,})", body, *notes]))
    return "\n\n".join(blocks)


def _text(row) -> str:
    """Return the value, and its interval where there is one."""
    interval = "" if pd.isna(row.low) else f" ({row.low:.4f}-{row.high:.4f})"
    return f"{row.value:.4f}{interval}"


if __name__ == "__main__":
    main()
