"""Predictions as other people write them, and many calls of the command that reads them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import evaluate_predictions
from selfdoubt.runtime import table_files

DRAWS = np.random.default_rng(0)
N, C = 50, 4
LABELS = DRAWS.integers(0, C, N)
LOGITS = DRAWS.normal(size=(N, C)).round(3)
LOGITS[np.arange(N), LABELS] += 1
OTHER = LOGITS + DRAWS.normal(size=LOGITS.shape)
SCRIPT = Path(evaluate_predictions.__file__)
KINDS = ("csv", "parquet-columns", "parquet-list", "parquet-fixed", "npz")
FORKS = """
import gc, json, os, sys, traceback
import evaluate_predictions

gc.freeze()
codes = []
for i, words in enumerate(json.loads(sys.stdin.read())):
    if not (child := os.fork()):
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"{i}.{name}", os.O_CREAT | os.O_WRONLY), number)
        sys.argv = ["evaluate_predictions.py", *words]
        code = 0
        try:
            evaluate_predictions.main()
        except SystemExit as end:
            code = end.code
        except BaseException:
            code = traceback.print_exc() or 1
        sys.stdout.flush()
        os._exit(code)  # to take an interpreter down takes longer than the rest
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(codes))
"""


def wide(logits=LOGITS, labels=LABELS) -> pd.DataFrame:
    frame = pd.DataFrame(logits, columns=[f"logit_{k}" for k in range(logits.shape[1])])
    return frame.assign(label=labels)


def write(path: Path, kind: str, logits=LOGITS, labels=LABELS) -> Path:
    """Write the predictions in one of the forms that are read; columns are in any order."""
    if kind == "csv":
        wide(logits, labels).sample(frac=1, axis=1, random_state=1).to_csv(path, index=False)
    elif kind == "parquet-columns":
        wide(logits, labels).sample(frac=1, axis=1, random_state=1).to_parquet(path, row_group_size=7)
    elif kind == "parquet-list":
        pq.write_table(pa.table({"label": labels, "logits": pa.array(list(logits))}), path, row_group_size=7)
    elif kind == "parquet-fixed":
        fixed = pa.FixedSizeListArray.from_arrays(pa.array(logits.ravel()), logits.shape[1])
        pq.write_table(pa.table({"label": labels, "logits": fixed}), path)
    else:
        np.savez(path, logits=logits, label=labels)
    return path


def suffix(kind: str) -> str:
    return kind.split("-")[0]


def run_all(calls: list[list[str]], folder: Path) -> list[tuple[int, str, str]]:
    """Return code, output and errors of the command for each list of words, each in a fork of one process.

    What the interpreter itself writes, warnings and stack traces, is in the errors as well.
    """
    environment = os.environ | {"PYTHONPATH": str(SCRIPT.parent)}
    command = [sys.executable, "-c", FORKS]
    given = json.dumps([[str(word) for word in words] for words in calls])
    done = subprocess.run(command, input=given, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    codes = json.loads(done.stdout)
    printed = [[(folder / f"{i}.{name}").read_text() for name in ("out", "err")] for i in range(len(codes))]
    return [(code, *texts) for code, texts in zip(codes, printed, strict=True)]


def run(capsys, *arguments) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
        patch.setenv("COLUMNS", "120")
        code = 0
        try:
            evaluate_predictions.main()
        except SystemExit as end:
            code = end.code
    out, err = capsys.readouterr()
    return code, out, err


def table_of(path, splits: dict, labels=LABELS):
    """A predictions table of the pipeline; splits: name -> logits (n, C), of the first n labels."""
    n = {split: len(logits) for split, logits in splits.items()}
    known = {split: np.full(n[split], -1) if split.startswith("ood-") else labels[: n[split]] for split in splits}
    columns = {
        "split": [split for split in splits for _ in range(n[split])],
        "image_id": np.arange(sum(n.values()), dtype=np.int32),
        "label": np.concatenate(list(known.values())).astype(np.int16),
        "logits": pa.FixedSizeListArray.from_arrays(np.concatenate(list(splits.values())).astype("f4").ravel(), C),
    }
    schema = table_files.predictions_schema(C)
    table_files.write_table(path, pa.table(columns).cast(schema), schema)
    return path


def pipelines(path: Path) -> Path:
    """A predictions table of the pipeline: val, test and an OOD split, of the same logits."""
    return table_of(path, dict.fromkeys(("val", "test", "ood-far"), LOGITS))
