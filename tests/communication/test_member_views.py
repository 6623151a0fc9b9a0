"""Members predict views: the best member everywhere, all members where their pool is uncertain."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, logsumexp
from small_groups import SPLITS, network

from selfdoubt.communication import decisions, out_of_fold, views
from selfdoubt.communication.protocols import contested_views, weighted_pool
from selfdoubt.communication.protocols.best_member import best_of
from selfdoubt.enhancers.batches import counted
from selfdoubt.enhancers.views import drawn
from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.models import inference
from selfdoubt.runtime import randomness
from selfdoubt.runtime.errors import UserError

MODELS = {"one": network(1), "two": network(2), "three": network(3)}
CLEAN = {
    split: [inference.predict_logits(model, found.images) for model in MODELS.values()]
    for split, found in SPLITS.items()
}
SHIFTS = {"views": "shifts", "n_views": 3, "shift_px": 1, "flip": True, "noise_255": None}
NOISE = {"views": "noise", "n_views": 3, "shift_px": None, "flip": None, "noise_255": 16}
FITTED = {"penalty": [0.1], "n_folds": 3}
POOL = out_of_fold.cross_validate(
    CLEAN["val"], SPLITS["val"].labels, SimpleNamespace(**FITTED), weighted_pool.POOL.fit, weighted_pool.POOL.predict
)
BEFORE = {split: contested_views.decided(POOL, split, logits) for split, logits in CLEAN.items()}
HALF = float(np.median(np.exp(BEFORE["test"].max(1))))


def member_views(kind: dict = SHIFTS) -> decisions.Decision:
    return decisions.decide(MODELS, SPLITS, SimpleNamespace(method="member-views", **kind), seed=0)


def contested(kind: dict = SHIFTS, **values) -> decisions.Decision:
    found = {"method": "contested-views", "contested_below": HALF, "where": "contested", **FITTED, **kind}
    return decisions.decide(MODELS, SPLITS, SimpleNamespace(**found | values), seed=0)


@pytest.mark.parametrize("kind", [SHIFTS, NOISE], ids=["shifts", "noise"])
def test_the_best_member_decides_by_its_mean_over_views(kind):
    best = best_of(CLEAN["val"], SPLITS["val"].labels)
    pixels = inference.as_pixels(SPLITS["test"].images, torch.device("cpu"))
    generator = randomness.generator(0, "views/test", best)
    family = "geometry" if kind is SHIFTS else "noise"
    further = drawn(pixels, SimpleNamespace(**kind, family=family), generator)
    with torch.no_grad():
        each = [[*MODELS.values()][best](view).log_softmax(1).numpy() for view in (pixels, *further)]
    found = member_views(kind)
    np.testing.assert_allclose(found.logits["test"], logsumexp(each, axis=0) - np.log(3), atol=1e-5)
    assert found.costs == {"forwards": 3, "backwards": 0} and found.chosen == {"member": best}


@pytest.mark.parametrize("kind", [SHIFTS, NOISE], ids=["shifts", "noise"])
def test_views_do_not_depend_on_the_batch_size(kind, monkeypatch):
    whole = member_views(kind).logits["test"]
    monkeypatch.setattr(inference, "LARGEST_BATCH", 4)
    np.testing.assert_allclose(member_views(kind).logits["test"], whole, atol=1e-5)


def test_the_pool_stands_where_it_is_certain_and_decides_again_by_views_elsewhere():
    found, rows = contested().logits["test"], np.flatnonzero(np.exp(BEFORE["test"].max(1)) < HALF)
    others = np.setdiff1d(np.arange(33), rows)
    assert 0 < len(rows) < 33
    np.testing.assert_allclose(found[others], BEFORE["test"][others], atol=1e-6)
    images, kind, viewed = SPLITS["test"].images[rows], SimpleNamespace(**SHIFTS), []
    for i, (model, clean) in enumerate(zip(MODELS.values(), CLEAN["test"], strict=True)):
        viewed += [views.mean_over_views(model, images, clean[rows], kind, randomness.generator(0, "views/test", i))]
    np.testing.assert_allclose(found[rows], weighted_pool.POOL.predict(viewed, POOL.weights), atol=1e-6)
    assert np.abs(found[rows] - BEFORE["test"][rows]).max() > 0.01


@pytest.mark.parametrize("where", ["contested", "random"])
def test_gains_are_what_views_of_contested_images_add_to_log_p(where):
    found = contested(where=where)
    kept, log_p = found.kept["test"], BEFORE["test"]
    uncertain = np.flatnonzero(np.exp(log_p.max(1)) < HALF)
    moved = np.flatnonzero(np.abs(found.logits["test"] - log_p).max(1) > 1e-6)
    np.testing.assert_array_equal(kept.rows, np.intersect1d(uncertain, moved))
    assert (len(kept.rows) == len(uncertain)) == (where == "contested")
    clean, settings = CLEAN["test"][1], SimpleNamespace(**SHIFTS)
    generator, rows = randomness.generator(0, "views/test", 1), moved
    after = views.mean_over_views([*MODELS.values()][1], SPLITS["test"].images[rows], clean[rows], settings, generator)
    gains = (log_softmax(after, 1) - log_softmax(clean[rows].astype(float), 1))[np.isin(rows, kept.rows)]
    np.testing.assert_allclose(kept.gains[..., 1], np.take_along_axis(gains, kept.candidates, 1), atol=1e-5)


class InFiles:
    """Images as ImageFiles has them: what is taken at once is decoded, and noted."""

    def __init__(self, images: np.ndarray, taken: list):
        self.images, self.shape, self.taken = images, images.shape, taken

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, which) -> np.ndarray:
        self.taken.append(len(self.images[which]))
        return self.images[which]

    def subset(self, rows: np.ndarray) -> "InFiles":
        return InFiles(self.images[rows], self.taken)


def test_contested_images_in_files_are_decoded_batch_by_batch(monkeypatch):
    monkeypatch.setattr(inference, "LARGEST_BATCH", 4)
    taken, expected = [], contested().logits
    in_files = {
        name: SimpleNamespace(images=InFiles(split.images, taken), labels=split.labels)
        for name, split in SPLITS.items()
    }
    settings = {"method": "contested-views", "contested_below": HALF, "where": "contested", **FITTED, **SHIFTS}
    found = decisions.decide(MODELS, in_files, SimpleNamespace(**settings), seed=0).logits
    assert max(taken) == 4
    for name, logits in expected.items():
        np.testing.assert_array_equal(found[name], logits)


def test_views_of_val_are_pooled_by_fits_without_its_fold():
    found, threshold = contested(contested_below=1e-6).logits, 1e-6
    np.testing.assert_allclose(found["val"], POOL.of_val(CLEAN["val"]), atol=1e-6)  # no image is below it
    assert (np.exp(BEFORE["val"].max(1)) > threshold).all()
    in_fold = weighted_pool.POOL.predict(CLEAN["val"], POOL.weights)
    assert np.abs(found["val"] - in_fold).max() > 1e-3


def test_the_control_gives_views_to_as_many_images_whichever_they_are():
    of_contested, of_random = contested(), contested(where="random")
    assert of_random.costs == of_contested.costs
    moved = [np.abs(each.logits["test"] - BEFORE["test"]).max(1) > 1e-5 for each in (of_contested, of_random)]
    assert moved[0].sum() == moved[1].sum() and (moved[0] != moved[1]).any()


@pytest.mark.parametrize("decide", [member_views, contested])
def test_forwards_are_those_that_are_taken(decide):
    models, counts = [*MODELS.values()], {}
    test = {"val": SPLITS["val"], "test": SPLITS["test"]}
    with counted(models[0]) as one, counted(models[1]) as two, counted(models[2]) as three:
        found = decide()
        counts = sum(each["forwards"] for each in (one, two, three))
    val = len(test["val"].images)
    if decide is member_views:  # of val all members are run first, to choose one
        assert counts == 3 * val + 2 * val + found.costs["forwards"] * 33
    else:
        fraction = (np.exp(BEFORE["val"].max(1)) < HALF).sum()
        assert counts == pytest.approx(3 * (val + 2 * fraction) + found.costs["forwards"] * 33)


def test_val_on_which_no_pool_can_be_fitted_is_named():
    splits = {**SPLITS, "val": SimpleNamespace(images=SPLITS["val"].images[:2], labels=SPLITS["val"].labels[:2])}
    settings = SimpleNamespace(method="contested-views", contested_below=HALF, where="contested", **FITTED, **SHIFTS)
    with pytest.raises(UserError, match=r"contested-views cannot be fitted .* 2 samples in val, and 3 folds"):
        decisions.decide(MODELS, splits, settings, seed=0)
    with pytest.raises(Undefined, match="no samples in val"):
        best_of([np.zeros((0, 3))], np.zeros(0, int))
