"""What jobs ask a scheduler for: the sums of docs/clusters.md by hand."""

from types import SimpleNamespace

import pytest
import torch
import yaml
from copies import ROOT, Copy
from snakemake.utils import update_config

from selfdoubt.models import inference
from selfdoubt.runtime import methods
from selfdoubt.runtime.methods import names_in
from selfdoubt.settings import memory
from selfdoubt.settings.catalog import settings_of
from selfdoubt.settings.study import load_study


def dataset(source: str, **given) -> SimpleNamespace:
    return SimpleNamespace(
        **{"source": source, "storage": "arrays", "size_px": None, "channels": None, "max_gb": 4} | given
    )


def settings_by_name(section: str, name: str):
    return methods.load(f"settings.{section}", name)


def recipe(**given) -> SimpleNamespace:
    return SimpleNamespace(**{"batch_size": 128, "gpu": 1, "n_workers": 0, "device": "auto"} | given)


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


def test_images_of_a_folder_are_no_more_than_its_files(tmp_path):
    for i in range(600):
        path = tmp_path / f"{('train/a', 'test/b', 'masks/train')[i % 3]}/{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    source, images_mb = f"folder:{tmp_path}", 400 * 3 * 512 * 512 / 1e6
    assert memory.images_mb(dataset(source, size_px=512)) == images_mb
    assert memory.job_mb(dataset(source, size_px=512), memory.MAP_BYTES) == round(2000 + 8 * (images_mb - 250))
    assert memory.job_mb(dataset(source, size_px=64), memory.MAP_BYTES) == 2000
    assert memory.images_mb(dataset(source, size_px=512, max_gb=0.1)) == 100
    assert memory.images_mb(dataset(source)) == 4000  # of any size
    ood = SimpleNamespace(source=source, n_images=None)
    assert memory.ood_mb(dataset("cifar10"), ood) == 400 * 3 * 32 * 32 / 1e6
    assert memory.images_mb(dataset(f"parquet:{tmp_path}", size_px=64)) == 4000


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


@pytest.fixture
def imagenet():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    update_config(config, yaml.safe_load((ROOT / "studies/imagenet.yaml").read_text()))
    return load_study(config).datasets["imagenet"]


def test_images_of_imagenet_stay_in_their_files_but_for_corrupted_and_ood_ones(imagenet):
    """5,000 images of 224 px at three severities are one file of 2.3 GB."""
    corrupted_mb = 3 * 5000 * 3 * 224 * 224 / 1e6
    assert memory.job_mb(imagenet) == 2000
    assert memory.corrupting_mb(imagenet) == round(2000 + 2 * (corrupted_mb - 250)) == 6016
    ood = SimpleNamespace(source="folder:/photos", n_images=4000)
    ood_mb = 4000 * 3 * 224 * 224 / 1e6
    assert memory.converting_mb(imagenet, ood) == round(2000 + 2 * (ood_mb - 250))
    unknown = SimpleNamespace(source="folder:/photos", n_images=None)
    assert memory.converting_mb(imagenet, unknown) == 2000 + 2 * (4000 - 250)  # max_gb: more is refused
    same = SimpleNamespace(source="imagenet:/mine", n_images=None)
    assert memory.converting_mb(imagenet, same) == 2000 + 2 * (4000 - 250)


def test_logits_of_all_images_count(imagenet):
    """A fiftieth of train is val; three corruptions at three severities are 45,000 images; a set of 4,000 of others."""
    ood = SimpleNamespace(source="folder:/photos", n_images=4000)
    clean_mb = 4 * 1000 * (25_623 + 50_000 + 4_000) / 1e6
    whole_mb = clean_mb + 4 * 1000 * 45_000 / 1e6
    assert memory.logits_mb(imagenet, [ood]) == whole_mb
    assert memory.predicting_mb(imagenet, [ood]) == round(6015.8 + 4 * whole_mb)  # with one file of images
    assert memory.reading_mb(imagenet, [ood]) == round(500 + 6 * whole_mb)
    assert memory.drawing_mb(imagenet, [ood]) == round(500 + 10 * whole_mb)
    assert memory.combining_mb(imagenet, [ood], 5) == round(500 + (5 * 3 + 4) * whole_mb)
    images = 2000 + 2 * (4000 * 3 * 224 * 224 / 1e6 - 250)  # with those of the OOD set
    assert memory.enhancing_mb(imagenet, [ood], 6) == round(images + 4 * clean_mb + 6 * 4 * 1000 * 25_623 / 1e6)
    held = memory.enhancing_mb(imagenet, [ood], 6, shifted=True) - memory.enhancing_mb(imagenet, [ood], 6)
    n_corruptions = len(imagenet.corruptions.names)
    assert held == pytest.approx(2 * n_corruptions * memory.corrupted_mb(imagenet) + 4 * (whole_mb - clean_mb), abs=1)
    assert memory.communicating_mb(imagenet, [ood], 3) == round(images + (3 * 3 + 4) * clean_mb)


