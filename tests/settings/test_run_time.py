"""The minutes that jobs request: the sums of docs/clusters.md by hand."""

from types import SimpleNamespace

import pytest
import yaml
from copies import ROOT
from snakemake.utils import update_config

from selfdoubt.settings import run_time
from selfdoubt.settings.study import load_study

SMALL = SimpleNamespace(family="convnet", size=lambda: SimpleNamespace(parameters=1_000_000))
LARGE = SimpleNamespace(family="timm", size=lambda: SimpleNamespace(parameters=25_000_000))
PLAIN = SimpleNamespace(n_batches=1)


def dataset(**given) -> SimpleNamespace:
    known = {"source": "cifar10", "storage": "arrays", "size_px": None, "channels": None, "val_fraction": 0.1}
    return SimpleNamespace(**known | given)


def recipe(**given) -> SimpleNamespace:
    known = {"epochs": 10, "batch_size": 100, "gpu": 1, "n_workers": 0, "device": "auto", "threads": 1}
    return SimpleNamespace(**known | given)


def minutes(seconds: float) -> int:
    return round(10 + 4 * seconds / 60)


def test_a_training_on_a_processor():
    of_image = 0.15 * 1_000_000 * 32 * 32  # 1.5e8 multiplications
    expected = 10 * (50_000 * 3 * of_image + 5_000 * of_image) / (2 * 5e9)  # two threads
    found = run_time.training(dataset(), recipe(device="cpu", threads=2), PLAIN, SMALL)
    assert found == minutes(expected) == minutes(10 * 155_000 * 1.536e8 / 1e10)


def test_a_training_on_a_gpu_has_launches_too():
    computing = 10 * (50_000 * 3 + 5_000) * 1.536e8 / 2e13
    launching = 0.02 * 10 * 500 * 3
    assert run_time.training(dataset(), recipe(), PLAIN, SMALL) == minutes(computing + launching)


def test_a_clean_and_a_mixed_batch_techniques_and_teachers_take_more():
    on_cpu, plain = recipe(device="cpu"), PLAIN
    one = run_time.training(dataset(), on_cpu, plain, SMALL)
    assert run_time.training(dataset(), on_cpu, SimpleNamespace(n_batches=2), SMALL) > 1.8 * one
    attacked = SimpleNamespace(n_batches=1, techniques=[SimpleNamespace(n_steps=2)])
    assert run_time.training(dataset(), on_cpu, attacked, SMALL) > 2.5 * one
    by_signs = SimpleNamespace(n_batches=1, techniques=[SimpleNamespace(n_steps=None)])
    assert 1.5 * one < run_time.training(dataset(), on_cpu, by_signs, SMALL) < 2.5 * one
    assert run_time.training(dataset(), on_cpu, plain, SMALL, [SMALL, SMALL]) > 1.5 * one


def test_own_images_and_epochs_count():
    own = dataset(train_images_per_replicate=2000)
    assert (
        run_time.training(own, recipe(device="cpu"), PLAIN, SMALL)
        < run_time.training(own, recipe(device="cpu", epochs=20), PLAIN, SMALL)
        < run_time.training(dataset(), recipe(device="cpu"), PLAIN, SMALL)
    )


def test_image_files_are_decoded_by_the_workers():
    files = dataset(storage="files", size_px=224, source="folder:/nowhere")  # 50,000 images, where nothing is known
    with_workers = run_time.training(files, recipe(gpu=2, n_workers=5), PLAIN, LARGE)
    of_image = 0.004 * 25e6 * 224 * 224
    computing = 10 * (50_000 * 3 * of_image + 5_000 * of_image) / 2e13 / 2
    assert with_workers == minutes(computing + 10 * 50_000 / 100 / 10 + 0.02 * 10 * 500 * 3)


def test_predictions():
    computing = SimpleNamespace(device="cpu", threads=1)
    assert run_time.predicting(10_000, dataset(), [SMALL, SMALL], computing, 3) == minutes(
        10_000 * 3 * 2 * 1.536e8 / 5e9
    )


def test_what_states_no_size_takes_the_least():
    assert run_time.predicting(1000, dataset(), [object()], SimpleNamespace(device="cpu", threads=1)) == 10


@pytest.mark.parametrize(("study", "least", "most"), [("", 10, 20), ("imagenet", 600, 30_000)])
def test_studies(study, least, most):
    """Minutes for small networks and few images, days for ImageNet."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    if study:
        update_config(config, yaml.safe_load((ROOT / f"studies/{study}.yaml").read_text()))
        config["data_folder"] = "/nowhere"
    loaded = load_study(config)
    images = next(iter(loaded.datasets.values()))
    for name, model in loaded.baselines.items():
        found = run_time.training(images, loaded.recipes[model.recipe], model, loaded.network_of(name))
        assert least <= found <= most, name
