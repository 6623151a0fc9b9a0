"""Replicates as the config may write them, and the training images that each has."""

import pytest
from wrong_configs import check_message, fault, put

from selfdoubt.settings.replicates import Draws
from selfdoubt.settings.study import load_study

DATASET = "datasets.fashion-mnist-12k"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (2, [1, 2]),
        ("2", [1, 2]),  # as `--config` may give it
        ({"from": 11, "n": 3}, [11, 12, 13]),
        ({"n": "2"}, [1, 2]),
        ([3, 1], [3, 1]),
    ],
)
def test_replicates_are_a_list_however_they_are_written(config, written, meant):
    config["segmenters"]["unet"]["teacher_replicate"] = config["figures"]["enhancement-examples"]["replicate"] = meant[
        0
    ]
    assert load_study(put(config, "replicates", written)).replicates == meant


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (0, "replicates: 1 0"),
        (-1, "replicates: 1 1"),
        (True, "replicates:"),
        (2.5, "replicates: 2.5"),
        ("some", "replicates: 'some'"),
        ({"from": 1}, "replicates.n:"),
        ({"from": -1, "n": 2}, "replicates.from: 0 1"),
        ({"form": 1, "n": 2}, "replicates.form: 'from'"),
        ({"n": 0}, "replicates.n: 1 0"),
        ([1, "a"], "replicates.1: 'a'"),
        ([], "replicates: 0 1"),
    ],
)
def test_other_replicates_are_refused(config, written, expected):
    check_message(fault(put(config, "replicates", written)), expected)


def with_own_images(config: dict, n: int, **more) -> dict:
    config["segmenters"]["unet"]["teacher_replicate"] = None
    config["datasets"]["fashion-mnist-12k"] |= {"train_images_per_replicate": n, **more}
    return config


def test_replicates_may_have_training_images_of_their_own(config):
    name = "fashion-mnist-12k"
    before = load_study(config)
    assert before.draws_of(name) == Draws("pool") and before.own_images(name) == {}
    study = load_study(with_own_images(config, 2000))
    assert study.draws_of(name) == Draws("disjoint", 2000)
    assert study.own_images(name) == {"own_images": {"kind": "disjoint", "n_images": 2000}}
    drawn = load_study(with_own_images(config, 5000, overlapping_draws=True)).draws_of(name)
    assert drawn == Draws("overlapping", 5000)
    # two replicates of 5,000 from 10,000 share half of their images
    assert [each.overlap(10_000) for each in (before.draws_of(name), study.draws_of(name), drawn)] == [None, 0, 0.5]


def test_more_than_there_are_is_refused_where_it_is_known(config):
    config["replicates"] = {"from": 2, "n": 5}
    config["figures"]["enhancement-examples"]["replicate"] = 2
    check_message(fault(with_own_images(config, 2000)), f"{DATASET}.train_images_per_replicate: 10000 5 2000 6")
    load_study(with_own_images(config, 1600))
    load_study(with_own_images(config, 9_999, overlapping_draws=True))
    check_message(  # draws of all images would overlap by 1, and no number of them would say anything of others
        fault(with_own_images(config, 10_000, overlapping_draws=True)),
        f"{DATASET}.train_images_per_replicate: 10000 overlapping_draws",
    )


def test_images_are_no_fewer_than_the_parts_of_folds(config):
    config["baselines"]["folds"] = {"folds_of": "ce", "parts": 50}
    check_message(fault(with_own_images(config, 49)), f"{DATASET}.train_images_per_replicate: 49 50 'folds-1'")
    load_study(with_own_images(config, 50))


def test_what_does_not_go_with_own_images_is_refused(config):
    check_message(fault(put(config, f"{DATASET}.overlapping_draws", True)), f"{DATASET}.overlapping_draws:")
    with_own_images(config, 1000)["segmenters"]["unet"]["teacher_replicate"] = 1
    check_message(fault(config), "segmenters.unet.teacher_replicate: 'fashion-mnist-12k'")
    config["segmenters"]["unet"]["teacher_replicate"] = None
    check_message(fault(put(config, "replicates", [0, 1])), "replicates: 0 1")


def test_a_segmenter_is_that_of_a_replicate_or_serves_all(config):
    study = load_study(config)
    assert [study.segmented_by("unet", replicate) for replicate in (1, "3")] == [1, 1]
    assert study.own_masks("fashion-mnist-12k", "unet", 1) == {}
    study = load_study(with_own_images(config, 1000))
    assert [study.segmented_by("unet", replicate) for replicate in (1, "3")] == [1, 3]
    assert study.own_masks("fashion-mnist-12k", "unet", "3") == {
        "replicate": 3,
        "own_images": {"kind": "disjoint", "n_images": 1000},
    }


def test_val_that_is_drawn_from_train_leaves_fewer_images_for_replicates(config):
    config = with_own_images(config, 2000) | {"replicates": {"from": 1, "n": 30}}
    dataset = config["datasets"]["fashion-mnist-12k"]
    dataset |= {"source": "fashion-mnist", "val_from": "test", "val_fraction": 0.2}
    load_study(config)
    dataset["val_from"] = "train"
    check_message(fault(config), f"{DATASET}.train_images_per_replicate: 48005 24 2000 30")  # 60,000 without a fifth
    config["replicates"] = 24
    load_study(config)
