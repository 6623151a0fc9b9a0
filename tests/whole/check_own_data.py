"""A whole study from one's own images: a table, a folder, CIFAR's pickles; all that a user gives is a config."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from copies import Copy, copy_repository, warm_jobs
from PIL import Image
from small_data import encode, write_cifar

from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA

LEAVE_OUT = {  # of config.yaml: a study of two models is enough here
    "students": ["kd", "kd-no-labels"],
    "baselines": ["label-smoothing"],
    "augmented": ["cutmix", "mask-cutmix"],
    "robust": ["robust"],
    "segmenters": ["unet"],
    "enhancers": ["odin", "anti-adversary", "random-sign"],
    "groups": ["trio"],
    "studies": ["enhancers", "mask-cutmix", "communication"],
    "hypotheses": ["kd-ranks-better", "odin-beats-placebo", "masks-mend-cutmix"],
    "figures": ["reliability", "enhancement-examples", "risk-coverage-enhancers", "mask-gallery"],
}
LEAVE_OUT["figures"] += ["risk-coverage-cutmix", "persuasion-matrix"]
LEAVE_OUT["hypotheses"] += ["persuasion-lifts-accuracy", "persuasion-beats-placebo"]


def overrides(name: str, dataset: dict) -> dict:
    """What a user writes into a file of their own, beside the data set."""
    config = {section: dict.fromkeys(entries) for section, entries in LEAVE_OUT.items()}
    config |= {"replicates": [1], "datasets": {"fashion-mnist-12k": None, name: dataset}, "comparisons": []}
    config["recipes"] = {"short": {"epochs": 1, "batch_size": 16}}
    config["networks"] = {f"convnet-{size}": {"widths": [4, 4]} for size in ("small", "medium")}
    config["evaluation"] = {"n_resamples": 100}
    config["studies"]["distillation"] = {"arms": ["teacher"]}
    config["figures"]["risk-coverage"] = {"arms": ["ce", "teacher"]}
    return config


def run(folder: Path, config: dict) -> Copy:
    copy = copy_repository(folder)
    warm_jobs(copy)
    (folder / "own.yaml").write_text(yaml.safe_dump(config))
    found = copy.snakemake("--resources", "gpu=4", "--configfile", "own.yaml")
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]
    return copy


def check(copy: Copy, name: str, n_test: int) -> str:
    """Numbers exist for both models, and the page shows the data set; returns the page."""
    table = table_files.read_table(copy.folder / "results/default/tables/metrics.parquet", METRICS_SCHEMA).to_pylist()
    accuracies = [row for row in table if row["metric"] == "accuracy" and row["split"] == "test"]
    assert {row["name"] for row in accuracies} == {"teacher", "ce"}
    assert all(row["n"] == n_test and 0 <= row["value"] <= 1 and row["dataset"] == name for row in accuracies)
    page = (copy.folder / "results/default/report/index.html").read_text()
    assert f"Images of {name}" in page
    return page


def some_pictures(n_by_name: dict[str, int]) -> list[tuple[str, bytes]]:
    """PNG files of several sizes, each with the name of its class, which are brighter one by one."""
    draws, found = np.random.default_rng(0), []
    for label, (name, n) in enumerate(n_by_name.items()):
        for _ in range(n):
            pixels = draws.integers(0, 100, (*draws.integers(20, 50, 2), 3)) + 50 * label
            found.append((name, encode(pixels.astype(np.uint8))))
    return found


@pytest.mark.parametrize("kind", ["parquet", "folder"])
def test_pictures_in_a_table_or_in_files(tmp_path, kind):
    pictures = some_pictures({"ant": 40, "bee": 25, "O'Hara & $co": 15})  # names as people have them
    photos = tmp_path / ("my photos" if kind == "folder" else "my photos.parquet")
    dataset = {"source": f"{kind}:{photos}", "size_px": 24, "ood": ["digits"]}
    config = overrides("photos", dataset)
    if kind == "parquet":
        names, images = zip(*pictures, strict=True)
        pq.write_table(pa.table({"image": [{"bytes": image} for image in images], "label": names}), photos)
    else:
        for i, (name, image) in enumerate(pictures):
            (photos / name).mkdir(parents=True, exist_ok=True)
            (photos / name / f"{i}.png").write_bytes(image)
        config["recipes"]["short"] |= {"shift_px": 0, "crop": {"min_area": 0.5, "max_aspect": 1.3}, "n_workers": 1}
        dataset["corruptions"] = {"names": ["contrast"], "severities": [5], "n_images": 6}
        dataset["storage"] = "files"
    copy = run(tmp_path / "repository", config)
    page = check(copy, "photos", n_test=16)
    assert "OOD AUROC digits" in page
    outside = str(photos).encode()
    holders = [path for path in copy.folder.glob("results/*/**/*") if path.is_file() and outside in path.read_bytes()]
    tops = {path.relative_to(copy.folder / "results").parts[:2] for path in holders}
    assert tops <= {("default", "report"), ("default", "logs")}


def test_cifars_pickles_with_a_corrupted_and_a_foreign_set(tmp_path):
    write_cifar(tmp_path / "cifar-10-batches-py")
    write_cifar(tmp_path / "cifar-100-python", fine=True)
    (tmp_path / "cifar-10-c").mkdir()
    draws = np.random.default_rng(0)
    np.save(tmp_path / "cifar-10-c/fog.npy", draws.integers(0, 256, (100, 32, 32, 3)).astype(np.uint8))
    np.save(tmp_path / "cifar-10-c/labels.npy", np.tile(np.arange(10), 10))
    np.savez(tmp_path / "again.npz", images=np.zeros((20, 32, 32, 3), np.uint8), labels=np.arange(20) % 10)
    corruptions = {"source": f"cifar-c:{tmp_path / 'cifar-10-c'}", "names": ["fog"], "severities": [1, 5]}
    dataset = {"source": f"cifar10:{tmp_path / 'cifar-10-batches-py'}", "ood": ["cifar100"]}
    dataset |= {"corruptions": corruptions, "shifted": {"again": f"numpy:{tmp_path / 'again.npz'}"}}
    config = overrides("cifar10", dataset)
    foreign = {
        "source": f"cifar100:{tmp_path / 'cifar-100-python'}",
        "n_images": 50,
        "overlap": "Trucks & cars.",
    }
    config["ood_sets"] = {"cifar100": foreign}
    copy = run(tmp_path / "repository", config)
    page = check(copy, "cifar10", n_test=10)
    assert "Trucks &amp; cars." in page and "accuracy again" in page and "OOD AUROC cifar100" in page
    table = table_files.read_table(copy.folder / "results/default/tables/metrics.parquet", METRICS_SCHEMA)
    assert {"fog-1", "fog-5", "shifted-again", "ood-cifar100"} <= set(table["split"].to_pylist())


def test_faults_of_ones_own_data_are_reported_in_one_line(tmp_path):
    """What is seen while the DAG is built stops it; what is seen by the job stands in its log, which is shown."""
    copy = copy_repository(tmp_path / "repository")
    for source, message in {
        "folder:missing": "datasets.own.source: missing is missing",
        "cifar10:missing": "missing/data_batch_1 is missing",
        "folder": "folder:PATH",
        "cifar11": "did you mean 'cifar10'",
        "folder:odd": "odd/{x}: a path cannot have braces",
        "folder:one": "the data set has one class ('only')",
    }.items():
        for folder in ("one/only", "odd/{x}"):
            (copy.folder / folder).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 9)).save(copy.folder / "one/only/a.png")
        (copy.folder / "own.yaml").write_text(yaml.safe_dump(overrides("own", {"source": source, "size_px": 16})))
        found = copy.snakemake("--resources", "gpu=4", "--configfile", "own.yaml")
        shown = found.stdout + found.stderr
        assert found.returncode == 1 and message in shown and "Traceback" not in shown
