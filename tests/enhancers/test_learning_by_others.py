"""Networks that change images, and learn by the errors of siblings on training images, or by those of another model."""

from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from small_enhancers import SPLITS, network, single
from small_training import BASELINE, files_of, run_script, split_of, train
from wrong_configs import check_message, fault

from selfdoubt.data import datasets
from selfdoubt.data.folds import parts_of
from selfdoubt.enhancers import lots, objectives, selection
from selfdoubt.enhancers.methods import deep
from selfdoubt.evaluation import predictions
from selfdoubt.settings.study import load_study

DEEP = single("deep", epsilon_255=20)
SPATIAL = {**vars(single("deep-spatial")), "n_folds": 2}


def other() -> torch.nn.Module:
    """A classifier of other weights than network()."""
    found = network()
    with torch.no_grad():
        for weight in found.parameters():
            weight += 0.5 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(9))
    return found


def weights(fitted: list[list]) -> list[torch.Tensor]:
    return [*fitted[0][0].parameters()]


def fitted(model, others=lots.NONE, method=deep, settings=DEEP) -> list[torch.Tensor]:
    rows = np.arange(len(SPLITS["val"].labels))
    return weights(method.fit(model, SPLITS["val"], [settings], [rows], 1, others))


def equal(one: list[torch.Tensor], two: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("method", ["deep", "deep-spatial"])
def test_what_learns_by_another_model_is_what_that_model_would_get(method):
    module, settings = selection.load(method), single(method)
    by_other = fitted(network(), lots.Others(in_its_place=other()), module, settings)
    assert equal(by_other, fitted(other(), lots.NONE, module, settings))
    assert not equal(by_other, fitted(network(), lots.NONE, module, settings))


def test_lots_of_one_model_are_as_good_as_one():
    val = SPLITS["val"]
    parts = [lots.Lot(network(), val.images[rows], val.labels[rows]) for rows in (slice(0, 25), slice(25, None))]
    whole = objectives.train([lots.Lot(network(), val.images, val.labels)], *untrained(), DEEP, 1)
    apart = objectives.train(parts, *untrained(), DEEP, 1)
    for one, two in zip(whole.parameters(), apart.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-5)


def untrained() -> tuple:
    return (deep.image_network.build(SPLITS["val"].images.shape[1], DEEP, 1),)


def test_each_image_is_learned_by_its_own_model(monkeypatch):
    asked, real = [], objectives.objective
    monkeypatch.setattr(objectives, "objective", lambda *given: asked.append(given) or real(*given))
    val, model, sibling = SPLITS["val"], network(), other()
    held_out = (lots.Lot(sibling, val.images[:10], (val.labels[:10] + 1) % 5),)
    settings = SimpleNamespace(**vars(DEEP) | {"epochs": 1, "batch_size": 70, "epsilon_255": 1e-9})
    fitted(model, lots.Others(held_out=held_out), settings=settings)
    own, theirs = asked
    assert len(own[1]) == 60 and len(theirs[1]) == 10
    assert sorted(theirs[1].tolist()) == sorted(((val.labels[:10] + 1) % 5).tolist())
    pixels = torch.from_numpy(val.images[:10] / np.float32(255))
    expected = sibling.eval()(pixels).detach()
    found = theirs[0].detach()
    assert torch.allclose(found.sort(0).values, expected.sort(0).values, atol=1e-4)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model, two siblings that left out half of the images each, and what the job is given besides."""
    folder = tmp_path_factory.mktemp("siblings")
    folds = [{"parts": 2, "division": 1, "part": part} for part in (1, 2)]
    siblings = [
        train(folder, f"fold-{i}", settings=BASELINE | {"twin": i, "fold": fold}) for i, fold in enumerate(folds, 1)
    ]
    model, files = train(folder, "model"), files_of(folder)
    datasets.write_splits(folder / "test", {"test": split_of(6, seed=2)}, {})
    given = {"checkpoint": model, "val": files["val"], "test": folder / "test", "train": files["train"]}
    return SimpleNamespace(folder=folder, siblings=siblings, folds=folds, given=given)


def enhanced(trained, name: str, settings: dict, **files) -> np.ndarray:
    """The logits of test that the script writes."""
    written = {key: trained.folder / f"{name}.{key}" for key in ("output", "examples")}
    run_script("enhance_images", 1, {**SPATIAL, **settings}, **trained.given | files | written)
    return predictions.predictions_by_split(pq.read_table(written["output"]))["test"].logits


def test_a_job_takes_of_each_sibling_the_images_that_it_left_out(trained, monkeypatch):
    seen, real = [], selection.enhance
    monkeypatch.setattr(selection, "enhance", lambda *given: seen.append(given[-1]) or real(*given))
    with_siblings = enhanced(trained, "with", {"siblings": trained.folds}, siblings=trained.siblings)
    labels = split_of().labels
    for lot, fold in zip(seen[0].held_out, trained.folds, strict=True):
        rows = parts_of(labels, 1, 2, 1) == fold["part"]
        np.testing.assert_array_equal(lot.images, split_of().images[rows])
        np.testing.assert_array_equal(lot.labels, labels[rows])
    alone = enhanced(trained, "alone", {})
    by_another = enhanced(trained, "another", {}, errors_of=trained.siblings[0])
    assert (with_siblings != alone).any() and (by_another != alone).any()


# ---- settings ----


def with_learning(config: dict, **keys) -> dict:
    config["baselines"]["part"] = {"folds_of": "ce", "parts": 2}
    config["enhancers"]["deep"] = {**vars(single("deep")), **{"models": ["ce"], "precision": None}, **keys}
    del config["enhancers"]["deep"]["precision"]
    for key in ("epsilon_255", "confidence_weight"):
        value = config["enhancers"]["deep"][key]
        config["enhancers"]["deep"][key] = value if isinstance(value, list) else [value]
    return config


def test_siblings_are_all_members_of_an_entry(config):
    study = load_study(with_learning(config, siblings=["part"]))
    assert study.enhancers["deep"].siblings == ["part-1", "part-2"]


def test_siblings_left_out_images(config):
    check_message(fault(with_learning(config, siblings=["part", "ce"])), "enhancers.deep.siblings 'ce' folds_of")


def test_each_image_is_left_out_by_as_many_siblings(config):
    check_message(fault(with_learning(config, siblings=["part-1"])), "enhancers.deep.siblings part-1")


def test_another_model_is_none_of_its_own(config):
    check_message(fault(with_learning(config, errors_of="ce")), "enhancers.deep.errors_of 'ce'")
    check_message(fault(with_learning(config, errors_of="nobody")), "enhancers.deep.errors_of nobody")


def test_what_is_left_out_takes_along_what_learns_by_it(config):
    config = with_learning(config, errors_of="kd")
    config["left_out"] = {"kd": "it failed"}
    assert "deep" not in load_study(config).enhancers
