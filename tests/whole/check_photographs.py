"""studies/photographs.yaml on a folder of pictures that it was not made for: few, uneven, of several shapes."""

import shutil

import numpy as np
import pyarrow.parquet as pq
import yaml
from copies import ROOT, copy_repository, warm_jobs
from PIL import Image
from snakemake.utils import update_config

from selfdoubt.data import scenes
from selfdoubt.data.decoding import decode
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA
from selfdoubt.settings.study import load_study

SIZES = {"bag": 60, "boot": 45, "shirt": 30}  # pictures of each class
SHAPES = ((32, 48), (48, 32), (40, 40))  # portrait, landscape and square

TWINS = ("ce-twin-1", "ce-twin-2")

SMALLER = {  # what makes the study's own settings run in seconds; no arm, claim or figure is left out
    "replicates": 1,
    "datasets": {"photographs": {"size_px": 32, "corruptions": {"names": ["contrast"], "n_images": 9}}},
    "networks": {
        "convnet-photographs": {"widths": [4, 8, 16]},
        "lite0": {"family": "convnet", "widths": [8, 16, 32], "name": None, "pretrained": None, "input_px": None},
    },
    "recipes": {
        "photographs": {"epochs": 1, "validate_every": 1, "batch_size": 16},
        "fine-tuning": {"epochs": 1, "validate_every": 1, "batch_size": 16},
    },
    "segmenters": {"unet": {"epochs": 1, "colour_steps": 1}},
    "evaluation": {"n_resamples": 100, "guarantees": {"n_resplits": 5}},
    "figures": {"mask-sheet": {"n_images": 6, "n_columns": 3}},
}


def write_pictures(folder) -> None:
    """Write scenes of three kinds of clothes as PNG files of several shapes, a folder a class, no split."""
    table = pq.read_table(ROOT / "resources/fashion-mnist-12k/train.parquet").slice(0, 2000)
    labels, files = np.array(table["label"].to_pylist()), table["image"].to_pylist()
    for label, (name, n) in zip((8, 9, 6), SIZES.items(), strict=True):
        rows = np.flatnonzero(labels == label)[:n]
        clothes = np.stack([np.asarray(decode(files[row], str(row), 1)[0]) for row in rows])[:, None]
        pictures, _ = scenes.compose(clothes, rows.astype(np.int32), "pictures")
        (folder / name).mkdir(parents=True)
        for i, picture in enumerate(pictures):
            shape = SHAPES[i % len(SHAPES)]
            Image.fromarray(picture.transpose(1, 2, 0)).resize(shape).save(folder / name / f"{i}.png")


def test_without_the_page_of_pictures_and_the_sheet_no_figure_shows_a_photograph():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    update_config(config, yaml.safe_load((ROOT / "studies/photographs.yaml").read_text()))
    config |= {"data_folder": "photographs", "pictures": None}
    config["figures"]["mask-sheet"] = None
    kinds = {figure.kind for figure in load_study(config).figures.values()}
    assert kinds and not kinds & {"mask-gallery", "mask-sheet", "enhancement-examples", "message-examples"}


def test_the_study_runs_unchanged_on_other_pictures(tmp_path):
    write_pictures(tmp_path / "pictures")
    copy = copy_repository(tmp_path / "repository")
    shutil.copy(ROOT / "config.yaml", copy.folder)
    shutil.copy(ROOT / "studies/photographs.yaml", copy.folder)
    (copy.folder / "smaller.yaml").write_text(yaml.safe_dump(SMALLER))
    warm_jobs(copy)
    config = ["--configfile", "photographs.yaml", "smaller.yaml", "--config", f"data_folder={tmp_path / 'pictures'}"]
    found = copy.snakemake("--resources", "gpu=4", *config)
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]
    tables = copy.folder / "results/photographs/tables"
    metrics = table_files.read_table(tables / "metrics.parquet", METRICS_SCHEMA).to_pandas()
    accuracy = metrics[(metrics["metric"] == "accuracy") & (metrics["split"] == "test")]
    assert set(accuracy["name"]) == {"ce", *TWINS, "kd", "lite0", "cutmix", "background-swap", "trio"}
    assert accuracy["value"].notna().all() and set(accuracy["n"]) == {27}  # a fifth of each class
    claims = table_files.read_table(tables / "hypotheses.parquet", HYPOTHESES_SCHEMA).to_pandas()
    assert set(claims["study"]) == {"distillation", "enhancers", "mask-cutmix", "communication"}
    page = (copy.folder / "results/photographs/report/index.html").read_text()
    assert "One replicate shows no variation between trainings." in page
    assert "claims are conditional on this training pool" in page
