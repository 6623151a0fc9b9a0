"""Messages that are made to transfer, along gradients of several views; and those that move whole images."""

import numpy as np
import torch
from scipy.special import log_softmax
from small_groups import SPLITS
from small_messages import MEAN, MODELS, settings_of

from selfdoubt.communication.messages import gradient, spatial, transfer
from selfdoubt.models import inference

# ---- messages that are made to transfer ----


def sent_by_one(module, **values) -> list[torch.Tensor]:
    pixels, classes = inference.as_pixels(SPLITS["test"].images, torch.device("cpu")), np.argsort(-MEAN)[:, :2]
    return module.send(MODELS["one"], pixels, classes, settings_of(**values), np.random.default_rng(0))


def test_without_momentum_and_views_transfer_is_the_gradient():
    plain = sent_by_one(transfer, momentum=0.0, n_views=1, shift_px=0)
    assert all(torch.equal(*pair) for pair in zip(plain, sent_by_one(gradient), strict=True))
    assert not torch.equal(
        sent_by_one(transfer, n_views=1, shift_px=0, n_steps=5)[0], sent_by_one(gradient, n_steps=5)[0]
    )
    assert transfer.cost(2, settings_of()) == (2, 2 * 2 * 3, 2 * 2 * 3)


def test_gradients_of_views_are_moved_back_to_the_image():
    """The mean gradient of views is that of the mean objective of the views, by autograd."""
    images = inference.as_pixels(SPLITS["test"].images, torch.device("cpu")).requires_grad_()
    top = torch.from_numpy(np.random.default_rng(0).integers(0, 3, (33, 2)))
    weight = torch.rand(33, 1, 8, 8)
    (transfer._moved(images, top, 1) * weight).sum().backward()
    assert torch.allclose(images.grad, transfer._moved(weight, 2 - top, 1))


class Linear(torch.nn.Module):
    """Three classes, whose logits are linear in the four pixels of a row."""

    def __init__(self, seed: int):
        super().__init__()
        weight = torch.randn(3, 4, generator=torch.Generator().manual_seed(seed))
        self.weight = torch.nn.Parameter(12 * weight, requires_grad=False)

    def forward(self, images):
        return images.flatten(1) @ self.weight.T


def stepped_by_hand(
    weight: torch.Tensor, row: torch.Tensor, n_steps: int, views: bool, normalised: bool
) -> torch.Tensor:
    """Steps towards class 0, at the row and at the same row moved right by a pixel, with a momentum of 1."""

    def gradient(pixels):
        p = (weight @ pixels).softmax(0)
        return weight[0] - p @ weight

    moved, velocity, epsilon = row, torch.zeros(4), 8 / 255
    for _ in range(n_steps):
        right = torch.cat([torch.zeros(1), moved[:-1]])
        left_again = torch.cat([gradient(right)[1:], torch.zeros(1)])
        total = gradient(moved) + views * left_again
        velocity = velocity + (total / total.abs().mean() if normalised else total)
        moved = (moved + epsilon / n_steps * velocity.sign()).clamp(0, 1)
    return moved


def test_steps_with_views_and_momentum_by_hand():
    row, tops = torch.tensor([0.2, 0.6, 0.4, 0.5]), torch.tensor([1, 0])  # padded by 1: no row down, a column right
    differ = set()
    for seed in range(40):
        model = Linear(seed)
        found = transfer._ascend(
            model, row.view(1, 1, 1, 4), torch.tensor([0]), tops.expand(1, 8, 1, 2), settings_of("transfer", n_steps=8)
        )[0, 0, 0]
        hand = [stepped_by_hand(model.weight, row, 8, *how) for how in ((True, True), (False, True), (True, False))]
        np.testing.assert_allclose(found, hand[0], atol=1e-6)
        differ |= {i for i in (1, 2) if not torch.allclose(hand[0], hand[i], atol=1e-6)}
    assert differ == {1, 2}  # without views, and without dividing by the mean, some pixel ends elsewhere


# ---- spatial messages ----


def moved_by_hand(images: torch.Tensor) -> list[torch.Tensor]:
    """All 18 transformations of a set of one pixel: black moves in, then the image is mirrored or not."""
    padded = torch.nn.functional.pad(images, [1] * 4)
    places = [padded[..., top : top + 8, left : left + 8] for top in range(3) for left in range(3)]
    return [each for place in places for each in (place, place.flip(3))]


def test_the_sender_picks_what_makes_it_most_confident_of_each_class():
    pixels, classes = inference.as_pixels(SPLITS["test"].images, torch.device("cpu")), np.argsort(-MEAN)[:, :2]
    found, every = spatial.send(MODELS["one"], pixels, classes, settings_of(), None), moved_by_hand(pixels)
    with torch.no_grad():
        log_p = np.stack([log_softmax(MODELS["one"](each).numpy(), 1) for each in every])  # (18, n, K)
    for k, batch in enumerate(found):
        best = log_p[:, np.arange(33), classes[:, k]].argmax(0)
        expected = torch.stack([every[move][i] for i, move in enumerate(best)])
        assert len(found) == 2 and torch.equal(batch, expected)
    assert spatial.cost(2, settings_of()) == (2, 18, 0)


def test_the_control_of_spatial_messages_is_any_of_the_set_for_every_class():
    pixels, control = inference.as_pixels(SPLITS["test"].images, torch.device("cpu")), settings_of(pick="random")
    [found] = spatial.send(MODELS["one"], pixels, np.argsort(-MEAN)[:, :2], control, np.random.default_rng(0))
    every = moved_by_hand(pixels)
    picked = [next(t for t, each in enumerate(every) if torch.equal(each[i], found[i])) for i in range(33)]
    assert len(set(picked)) > 8 and spatial.cost(2, control) == (1, 0, 0)