def test_features_are_of_training_and_predicted_images():
    given = dataset("cifar10", val_fraction=0.1, corruptions=None, shifted={})
    network = settings_by_name("families", "convnet").Settings(family="convnet", widths=[16, 32, 64])
    features_mb = 2 * 64 * (50_000 + 5_000 + 50_000) / 1e6  # train, val, and test, whose size is not stated
    assert memory.features_mb(given, [], network) == pytest.approx(features_mb)
    assert memory.extracting_mb(given, [], network) == memory.predicting_mb(given, [], network) + round(2 * features_mb)
    unknown = settings_by_name("families", "timm").Settings(family="timm", name="resnet50")
    assert memory.features_mb(given, [], unknown) == pytest.approx(features_mb * 2048 / 64)
    logits_mb = memory.logits_mb(given, [])
    assert memory.scoring_mb(given, [], unknown) == round(500 + 12 * features_mb * 32 + 6 * logits_mb)


@pytest.mark.parametrize(
    ("network", "size_px", "expected"),
    [
        ({"family": "convnet", "widths": [32, 64, 64]}, 28, 0),
        ({"family": "resnet-cifar", "depth": 20}, 32, 0),
        # 9 * 9 * (160 ** 2 + 320 ** 2 + 640 ** 2) parameters; 2**22 / 3 pixels of 4 times 160 channels, 4 bytes each
        ({"family": "wide-resnet", "depth": 28, "widen_factor": 10}, 64, 2753),
        ({"family": "wide-resnet", "depth": 28, "widen_factor": 10}, 32, 485),  # 500 images
        ({"family": "timm", "name": "resnet50"}, 224, 0),
        ({"family": "timm", "name": "vit_large_patch16_224"}, 32, 758),
        ({"family": "timm", "name": "vit_giant_patch14_224"}, 224, 7358),
    ],
)
def test_a_network_that_is_not_small_takes_more(network, size_px, expected):
    given = dataset("cifar10", size_px=size_px, val_fraction=0.1, corruptions=None, shifted={})
    entry = settings_by_name("families", network["family"]).Settings(**network)
    alone = memory.predicting_mb(given, [])
    assert memory.predicting_mb(given, [], entry) - alone == memory.more_mb(entry, given)
    assert memory.more_mb(entry, given) == pytest.approx(expected, abs=5)


def test_teachers_are_in_memory_at_once():
    """9 * (160 ** 2 + 320 ** 2 + 640 ** 2) * 9 parameters and more of each, at 4 bytes."""
    network = settings_by_name("families", "wide-resnet").Settings(family="wide-resnet", depth=28, widen_factor=10)
    one_mb = 4 * network.size().parameters / 1e6
    assert memory.teachers_mb([network] * 5) == 0 < 5 * one_mb < 1000
    assert memory.teachers_mb([network] * 10) == round(10 * one_mb - 1000)


def test_families_state_a_size_that_is_near_and_batches_are_those_of_inference():
    assert (memory.BATCH_VALUES, memory.LARGEST_BATCH) == (inference.BATCH_VALUES, inference.LARGEST_BATCH)
    entries = {
        "convnet": {"widths": [32, 64, 64]}, "resnet-cifar": {"depth": 56}, "timm": {"name": "resnet18"},
        "wide-resnet": {"depth": 16, "widen_factor": 4},
    }  # fmt: skip
    assert {*entries} <= {name.replace("_", "-") for name in names_in("settings.families")}
    for family, keys in entries.items():
        entry = settings_by_name("families", family).Settings(family=family, **keys)
        model = methods.load("models.families", family).build(entry, 10, 3, 32).body
        n = sum(each.numel() for each in model.parameters())
        assert 0.8 * n <= entry.size().parameters, family
        if family != "timm":
            assert entry.size().parameters <= 1.5 * n, family
            assert 0.95 <= entry.size().kept_a_pixel / kept_a_pixel(model) <= 1.3, family


