"""Predictions that others made, as tables of the pipeline."""

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from foreign_files import DRAWS, LABELS, LOGITS, OTHER, N

from selfdoubt.communication import combining
from selfdoubt.data.datasets import Split, write_splits
from selfdoubt.evaluation import metrics_table
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.external.arms import import_predictions
from selfdoubt.external.files import read
from selfdoubt.runtime import table_files
from selfdoubt.runtime.errors import UserError

HALF = SimpleNamespace(numbers=None, val_fraction=0.5, split_seed=0)
MEAN = SimpleNamespace(method="mean-probability")
NETWORKS = {  # fraction of the 10,000 test images of CIFAR-10 that each classifies correctly
    "densenet_BC_100_12": 0.9562, "pyramidnet_basic_110_270": 0.9621, "resnet_basic_110": 0.9406,
    "resnet_preact_bottleneck_164": 0.9428, "resnext_29_8x64d": 0.9646, "vgg_15_BN_64": 0.9318, "wrn_28_10": 0.9624,
    "shake_shake_26_2x64d_SSI_cutout16": 0.9730,
}  # fmt: skip


def imported(folder: Path, settings=HALF, splits=(), **files) -> pa.Table:
    output = folder / "table.parquet"
    import_predictions({key.replace("_", "-"): path for key, path in files.items()}, splits, output, settings, {})
    return table_files.read_table(output)


def archive(path: Path, **arrays) -> Path:
    np.savez(path, **arrays)
    return path


def test_val_is_drawn_by_class_and_alike_for_all_models(tmp_path):
    ids, order = np.array([f"{i}.png" for i in range(N)]), DRAWS.permutation(N)
    a = archive(tmp_path / "a.npz", logits=LOGITS, label=LABELS, filename=ids)
    b = archive(tmp_path / "b.npz", logits=OTHER[order], label=LABELS[order], filename=ids[order])
    a, b = imported(tmp_path, test=a), imported(tmp_path, test=b)
    assert a["split"].equals(b["split"]) and a["image_id"].equals(b["image_id"]) and a["label"].equals(b["label"])
    found = predictions_by_split(a)
    assert abs(len(found["val"].labels) - N / 2) <= 2
    for split, other in (("val", "test"), ("test", "val")):
        assert not {*found[split].image_ids} & {*found[other].image_ids}
        rows = [int(name.removesuffix(".png")) for name in found[split].image_ids]
        np.testing.assert_array_equal(found[split].logits, LOGITS[rows].astype("f4"))


def test_without_a_fraction_all_rows_are_test(tmp_path):
    path = archive(tmp_path / "a.npz", logits=LOGITS, label=LABELS)
    settings = SimpleNamespace(numbers="logits", val_fraction=0, split_seed=0)
    assert {*imported(tmp_path, settings, test=path)["split"].to_pylist()} == {"test"}
    table = imported(tmp_path, settings, test=path, val=path, ood_far=path)
    assert table["split"].to_pylist() == ["val"] * N + ["test"] * N + ["ood-far"] * N


def images(folder: Path, ids: np.ndarray) -> list[Path]:
    split = Split(np.zeros((N, 1, 8, 8), np.uint8), LABELS, ids.astype(np.int32))
    write_splits(folder / "test.safetensors", {"test": split}, {})
    return [folder / "test.safetensors"]


def test_rows_are_put_in_the_order_of_the_images(tmp_path):
    ids, order = DRAWS.permutation(1000)[:N], DRAWS.permutation(N)
    splits = images(tmp_path, ids)
    path = archive(tmp_path / "a.npz", logits=LOGITS[order], label=LABELS[order], image_id=ids[order])
    table = imported(tmp_path, splits=splits, test=path)
    assert table["image_id"].to_pylist() == ids.tolist() and table["label"].to_pylist() == LABELS.tolist()
    path = archive(tmp_path / "b.npz", logits=LOGITS[order], label=LABELS[order])
    with pytest.raises(UserError, match=r"b\.npz: image .* has label"):
        imported(tmp_path, splits=splits, test=path)
    path = archive(tmp_path / "c.npz", logits=LOGITS, label=LABELS, image_id=np.append(ids[1:], 5000))
    with pytest.raises(UserError, match=r"c\.npz: is not of the data set's images: image_id"):
        imported(tmp_path, splits=splits, test=path)


