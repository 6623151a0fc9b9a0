"""What jobs ask a scheduler for: the sums of docs/clusters.md by hand."""

from types import SimpleNamespace

import pytest
import yaml
from copies import ROOT, Copy
from snakemake.utils import update_config

from selfdoubt.settings import memory
from selfdoubt.settings.study import load_study


def dataset(source: str, **given) -> SimpleNamespace:
    return SimpleNamespace(
        **{"source": source, "storage": "arrays", "size_px": None, "channels": None, "max_gb": 4} | given
    )


def recipe(**given) -> SimpleNamespace:
    return SimpleNamespace(**{"batch_size": 128, "gpu": 1, "n_workers": 0} | given)


def test_the_default_study_takes_2_gb_a_job(config):
    study = load_study(config)
    (images,) = study.datasets.values()
    assert memory.training_mb(images, study.recipes["short"]) == 2000
    assert memory.job_mb(images) == memory.job_mb(images, memory.MAP_BYTES) == 2000


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (dataset("cifar10"), 2000),  # 50,000 x 3 x 32 x 32 bytes are 154 MB, and 250 are in the 2000
        (dataset("tiny-imagenet"), round(2000 + 2 * (100_000 * 3 * 64 * 64 / 1e6 - 250))),
        (dataset("cifar10", size_px=64), round(2000 + 2 * (50_000 * 3 * 64 * 64 / 1e6 - 250))),
        (dataset("tiny-imagenet:/mine", channels=1), round(2000 + 2 * (100_000 * 64 * 64 / 1e6 - 250))),
        (dataset("cifar10", size_px=512), 2000 + 2 * (4000 - 250)),  # more than max_gb is refused
        (dataset("folder:/photos"), 2000 + 2 * (4000 - 250)),
        (dataset("folder:/photos", max_gb=0.1), 2000),
    ],
)
def test_images_in_memory_are_there_twice(given, expected):
    assert memory.job_mb(given) == expected == memory.training_mb(given, recipe())


def test_a_segmenters_maps_are_floats():
    assert memory.job_mb(dataset("folder:/photos"), memory.MAP_BYTES) == 2000 + 8 * (4000 - 250)


def test_every_process_counts_and_so_do_the_batches_that_are_decoded_ahead():
    files = dataset("imagenet:/mine", storage="files", size_px=224, channels=3)
    batch_mb = 1024 * 3 * 224 * 224 / 1e6
    expected = 8 * 2000 + 8 * 8 * 500 + (2 * 8 + 1) * batch_mb
    assert memory.training_mb(files, recipe(batch_size=1024, gpu=8, n_workers=8)) == round(expected)
    assert memory.job_mb(files) == 2000
    assert memory.training_mb(dataset("cifar10"), recipe(gpu=2, n_workers=8)) == 2 * 2000  # arrays are not decoded


def test_a_rule_asks_for_more_at_each_attempt_and_a_larger_guess_reruns_nothing(copy):
    job = "results/default/checkpoints/fashion-mnist-12k/ce/replicate-1.safetensors"
    shown = copy.snakemake("-n", "--forcerun", "train_baseline", "--", job).stdout
    assert "mem_mb=2000" in shown
    copy.edit("workflow_scripts/selfdoubt/settings/memory.py", "PROCESS_MB = 2000", "PROCESS_MB = 3000")
    assert "mem_mb=3000" in Copy(copy.folder).snakemake("-n", "--forcerun", "train_baseline", "--", job).stdout
    assert copy.jobs() == set()


def test_each_job_of_imagenet_asks_for_what_its_images_take(config):
    """5,000 images of 224 px at three severities are one file of 2.3 GB; the others stay in their files."""
    update_config(config, yaml.safe_load((ROOT / "studies/imagenet.yaml").read_text()))
    study = load_study(config)
    images = study.datasets["imagenet"]
    corrupted_mb = 3 * 5000 * 3 * 224 * 224 / 1e6
    assert memory.job_mb(images) == memory.holding_mb(images, []) == 2000
    expected = round(2000 + 2 * (corrupted_mb - 250))
    assert memory.predicting_mb(images, []) == memory.corrupting_mb(images) == expected == 6016
    ood = SimpleNamespace(source="folder:/photos", n_images=4000)
    ood_mb = 4000 * 3 * 224 * 224 / 1e6
    assert memory.converting_mb(images, ood) == memory.holding_mb(images, [ood]) == round(2000 + 2 * (ood_mb - 250))
    assert memory.holding_mb(images, [ood, ood]) == round(2000 + 2 * (2 * ood_mb - 250))
    unknown = SimpleNamespace(source="folder:/photos", n_images=None)
    assert memory.predicting_mb(images, [unknown]) == 2000 + 2 * (4000 - 250)  # max_gb: more is refused
