"""The objective of mixed images by hand."""

import math
from types import SimpleNamespace

import pytest
import torch
from small_mixing import mixing_of, random_images, settings_of

from selfdoubt.mixing.mixer import Mixer
from selfdoubt.training.batches import Batch
from selfdoubt.training.losses import from_labels
from selfdoubt.training.mixed_losses import of_augmented

# softmax: 1/4 and 3/4; 1/2 each
LOGITS = torch.tensor([[0.0, math.log(3)], [0.0, 0.0]])
BATCH = Batch(torch.zeros(2, 1, 1, 1), torch.tensor([0, 0]), torch.tensor([1, 1]), torch.tensor([0.5, 1.0]))


def objective(also_clean: float | None = None):
    return of_augmented(SimpleNamespace(label_smoothing=0.0, mixing=SimpleNamespace(also_clean=also_clean)))


def test_mixed_images_alone_have_the_loss_of_their_labels():
    assert torch.equal(objective()(LOGITS, BATCH), from_labels()(LOGITS, BATCH))


def test_clean_and_mixed_images_by_hand():
    both = torch.cat([LOGITS.flip(0), LOGITS])  # the first two are of the clean images, both of class 0
    clean, mixed = (math.log(2) + math.log(4)) / 2, ((math.log(4) + math.log(4 / 3)) / 2 + math.log(2)) / 2
    assert objective(3.0)(both, BATCH).item() == pytest.approx(clean + 3 * mixed)


def test_what_is_not_seen_is_spread_over_all_classes():
    # r = 1/2, w = 1: half of the label is class 0, the rest 1/4 of each.
    batch = Batch(BATCH.images[:1], BATCH.labels[:1], BATCH.other_labels[:1], torch.tensor([[1.0, 0.5]]))
    expected = 0.75 * math.log(4) + 0.25 * math.log(4 / 3)
    assert objective()(LOGITS[:1], batch).item() == pytest.approx(expected)


def test_mixed_images_follow_the_clean_ones():
    images, sources = random_images(0, 1), random_images(1, 1)
    alone, both = (Mixer(settings_of("cutmix", also_clean=eta)) for eta in (None, 1.0))
    drawn = mixing_of(0.5, (3, 3))
    first = torch.tensor([0])
    ([mixed], weight), (found, same) = (each.mix(images.clone(), sources, first, drawn) for each in (alone, both))
    assert torch.equal(torch.cat(found), torch.cat([images, mixed])) and torch.equal(weight, same)