def kept_a_pixel(model) -> float:
    """What autograd keeps of an image of 32 px beside the weights, numbers for each pixel."""
    weights, kept = {each.data_ptr() for each in model.parameters()}, {}

    def keep(tensor):
        if tensor.data_ptr() not in weights:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        logits = model.eval()(torch.rand(1, 3, 32, 32, requires_grad=True))
    assert logits.requires_grad
    return sum(kept.values()) / 4 / 32**2


@pytest.mark.parametrize(("depth", "measured_mib"), [(20, 1773), (56, 3398)])
def test_gradients_of_a_batch_count_where_they_are_on_the_host(depth, measured_mib):
    """Measured of odin and anti-adversary on published networks of CIFAR-10, by the kernel."""
    given = dataset("cifar10", val_fraction=0.1, corruptions=None, shifted={})
    network = settings_by_name("families", "resnet-cifar").Settings(family="resnet-cifar", depth=depth)
    measured_mb = measured_mib * 2**20 / 1e6
    assert measured_mb < memory.enhancing_mb(given, [], 1, network) < 1.3 * measured_mb
    assert memory.communicating_mb(given, [], 4, [network] * 4) > measured_mb
    assert memory.enhancing_mb(given, [], 1) < 2200 and memory.communicating_mb(given, [], 4) < 2200


def test_training_counts_activations_where_it_is_kept_from_gpus():
    network = settings_by_name("families", "wide-resnet").Settings(family="wide-resnet", depth=28, widen_factor=10)
    values = 4 * network.size().parameters + 1.5 * network.size().kept_a_pixel * 128 * 32**2
    expected = round(2000 + 4 * values / 1e6 - 1000)
    assert memory.training_mb(dataset("cifar10"), recipe(device="cpu", batch_size=128), network) == expected
    assert memory.training_mb(dataset("cifar10"), recipe(batch_size=128), network) == 2000


def test_a_clean_and_a_mixed_batch_go_through_the_network_as_one(config):
    network = settings_by_name("families", "wide-resnet").Settings(family="wide-resnet", depth=28, widen_factor=10)
    known = dataset("cifar10"), recipe(device="cpu", batch_size=128), network
    twice = dataset("cifar10"), recipe(device="cpu", batch_size=256), network
    assert memory.training_mb(*known, n_batches=2) == memory.training_mb(*twice) > memory.training_mb(*known)
    config["augmented"]["both"] = config["augmented"]["cutmix"] | {
        "mixing": config["augmented"]["cutmix"]["mixing"] | {"also_clean": 0.5}
    }
    mixed = {"method": "regmixup", "alpha": 10, "eta": 1}
    config["baselines"]["mixed"] = config["baselines"]["ce"] | {"techniques": [mixed]}
    models = load_study(config).models
    assert [models[name].n_batches for name in ("ce", "cutmix", "both", "mixed", "kd")] == [1, 1, 2, 2, 1]


@pytest.mark.parametrize(
    ("source", "n_images", "n_classes"),
    [
        ("cifar100", 55_000, 100),
        ("tiny-imagenet:/mine", 110_000, 200),
        ("folder:/photos", 55_000, 1000),  # of which nothing is known
    ],
)
def test_tables_of_logits_of_known_sources_and_of_folders(source, n_images, n_classes):
    given = dataset(source, val_fraction=0.1, corruptions=None, shifted={})
    assert memory.logits_mb(given, []) == 4 * n_images * n_classes / 1e6


def test_classes_and_images_of_a_folder_are_counted(tmp_path):
    """1,200 classes of one image in train: those of train alone count, and of images the files of all splits."""
    for split, n in (("train", 1200), ("test", 100)):
        for i in range(n):
            (tmp_path / split / f"{i:04}").mkdir(parents=True)
            (tmp_path / split / f"{i:04}/a.png").touch()
    given = {"val_fraction": 0.1, "corruptions": None, "shifted": {}}
    in_splits = dataset(f"folder:{tmp_path}", **given)
    assert memory.logits_mb(in_splits, []) == 4 * 1200 * (130 + 1300) / 1e6
    without_splits = dataset(f"folder:{tmp_path / 'train'}", **given)
    assert memory.logits_mb(without_splits, []) == 4 * 1200 * (120 + 1200) / 1e6
    ood = [SimpleNamespace(source=f"folder:{tmp_path / 'test'}", n_images=None)]
    assert memory.logits_mb(without_splits, ood) == 4 * 1200 * (120 + 1200 + 100) / 1e6
    assert memory.stacking_mb(in_splits, [], 3, 4, 5) > memory.combining_mb(in_splits, [], 3)


