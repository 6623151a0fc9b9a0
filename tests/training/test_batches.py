"""Batches that can be made again by themselves, and labels that follow the pixels."""

import numpy as np
import pytest
import torch
from helpers import assert_close
from small_mixing import BY_MASKS, SETTINGS, settings_of
from small_training import CPU, recipe_of, split_of

from selfdoubt.data.datasets import Split
from selfdoubt.mixing import draws
from selfdoubt.mixing.mixer import Mixer
from selfdoubt.runtime.errors import UserError
from selfdoubt.training import augmentation
from selfdoubt.training.batches import Batch, Stream
from selfdoubt.training.distributed import ALONE, Ranks

MIXINGS = {method: settings_of(method, probability=1.0) for method in SETTINGS}
CUTMIX, MASK_CUTMIX = MIXINGS["cutmix"], MIXINGS["mask-cutmix"]


def flat_split(n: int = 12, size_px: int = 6) -> Split:
    """Image i has the value 10 (i + 1) everywhere and the label i."""
    images = np.broadcast_to(10 * (np.arange(n) + 1)[:, None, None, None], (n, 1, size_px, size_px))
    return Split(images.astype(np.uint8), np.arange(n), np.arange(n, dtype=np.int32))


def mixer_of(mixing=None, masks=None) -> Mixer | None:
    return mixing and Mixer(mixing, masks)


def flat_stream(mixing=None, masks=None, **values) -> Stream:
    return Stream(flat_split(), recipe_of(shift_px=0, batch_size=5, **values), 1, CPU, mixer_of(mixing, masks))


@pytest.mark.parametrize(("n", "batch_size", "sizes"), [(10, 4, [4, 4, 2]), (8, 4, [4, 4]), (3, 4, [3])])
def test_batches_hold_every_image_once(n, batch_size, sizes):
    stream = Stream(flat_split(n), recipe_of(batch_size=batch_size), 1, CPU)
    batches = list(stream.epoch(0))
    assert [len(batch.images) for batch in batches] == sizes and stream.n_batches == len(sizes)
    assert sorted(torch.cat([batch.labels for batch in batches]).tolist()) == list(range(n))


def test_without_mixing_a_batch_is_its_images_and_labels():
    for batch in flat_stream().epoch(0):
        expected = 10 * (batch.labels + 1).float() / 255
        assert_close(batch.images, expected[:, None, None, None].expand(-1, 1, 6, 6))
        assert batch.images.dtype == torch.float32
        assert batch.weight is None and torch.equal(batch.other_labels, batch.labels)


def joined(stream: Stream, epoch: int = 0) -> dict[str, torch.Tensor]:
    """All batches of an epoch in one."""
    batches = list(stream.epoch(epoch))
    names = [name for name, value in vars(batches[0]).items() if isinstance(value, torch.Tensor)]
    return {name: torch.cat([getattr(batch, name) for batch in batches]) for name in names}