def test_confidences_are_scores_of_the_pipeline(tmp_path):
    frame = pd.DataFrame(
        {"label": LABELS, "pred": LOGITS.argmax(1), "conf": DRAWS.random(N), "energy": DRAWS.random(N)}
    )
    frame.to_csv(tmp_path / "a.csv", index=False)
    found = predictions_by_split(imported(tmp_path, test=tmp_path / "a.csv"))
    settings = SimpleNamespace(
        scores=["msp", "msp-ts", "energy"], metrics=["accuracy", "auroc", "ece", "nll"], ece_bins=15,
        selective_accuracies_percent=[], coverages_percent=[], n_resamples=100, resampled_splits=["test"],
    )  # fmt: skip
    rows = {(r["score"], r["metric"]): r for r in metrics_table.evaluate(found, settings, {}) if r["split"] == "test"}
    assert rows["msp", "auroc"]["low"] < rows["msp", "auroc"]["value"] and rows["msp", "ece"]["value"] is not None
    assert rows["energy", "auroc"]["value"] is not None and ("energy", "ece") not in rows
    assert "needs logits" in rows["msp-ts", "auroc"]["reason"] and "all classes" in rows["msp", "nll"]["reason"]
    with pytest.raises(UserError, match="no logits are known"):
        combining.combine([table_files.read_table(tmp_path / "table.parquet")] * 2, MEAN)
    for other in ("conf_b", "msp"):
        frame.assign(**{other: 1}).to_csv(tmp_path / "b.csv", index=False)
        with pytest.raises(UserError, match=rf"b.csv: .*'{other}'.* name each column after a score") as refused:
            imported(tmp_path, test=tmp_path / "b.csv")
        assert "'conf'" in str(refused.value) and "energy" not in str(refused.value).partition("name each")[0]


def test_members_of_a_group_are_matched_by_their_images(tmp_path):
    path = archive(tmp_path / "a.npz", logits=LOGITS, label=LABELS)
    table = imported(tmp_path, test=path)
    shuffled = table.take(DRAWS.permutation(N))
    expected, _ = combining.combine([table, table], MEAN)
    assert combining.combine([table, shuffled], MEAN)[0].equals(expected)
    fewer = table.slice(0, N - 1)
    names = ["member 'a' (a.parquet)", "member 'b' (b.parquet)"]
    missing = rf"has image_id {table['image_id'][N - 1]} of test, which"
    for tables, has, lacks in (([table, fewer], "a", "b"), ([fewer, table], "b", "a")):
        pattern = rf"^member '{has}' \({has}.parquet\): {missing} member '{lacks}' \({lacks}.parquet\)"
        with pytest.raises(UserError, match=pattern):
            combining.combine(tables, MEAN, names)
    twice = table.take([*range(N), 0])
    with pytest.raises(UserError, match=r"member 'b' .* has an image twice"):
        combining.combine([table, twice], MEAN, names)
    labels = table.schema.get_field_index("label")
    other = table.set_column(labels, table.schema.field("label"), table["label"].take([*range(1, N), 0]))
    with pytest.raises(UserError, match=r"member 'b' .*: its labels are not those of member 'a'"):
        combining.combine([table, other], MEAN, names)
    with pytest.raises(UserError, match=r"member 'b' .*: no logits are known"):
        combining.combine([table, table.drop(["logits"])], MEAN, names)


@pytest.mark.skipif("SELFDOUBT_DATA" not in os.environ, reason="SELFDOUBT_DATA names no folder of real data")
@pytest.mark.parametrize("name", NETWORKS)
def test_published_networks_have_their_accuracy(name):
    folder = Path(os.environ["SELFDOUBT_DATA"], "predictions/cifar10-8-networks")
    assert read(folder / f"{name}.npz").correct.mean() == pytest.approx(NETWORKS[name], abs=1e-9)