def test_every_source_whose_size_is_known_states_its_number_of_classes():
    known = [settings_of(name) for name in names_in("settings.sources")]
    assert [hasattr(source, "LARGEST_SPLIT") for source in known] == [hasattr(source, "N_CLASSES") for source in known]


def test_stacking_takes_more_than_other_protocols_where_classes_are_many(imagenet):
    assert memory.stacking_mb(imagenet, [], 3, 4, 5) > 2 * memory.combining_mb(imagenet, [], 3)
    assert memory.stacking_mb(dataset("cifar10", val_fraction=0.1, corruptions=None, shifted={}), [], 3, 4, 5) < 3000


def test_the_metrics_of_many_arms_count():
    assert (memory.collecting_mb(42), memory.collecting_mb(42, memory.FIGURE_MB)) == (2000, 1000)
    assert memory.collecting_mb(3000) == 500 + 2 * 3000
    assert (memory.rendering_mb(42, 8), memory.rendering_mb(3000, 8)) == (1000, 500 + 4 * 3000 + 20 * 8)


def shifting(source="cifar10", corrupted=None, shifted=None, **given):
    chosen = corrupted and SimpleNamespace(source=corrupted, names=["fog", "snow"], severities=[1, 5], n_images=None)
    return dataset(source, val_fraction=0.1, corruptions=chosen, shifted=shifted or {}, **given)