def assert_equal(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def masked_stream(mixing, batch_size: int = 8, seed: int = 1) -> Stream:
    masks = split_of().images[:, 0] % 2 > 0 if mixing and mixing.method in BY_MASKS else None
    return Stream(split_of(), recipe_of(batch_size=batch_size), seed, CPU, mixer_of(mixing, masks))


@pytest.mark.parametrize("mixing", [None, *MIXINGS.values()], ids=["none", *MIXINGS])
def test_an_epoch_is_the_same_whatever_the_batch_size_and_what_came_before(mixing):
    whole = joined(masked_stream(mixing, batch_size=20), epoch=1)
    stream = masked_stream(mixing, batch_size=3)
    for epoch in (0, 1):
        list(stream.epoch(epoch))
    assert_equal(joined(stream, epoch=1), whole)
    for other in (joined(stream, epoch=0), joined(masked_stream(mixing, seed=2), epoch=1)):
        assert not torch.equal(other["images"], whole["images"])


@pytest.mark.parametrize("mixing", [None, *MIXINGS.values()], ids=["none", *MIXINGS])
def test_a_view_is_that_of_the_image_and_not_of_its_place_in_a_batch(mixing, monkeypatch):
    straight, drawn = joined(masked_stream(mixing)), augmentation.draw_order
    monkeypatch.setattr(augmentation, "draw_order", lambda *arguments: drawn(*arguments).flip(0))
    assert_equal({name: tensor.flip(0) for name, tensor in joined(masked_stream(mixing)).items()}, straight)


# ---- mixed labels ----


def fractions(batch: Batch, labels: torch.Tensor) -> torch.Tensor:
    """The fraction of each image's pixels that have the value of the flat image of that label."""
    values = 10 * (labels + 1).float() / 255
    return ((batch.images - values[:, None, None, None]).abs() < 1e-4).float().mean((1, 2, 3))


def pasted(batch: Batch) -> torch.Tensor:
    """Which pixels (b, H, W) have another value than the flat image of their label."""
    values = 10 * (batch.labels + 1).float() / 255
    return ((batch.images - values[:, None, None, None]).abs() > 1e-4)[:, 0]


@pytest.mark.parametrize("method", sorted({*MIXINGS} - {"mixup", "cutmix-matched", "background-swap", "object-mixup"}))
def test_labels_and_weights_follow_the_pixels(method):
    # With masks of all pixels, the target's visible area is what is not pasted over, so all weigh by pixels.
    masks = np.ones((12, 6, 6), bool) if method in BY_MASKS else None
    stream = flat_stream(MIXINGS[method], masks)
    n_two = 0
    for batch in (batch for epoch in range(4) for batch in stream.epoch(epoch)):
        two = batch.labels != batch.other_labels
        assert_close(fractions(batch, batch.labels)[two], batch.weight[two])
        assert_close(fractions(batch, batch.other_labels)[two], 1 - batch.weight[two])
        assert (fractions(batch, batch.labels)[~two] == 1).all()
        n_two += int((two & (batch.weight > 0) & (batch.weight < 1)).sum())
    assert n_two > (5 if method == "mask-cutmix" else 20)


def test_mixup_blends_pixels_as_it_does_labels():
    for batch in flat_stream(MIXINGS["mixup"]).epoch(0):
        values = [10 * (labels + 1) / 255 for labels in (batch.labels, batch.other_labels)]
        expected = batch.weight * values[0] + (1 - batch.weight) * values[1]
        assert_close(batch.images, expected[:, None, None, None].expand(-1, 1, 6, 6))


def test_object_labels_follow_the_visible_objects():
    # The objects are the left 2 of 6 columns of every image: 12 pixels, of which at most those pasted are hidden.
    masks = np.zeros((12, 6, 6), bool)
    masks[:, :, :2] = True
    for batch in flat_stream(MASK_CUTMIX, masks, flip=False).epoch(0):
        foreign = pasted(batch)
        visible = 12 - foreign[:, :, :2].sum((1, 2))
        two = batch.labels != batch.other_labels
        assert_close((visible / (visible + foreign.sum((1, 2))))[two], batch.weight[two])
        assert foreign[two].any() and batch.images.shape[1] == 1  # without the mask's channel


def test_an_image_is_pasted_by_its_own_mask():
    # The object of image i is its first i + 1 pixels; less is pasted where it is moved out of the image in part.
    masks = (np.arange(36) <= np.arange(12)[:, None]).reshape(12, 6, 6)
    n_whole = 0
    for batch in flat_stream(MASK_CUTMIX, masks).epoch(0):
        n_pasted = pasted(batch).sum((1, 2))
        assert (n_pasted <= batch.other_labels + 1).all()
        n_whole += (n_pasted == batch.other_labels + 1).sum()
    assert n_whole > 2


@pytest.mark.parametrize("epoch", [0, 3])
def test_what_the_epoch_does_not_mix_keeps_its_label(epoch):
    half = settings_of("cutmix")
    drawn = draws.draw_mixing(1, epoch, (12, 6, 6), half)
    batch = joined(flat_stream(half), epoch)
    alone = ~drawn.mixed[batch["labels"]]  # label i is the image at position i
    assert 0 < alone.sum() < 12
    assert (batch["weight"][alone] == 1).all() and torch.equal(batch["other_labels"][alone], batch["labels"][alone])
    assert torch.equal(batch["other_labels"][~alone], drawn.partner[batch["labels"][~alone]])


def test_probability_0_mixes_nothing():
    for method in MIXINGS:
        masks = np.ones((12, 6, 6), bool) if method in BY_MASKS else None
        plain, batch = joined(flat_stream()), joined(flat_stream(settings_of(method, probability=0.0), masks))
        assert batch.pop("weight").tolist() == [1.0] * 12
        assert_equal(batch, plain)


# ---- places in a stream ----


def equal(one: Batch, other: Batch) -> bool:
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in ("images", "labels", "other_labels"))


@pytest.mark.parametrize("mixing", [None, CUTMIX])
def test_an_epoch_can_be_entered_at_any_batch(mixing):
    stream = Stream(split_of(), recipe_of(), 1, CPU, mixer_of(mixing))
    whole = list(stream.epoch(3))
    for first in range(stream.n_batches + 1):
        part = list(stream.epoch(3, first))
        assert len(part) == len(whole) - first
        assert all(equal(one, other) and one.rows == other.rows for one, other in zip(part, whole[first:], strict=True))


@pytest.mark.parametrize("mixing", [None, CUTMIX])
@pytest.mark.parametrize("n_ranks", [2, 3, 4])
def test_ranks_share_each_batch_of_the_same_stream(mixing, n_ranks):
    ranks = [ALONE, *(Ranks(rank, n_ranks) for rank in range(n_ranks))]
    whole, *parts = (list(Stream(split_of(), recipe_of(), 1, CPU, mixer_of(mixing), each).epoch(1)) for each in ranks)
    for i, batch in enumerate(whole):
        assert sum(len(part[i].labels) for part in parts) == len(batch.labels) == parts[0][i].n_whole
        for rank, part in enumerate(parts):
            assert_close(part[i].images, batch.images[rank::n_ranks], rtol=0, atol=0)
            assert torch.equal(part[i].other_labels, batch.other_labels[rank::n_ranks])


def test_one_image_is_no_training_set():
    with pytest.raises(UserError, match="1 training image gives no batch"):
        Stream(split_of(1), recipe_of(batch_size=6), 1, CPU)


def test_a_rank_without_images_is_refused():
    with pytest.raises(UserError, match="batch_size 6 ends with 2 for 3 ranks"):
        Stream(split_of(), recipe_of(batch_size=6), 1, CPU, ranks=Ranks(0, 3))


def test_rows_are_the_places_of_a_batchs_images_in_the_order():
    stream, split = Stream(split_of(), recipe_of(batch_size=6), 1, CPU), split_of()
    order = augmentation.draw_order(1, 2, 20)
    for batch in stream.epoch(2):
        assert batch.epoch == 2 and batch.n_whole == len(batch.labels)
        assert batch.labels.tolist() == split.labels[order[batch.rows]].tolist()
    assert stream.rows_per_epoch == 20
    assert Stream(split_of(19), recipe_of(batch_size=6), 1, CPU).rows_per_epoch == 18  # one image has no statistics
