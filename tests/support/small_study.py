"""A study on a few real images with hardly any training, and the digests of what it makes."""

import hashlib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from copies import ROOT, Copy, copy_repository

N_IMAGES = {"train": 200, "val": 60, "test": 100}
NOT_REPEATED = {"results/default/tables/costs.parquet"}  # seconds and memory


def tiny(config: dict) -> dict:
    """The tests' study with one replicate, fewer arms and hardly any training."""
    config["replicates"] = [1]
    config["datasets"]["fashion-mnist-12k"]["source"] = "embedded:tiny"
    config["datasets"]["fashion-mnist-12k"]["corruptions"] = {"names": ["contrast"], "severities": [5], "n_images": 50}
    config["recipes"]["short"].update(epochs=1, batch_size=64)
    del config["baselines"]["label-smoothing"], config["augmented"]["cutmix"]
    del config["enhancers"]["anti-adversary"], config["hypotheses"]["persuasion-beats-placebo"]
    config["groups"]["trio"] = {"members": ["ce", "kd"], "protocols": ["mean-probability", "persuasion"]}
    for entry in config["enhancers"].values():
        entry["epsilon_255"] = [1, 2]
    config["evaluation"]["n_resamples"] = 100
    del config["figures"]["risk-coverage-cutmix"], config["figures"]["risk-coverage-enhancers"]  # of one kind
    config["figures"]["mask-gallery"]["n_images"] = 4
    config["pictures"] = {"n_images": 2, "thumbnail_px": 28, "max_kb": 20}
    gone = {"label-smoothing", "cutmix", "ce/anti-adversary", "trio/mean-logit", "trio/persuasion-placebo"}
    for study in config["studies"].values():
        study["arms"] = [arm for arm in study["arms"] if arm not in gone]
    config["studies"]["mask-cutmix"].update(reference="ce", arms=["mask-cutmix"])
    config["hypotheses"]["masks-mend-cutmix"]["than"] = "ce"
    for figure in config["figures"].values():
        if "arms" in figure:
            figure["arms"] = [arm for arm in figure["arms"] if arm not in gone]
    config["figures"]["enhancement-examples"].update(enhancers=["odin", "random-sign"], n_images=2)
    return config


def smallest(config: dict) -> dict:
    """Two baselines with hardly any training, and all that leads from them to a page with a claim and a figure."""
    tiny(config)
    sections = ("teachers", "students", "augmented", "robust", "segmenters", "enhancers", "groups", "protocols")
    config |= {section: {} for section in (*sections, "ood_sets")}
    del config["datasets"]["fashion-mnist-12k"]["ood"], config["datasets"]["fashion-mnist-12k"]["corruptions"]
    config["baselines"]["label-smoothing"] = {**config["baselines"]["ce"], "label_smoothing": 0.1}
    config["evaluation"].update(scores=["msp"], metrics=["accuracy", "aurc"])
    study, claim = config["studies"]["distillation"], config["hypotheses"]["kd-ranks-better"]
    config["studies"] = {"distillation": study | {"reference": "ce", "arms": ["label-smoothing"]}}
    config["hypotheses"] = {"smoothing-ranks-better": claim | {"better": "label-smoothing", "than": "ce"}}
    config["comparisons"] = []
    config["figures"] = {"risk-coverage": config["figures"]["risk-coverage"] | {"arms": ["ce", "label-smoothing"]}}
    return config


def two_models(config: dict) -> None:
    """A teacher, and a baseline that trains long enough to be cancelled on the way, in one figure; nothing else."""
    config["replicates"] = [1]
    config["datasets"]["fashion-mnist-12k"].update(source="embedded:tiny", ood=[], corruptions=None)
    config["recipes"]["short"].update(epochs=1, batch_size=64)
    config["recipes"]["long"] = config["recipes"]["short"] | {"epochs": 40}
    config["baselines"] = {"ce": {"network": "convnet-small", "recipe": "long"}}
    for section in ("students", "augmented", "robust", "segmenters", "enhancers", "protocols", "groups"):
        config[section] = {}
    config["evaluation"]["n_resamples"] = 100
    config["comparisons"] = config["comparisons"][:1]
    config["studies"] = {"distillation": config["studies"]["distillation"] | {"arms": ["teacher"]}}
    config["hypotheses"] = {"kd-ranks-better": config["hypotheses"]["kd-ranks-better"] | {"better": "teacher"}}
    config["figures"] = {"risk-coverage": config["figures"]["risk-coverage"] | {"arms": ["ce", "teacher"]}}


def small_copy(folder: Path, change) -> Copy:
    """A copy of the repository with a data set of a few real images, `embedded:tiny`, and change(config) applied."""
    copy = copy_repository(folder)
    (folder / "resources").unlink()
    (folder / "resources").mkdir()
    (folder / "resources/datatables").symlink_to(ROOT / "resources/datatables")
    for split, n in N_IMAGES.items():
        path = folder / f"resources/tiny/{split}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table = pq.read_table(ROOT / f"resources/fashion-mnist-12k/{split}.parquet")
        pq.write_table(table.slice(0, n), path)
    copy.edit_config(change)
    return copy


def digests(copy: Copy) -> dict[str, str]:
    """The digest of every table, checkpoint and figure."""
    paths = [p for p in sorted(copy.folder.glob("results/**/*")) if p.suffix in (".parquet", ".safetensors", ".svg")]
    names = {str(path.relative_to(copy.folder)): path for path in paths}
    return {name: hashlib.sha256(p.read_bytes()).hexdigest() for name, p in names.items() if name not in NOT_REPEATED}


def of_perfect_predictions(config: dict) -> dict:
    """Two models of others, correct on every image, and all that leads from their predictions to a page."""
    tiny(config)
    sections = ("teachers", "baselines", "students", "augmented", "robust", "segmenters", "enhancers", "ood_sets")
    config |= {section: {} for section in sections}
    config["datasets"] = {"toys": {"source": "predictions", "val_fraction": 0.5}}
    config["predictions"] = {name: {"test": f"{name}.npz"} for name in ("a", "b")}
    config["protocols"] = {"mean": {"method": "mean-probability"}}
    config["groups"] = {"pair": {"members": ["a", "b"], "protocols": ["mean"]}}
    study, claim = config["studies"]["distillation"], config["hypotheses"]["kd-ranks-better"]
    config["studies"] = {"distillation": study | {"reference": "a", "arms": ["b", "pair/mean"]}}
    config["hypotheses"] = {
        "ranks-better": claim | {"better": "b", "than": "a"},
        "separates-better": claim | {"better": "b", "than": "a", "metric": "auroc"},
    }
    config["comparisons"] = [{"metric": metric, "score": "msp", "split": "test"} for metric in ("aurc", "auroc")]
    kinds = ("risk-coverage", "reliability", "auroc-accuracy")
    config["figures"] = {kind: config["figures"][kind] | {"dataset": "toys"} for kind in kinds}
    config["figures"]["risk-coverage"] |= {"arms": ["a", "pair/mean"]}
    config["figures"]["reliability"] |= {"arms": ["a", "b"]}
    return config


def write_perfect_predictions(folder: Path, n: int = 60) -> None:
    """The files of `of_perfect_predictions`."""
    labels = np.arange(n) % 3
    for seed, name in enumerate(("a", "b")):
        logits = np.random.default_rng(seed).uniform(0, 1, (n, 3)) + 3 * np.eye(3)[labels]
        np.savez(folder / f"{name}.npz", logits=logits, label=labels)