def sparse(path, n_bytes: int) -> str:
    """Make a file of a size, which cannot be read as anything."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(n_bytes)
    return str(path)


def test_published_corruptions_take_what_their_files_hold(tmp_path):
    """Two severities of 10,000 images of 3 x 32 x 32, or enlarged."""
    for name in ("fog", "snow"):
        sparse(tmp_path / f"{name}.npy", 5 * 10_000 * 3072 + 128)
    sparse(tmp_path / "labels.npy", 50_128)
    source, file_mb = f"cifar-c:{tmp_path}", 2 * 10_000 * 3072 / 1e6
    assert memory.corrupted_mb(shifting(corrupted=source)) == file_mb
    assert memory.corrupted_mb(shifting(corrupted=source, size_px=64)) == 4 * file_mb
    assert memory.corrupted_mb(shifting(corrupted=source, size_px=64, max_gb=0.1)) == 2 * 100  # more is refused
    assert memory.corrupted_mb(shifting("folder:/photos", source)) == 2 * 4000  # of any size
    assert memory.predicted_images(shifting(corrupted=source), []) == 55_000 + 2 * 2 * 10_000
    grown = memory.predicting_mb(shifting(corrupted=source, size_px=64), [])
    assert grown > memory.predicting_mb(shifting(corrupted=source), [])


@pytest.mark.parametrize("source", ["imagenet-c:/none", "cifar-c:/none"])
def test_published_corruptions_of_unknown_number_are_as_many_as_test(source):
    files = shifting("imagenet:/mine", source, storage="files", size_px=64, channels=3)
    each_mb = 50_000 * 3 * 64 * 64 / 1e6
    assert memory.corrupted_mb(files) == 2 * each_mb
    assert memory.corrupting_mb(files) == round(2000 + 2 * (2 * each_mb - 250))
    assert memory.predicted_images(files, []) - memory.predicted_images(shifting("imagenet:/mine"), []) == 4 * 50_000
    files.size_px, files.max_gb = 224, 1
    assert memory.corrupted_mb(files) == 2 * 1000
    assert memory.corrupted_mb(shifting("folder:/photos", source, size_px=64)) == 2 * 4000


def test_re_collected_sets_take_what_they_hold(tmp_path):
    """Labels of a byte each are the most that a file of labels holds; what is packed may take max_gb."""
    sparse(tmp_path / "v7_data.npy", 2**20)
    sparse(tmp_path / "v7_labels.npy", 8_000)
    plain, packed = f"numpy:{tmp_path}/v7_data.npy", "numpy:" + sparse(tmp_path / "v2.npz", 2**20)
    large = shifting("imagenet:/mine", shifted={"v7": plain}, storage="files", size_px=224)
    own_mb = 8_000 * 3 * 224 * 224 / 1e6
    assert memory.recollecting_mb(large, plain) == memory.corrupting_mb(large) + 2 * round(own_mb - 250)
    assert memory.recollecting_mb(large, packed) == 2000 + 2 * (4000 - 250)
    of_few = shifting(shifted={"v7": plain})
    assert memory.recollecting_mb(of_few, plain) == 2000
    assert memory.predicted_images(of_few, []) == 55_000 + 8_000
    predicted = memory.predicting_mb(large, [])
    table_mb = memory.logits_mb(large, [])
    assert predicted == round(2000 + 2 * (own_mb - 250) + 4 * table_mb)


def test_a_study_asks_for_the_memory_of_re_collected_and_corrupted_files(copy):
    for name in ("fog", "snow"):
        sparse(copy.folder / f"c/{name}.npy", 5 * 60_000 * 3072)
    sparse(copy.folder / "c/labels.npy", 300_000)
    sparse(copy.folder / "again_data.npy", 2**20)
    sparse(copy.folder / "again_labels.npy", 400_000)

    def shifted(config):
        config["datasets"]["fashion-mnist-12k"] |= {
            "corruptions": {"source": "cifar-c:c", "names": ["fog", "snow"], "severities": [1, 2], "n_images": None},
            "shifted": {"again": "numpy:again_data.npy"},
        }

    copy.edit_config(shifted)
    n_mb = 3 * 32 * 32 / 1e6
    images = memory.images_mb(dataset("embedded:fashion-mnist-12k"))
    for path, held in (("corrupted/fog", 2 * 60_000 * n_mb), ("shifted/again", 400_000 * n_mb)):
        job = f"results/default/data/fashion-mnist-12k/{path}.safetensors"
        shown = copy.snakemake("-n", "--", job)
        assert f"mem_mb={round(2000 + 2 * (images + held - 250))}," in shown.stdout, shown.stdout + shown.stderr


@pytest.mark.parametrize(
    ("n", "n_classes", "bytes_a_value"), [(10_000, 10, 4), (50_000, 1000, 2), (200_000, 21_000, 4)]
)
def test_predictions_without_images_take_what_their_files_hold(tmp_path, n, n_classes, bytes_a_value):
    given = SimpleNamespace(source="predictions", val_fraction=0.5)
    path = sparse(tmp_path / "a.npz", bytes_a_value * n * n_classes)
    found = memory.of_predictions(given, [[], [path]])
    table_mb, n_bytes = 4 * n * n_classes / 1e6, memory.logits_mb(found, [])
    assert table_mb <= n_bytes <= 3.1 * table_mb  # as float16 at most, and half of it again as val
    assert memory.reading_mb(found, []) == max(2000, round(500 + 6 * n_bytes))
    if n >= 10 * n_classes:
        known = found.__dict__ | {"LARGEST_SPLIT": (n,), "N_CLASSES": n_classes}
        assert memory.stacking_mb(found, [], 3, 1, 5) >= memory.stacking_mb(SimpleNamespace(**known), [], 3, 1, 5)


def test_predictions_of_ood_images_need_no_entry_of_a_set(copy):
    """Of which there are predictions alone: the dry run asks for memory all the same."""
    for name in ("a.npz", "b.npz"):
        (copy.folder / name).touch()
    sections = (
        "students",
        "augmented",
        "baselines",
        "teachers",
        "robust",
        "segmenters",
        "enhancers",
        "groups",
        "protocols",
        "studies",
    )

    def of_predictions(config):
        config |= {key: {} for key in (*sections, "hypotheses", "figures", "manipulation_checks")} | {"comparisons": []}
        config["datasets"] = {"toys": {"source": "predictions", "ood": ["far"]}}
        config["predictions"] = {"a": {"test": "a.npz", "ood": {"far": "b.npz"}}}

    copy.edit_config(of_predictions)
    found = copy.snakemake("-n")
    assert found.returncode == 0 and "mem_mb" in found.stdout, found.stdout[-2000:] + found.stderr[-2000:]
