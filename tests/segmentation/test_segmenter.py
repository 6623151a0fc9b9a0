"""From class activation maps to pseudo-labels, and from these to a segmenter."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import timm
import torch
from torch import nn

from selfdoubt.models import checkpoints
from selfdoubt.models.classifier import build_model
from selfdoubt.runtime.errors import UserError
from selfdoubt.segmentation import activation_maps, map_views, segmenter
from selfdoubt.segmentation.activation_maps import pseudo_labels, refine
from selfdoubt.segmentation.segmenter import build_segmenter, load_segmenter, segment, train_segmenter
from selfdoubt.training import augmentation

torch.set_num_threads(1)
CPU = torch.device("cpu")


def noise(n: int = 6, channels: int = 1, size_px: int = 16) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, channels, size_px, size_px), dtype=np.uint8)


# ---- class activation maps ----


class Probe(nn.Module):
    """Two classes whose logits are `offset` + sum of weights * pixels, and 0; the one layer shows the pixels.

    What follows the layer writes into its output, as activations do.
    """

    def __init__(self, weights: torch.Tensor, offset: float = 0.0):
        super().__init__()
        self.layer, self.weights, self.offset = nn.Identity(), nn.Parameter(weights), offset
        self.input_pixels = 0

    def cam_layers(self) -> list[nn.Module]:
        return [self.layer]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        first = (self.layer(images).relu_()[:, 0] * self.weights).sum((1, 2)) + self.offset
        return torch.stack([first, torch.zeros_like(first)], 1)


def probe(size_px: int = 4, offset: float = 0.0) -> Probe:
    """Weight 1 in the upper left corner, 3 right of it, -2 in the lower right corner, else 0."""
    weights = torch.zeros(size_px, size_px)
    weights[0, 0], weights[0, 1], weights[-1, -1] = 1, 3, -2
    return Probe(weights, offset)


def test_maps_by_hand():
    # The pixels are 51 / 255 = 1/5. For class 0 the gradients 1 and 3 count: 1/5 and 3/5, of the maximum 1/3 and 1.
    # For class 1 all gradients change their sign and only the corner of weight -2 counts.
    images = np.full((2, 1, 4, 4), 51, np.uint8)
    maps = activation_maps.activation_maps(probe(), images, np.array([0, 1]))
    expected = np.zeros((2, 4, 4))
    expected[0, 0, 0], expected[0, 0, 1], expected[1, -1, -1] = 1 / 3, 1, 1
    assert maps == pytest.approx(expected) and maps.dtype == np.float32


def test_layers_count_alike_whatever_their_scale():
    # Scaled to 1, the first layer shows 1 everywhere, the second in one corner: the mean is 1 there, elsewhere 1/2.
    outputs = [torch.full((1, 1, 4, 4), 2.0), torch.zeros(1, 1, 4, 4)]
    outputs[1][..., 0, 0] = 100
    expected = torch.full((1, 4, 4), 0.5)
    expected[0, 0, 0] = 1
    assert torch.allclose(activation_maps._fuse(outputs, [torch.ones(1, 1, 4, 4)] * 2, (4, 4)), expected)


def test_a_certain_answer_has_a_map_as_well():
    # p rounds to 1 where the logits differ by 1,000; the log-odds still have their gradients.
    images = np.full((1, 1, 4, 4), 51, np.uint8)
    maps = [activation_maps.activation_maps(probe(offset=z), images, np.array([0])) for z in (0.0, 1000.0)]
    assert maps[0] == pytest.approx(maps[1]) and maps[1].max() == 1


def test_without_evidence_a_map_is_zero():
    assert not activation_maps.activation_maps(probe(), np.zeros((1, 1, 4, 4), np.uint8), np.array([0])).any()


def test_maps_of_a_network_are_its_images_own_and_leave_no_trace(monkeypatch):
    model = build_model(SimpleNamespace(family="convnet", widths=[4, 6]), n_classes=3, channels=2, size_px=16)
    images, labels = noise(channels=2), np.array([0, 1, 2, 0, 1, 2])
    together = activation_maps.activation_maps(model.train(), images, labels)
    monkeypatch.setattr(map_views, "_MAP_PIXELS", 1)  # one image at once
    assert activation_maps.activation_maps(model, images, labels) == pytest.approx(together, abs=1e-5)
    assert together.shape == (6, 16, 16) and together.min() >= 0
    assert together.max((1, 2)) == pytest.approx(np.ones(6))
    assert not model.training and all(weight.grad is None for weight in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv3_small_050"])
def test_maps_of_a_timm_network(name):
    network = SimpleNamespace(family="timm", name=name, pretrained=False, patch_px=4, input_px="data")
    model = build_model(network, n_classes=3, channels=1, size_px=32)
    maps = activation_maps.activation_maps(model, noise(2, size_px=32), np.array([0, 2]))
    assert maps.shape == (2, 32, 32) and maps.max((1, 2)) == pytest.approx(np.ones(2))


def test_a_view_that_is_too_small_for_the_teacher_is_the_users_fault():
    model = build_model(SimpleNamespace(family="convnet", widths=[4, 6, 8]), n_classes=3, channels=1, size_px=16)
    with pytest.raises(UserError, match=r"map_scales: 0\.25: the teacher cannot take 4 px"):
        map_views._look(model.eval(), torch.rand(1, 1, 16, 16), 0.25)


def test_a_layer_that_is_too_narrow_is_the_users_fault_and_leaves_no_hook():
    model = probe(size_px=3)
    with pytest.raises(UserError, match="no layer's map"):
        activation_maps.activation_maps(model, np.ones((1, 1, 3, 3), np.uint8), np.array([0]))
    assert not model.layer._forward_hooks


def test_a_broken_teacher_is_the_users_fault():
    with pytest.raises(UserError, match="not finite"):
        activation_maps.activation_maps(Probe(torch.full((4, 4), torch.nan)), noise(1, size_px=4), np.array([0]))


# ---- refinement ----


def test_one_step_on_one_colour_by_hand():
    # 4 x 4 px have room for dilation 1 only. Each neighbour of the lit pixel gets 1/8 of it, which is scaled to 1;
    # the lit pixel itself is not among its own neighbours.
    maps, images = np.zeros((1, 4, 4), np.float32), np.full((1, 1, 4, 4), 7, np.uint8)
    maps[0, 1, 1] = 1
    expected = np.array([[1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]])
    assert refine(maps, images, 1)[0] == pytest.approx(expected)


def test_evidence_spreads_within_a_colour_and_not_beyond():
    images, maps = np.zeros((1, 1, 12, 12), np.uint8), np.zeros((1, 12, 12), np.float32)
    images[..., 6:], maps[0, 5, 8] = 200, 1  # the right half is bright, and one of its pixels has evidence
    refined = refine(maps, images, 20)[0]
    assert refined[:, :6].max() < 1e-6 < 0.01 < refined[:, 6:].min()


def test_no_steps_only_spread_a_map_over_0_to_1():
    maps = np.array([[[0.2, 0.3], [0.4, 0.7]], [[0.5, 0.5], [0.5, 0.5]]], np.float32)
    # (0.3 - 0.2) / (0.7 - 0.2) = 1/5
    assert refine(maps, noise(2, size_px=2), 0) == pytest.approx(np.array([[[0, 0.2], [0.4, 1]], [[0, 0], [0, 0]]]))


def test_neighbours_weights_sum_to_one_and_an_image_is_refined_by_itself(monkeypatch):
    images, maps = noise(4, 3), np.random.default_rng(0).random((4, 16, 16), dtype=np.float32)
    colours = torch.tensor(images).permute(1, 2, 3, 0) / 255
    weights = activation_maps._affinities(colours, [1, 2])
    assert weights.shape == (16, 16, 16, 4) and torch.allclose(weights.sum(0), torch.ones(16, 16, 4))
    together = refine(maps, images, 3)
    monkeypatch.setattr(activation_maps, "_REFINED_PIXELS", 1)
    assert refine(maps, images, 3) == pytest.approx(together, abs=1e-6)


# ---- pseudo-labels ----


def test_pseudo_labels_by_hand():
    maps = np.array([[[0.1, 0.2, 0.5, 0.6]], [[0.1, 0.2, 0.5, 0.5]]], np.float32)
    # 0.2 and 0.5 are between the thresholds. The second image has no object pixel, so its background gets no label.
    assert pseudo_labels(maps, 0.5, 0.2).tolist() == [[[0, -1, -1, 1]], [[-1, -1, -1, -1]]]
    assert pseudo_labels(maps, 0.5, 0.2).dtype == np.int8


# ---- the network ----


def settings(**changed) -> SimpleNamespace:
    small = {"architecture": "Unet", "encoder": "tu-regnetx_002", "encoder_depth": 2, "decoder_channels": [8, 4]}
    return SimpleNamespace(**small | {"epochs": 1, "batch_size": 16, "learning_rate": 0.01} | changed)


def weights_of(model: nn.Module) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in model.parameters()])


def test_a_seed_decides_the_weights_and_disturbs_nothing():
    before = torch.get_rng_state()
    first, again, other = (weights_of(build_segmenter(settings(), 1, seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_a_checkpoint_gives_the_same_masks(tmp_path):
    model, images = build_segmenter(settings(), 1), noise()
    train_segmenter(model, images, np.where(images[:, 0] > 128, 1, 0).astype(np.int8), settings(), 0, CPU)
    checkpoints.save(tmp_path / "a.safetensors", model, {"settings": vars(settings()), "channels": 1})
    assert np.array_equal(segment(load_segmenter(tmp_path / "a.safetensors", CPU), images), segment(model, images))
    checkpoints.save(tmp_path / "b.safetensors", nn.Linear(1, 1), {"settings": {}})
    with pytest.raises(UserError, match=r"b\.safetensors: not a segmenter's checkpoint"):
        load_segmenter(tmp_path / "b.safetensors", CPU)


class Shown(nn.Module):
    """Stands in for a network: the logit of a pixel is its value, in units of 1/255."""

    def __init__(self):
        super().__init__()
        self.scale, self.encoder = nn.Parameter(torch.tensor(255.0)), SimpleNamespace(output_stride=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.scale * images


def test_a_threshold_of_recall_by_hand(tmp_path):
    # Of the object's logits 10, 20, 30 and 40 three quarters are from 20 on, a half from 30.
    model, images = segmenter.Segmenter(Shown(), 1), np.array([[[[10, 20, 30], [40, 99, 0]]]], np.uint8)
    pseudo = np.array([[[1, 1, 1], [1, 0, -1]]], np.int8)
    for recall, covered in ((0.99, 4), (0.75, 3), (0.74, 3), (0.5, 2)):
        model.threshold = segmenter.threshold_of_recall(model, images, pseudo, recall)
        assert segment(model, images)[pseudo == 1].sum() == covered
    metadata = {"settings": vars(settings()), "channels": 1, "threshold": -1.5}
    checkpoints.save(tmp_path / "a.safetensors", build_segmenter(settings(), 1), metadata)
    assert load_segmenter(tmp_path / "a.safetensors", CPU).threshold == -1.5


def test_masks_follow_the_colours_of_the_image_where_it_was_trained_so(tmp_path):
    # The logit rises from left to right; the image changes its colour before it is 0.
    image = np.zeros((1, 1, 8, 24), np.uint8)
    image[..., 10:] = 200
    model = segmenter.Segmenter(Shown(), 1)
    model.network.forward = lambda images: torch.linspace(-6, 4, 24).expand(1, 1, 8, 24)
    assert segment(model, image)[0, 0].nonzero()[0][0] == 14  # -6 + 10 * 14 / 23 is the first above 0
    model.colour_steps = 3
    assert segment(model, image)[0, 0].nonzero()[0][0] == 10
    stored = {"settings": vars(settings(colour_steps=3)), "channels": 1}
    checkpoints.save(tmp_path / "a.safetensors", build_segmenter(settings(), 1), stored)
    assert load_segmenter(tmp_path / "a.safetensors", CPU).colour_steps == 3


def test_masks_are_made_wider_by_hand():
    model, images = segmenter.Segmenter(Shown(), 1), np.zeros((1, 1, 3, 4), np.uint8)
    images[0, 0, 0, 0] = 1
    assert segment(model, images, 1)[0].astype(int).tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]


def test_the_confidence_of_a_mask_by_hand():
    # Probabilities 0.9, 0.6 and 0.2: above 1/2 are two, twice 1.5 of 1.7 + 2; above 0 all, twice 1.7 of 1.7 + 3.
    logits = torch.tensor([[[0.9, 0.6, 0.2]]], dtype=torch.float64).logit()
    assert segmenter._soft_dice(logits, logits > 0).item() == pytest.approx(3 / 3.7)
    assert segmenter._soft_dice(logits, logits > -9).item() == pytest.approx(3.4 / 4.7)
    assert segmenter._soft_dice(logits, logits > 9).item() == 0


def test_masks_that_are_made_wider_are_as_confident():
    model, (images, _) = build_segmenter(settings(), 1), squares(5)
    (masks, confidence), (wider, same) = (segmenter.segment_with_confidence(model, images, px) for px in (0, 2))
    assert np.array_equal(confidence, same) and wider.sum() > masks.sum()
    assert confidence.shape == (5,) and confidence.dtype == np.float32


# ---- training ----


class Constant(nn.Module):
    """Stands in for a network: answers every pixel with one trained number, 0 at first."""

    def __init__(self):
        super().__init__()
        self.answer, self.encoder = nn.Parameter(torch.zeros(())), SimpleNamespace(output_stride=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.answer.expand(len(images), 1, *images.shape[2:])


def squares(n: int = 128) -> tuple[np.ndarray, np.ndarray]:
    """Bright squares on dark noise, and where they are."""
    generator = np.random.default_rng(0)
    corners = generator.integers(2, 8, (n, 2))
    rows, columns = np.arange(16)[None, :, None], np.arange(16)[None, None, :]
    top, left = corners[:, :1, None], corners[:, 1:, None]
    truth = (rows >= top) & (rows < top + 6) & (columns >= left) & (columns < left + 6)
    return (generator.integers(0, 90, truth.shape) + 150 * truth).astype(np.uint8)[:, None], truth


def test_the_loss_is_that_of_pseudo_labelled_pixels_by_hand():
    # The logit 0 costs ln 2 at each labelled pixel, however few they are, and however many lie beyond the edge.
    model, pseudo = segmenter.Segmenter(Constant(), 1), np.full((6, 16, 16), -1, np.int8)
    pseudo[2, 8, 8:11], pseudo[4, 7, 7] = 1, 0
    [row] = train_segmenter(model, noise(), pseudo, settings(), 0, CPU)
    assert row == {"epoch": 0, "learning_rate": 0.01, "train_loss": pytest.approx(math.log(2))}
    assert model.network.answer > 0  # 3 of 4 labelled pixels are object


def test_balanced_pixels_by_hand():
    # Of 3 object pixels and 1 of background each side is to weigh 2 of the 4.
    labels = torch.tensor([[[2, 2, 2, 1, 0]]])
    assert segmenter._balance(labels).flatten().tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2, 0])
    assert segmenter._balance(torch.tensor([2, 0, 2])).tolist() == [1, 0, 1]
    model, pseudo = segmenter.Segmenter(Constant(), 1), np.full((6, 16, 16), -1, np.int8)
    pseudo[2, 8, 8:11], pseudo[4, 7, 7] = 1, 0
    train_segmenter(model, noise(), pseudo, settings(balanced=True), 0, CPU)
    assert abs(model.network.answer.item()) < 1e-6  # both sides pull alike


def test_pseudo_labels_have_the_view_of_their_image():
    pseudo = np.random.default_rng(0).integers(-1, 2, (20, 8, 8)).astype(np.int8)
    labels = torch.tensor(pseudo + 1, dtype=torch.uint8)[:, None]
    windows = augmentation.pad(torch.cat([labels * 100, labels], 1), 2)  # each pixel shows its label
    views = augmentation.draw_views(1, 0, 20, 2, flip=True)
    order = augmentation.draw_order(1, 0, 20)
    batches = list(segmenter._batches(windows, views, order.split(16)))
    assert [len(images) for images, _ in batches] == [16, 4]
    assert all(torch.equal((images[:, 0] * 2.55).round(), seen.float()) for images, seen in batches)
    assert not torch.equal(batches[0][1], labels[order[:16], 0])  # views do differ from the images


def test_it_learns_from_partial_and_wrong_pseudo_labels_and_repeats_itself():
    images, truth = squares()
    pseudo = truth.astype(np.int8)
    chance = np.random.default_rng(1).random(truth.shape)
    pseudo[chance < 0.4] = -1
    pseudo[chance > 0.9] = 1 - truth[chance > 0.9]  # one labelled pixel in six has an incorrect label
    models = [build_segmenter(settings(), 1) for _ in range(2)]
    histories = [train_segmenter(model, images, pseudo, settings(epochs=12), 3, CPU) for model in models]
    assert histories[0] == histories[1] and torch.equal(*map(weights_of, models))
    assert histories[0][-1]["train_loss"] < histories[0][0]["train_loss"]
    found = segment(models[0], images)
    assert (found & truth).sum() / (found | truth).sum() > 0.9


def test_the_dropout_of_a_decoder_is_the_seeds():
    chosen, found = settings(architecture="FPN", encoder="resnet18", encoder_depth=3, decoder_channels=None), []
    for drawn_before, seed in ((0, 3), (100, 3), (0, 4)):
        torch.rand(drawn_before)
        model = build_segmenter(chosen, 1)
        train_segmenter(model, noise(2, size_px=32), np.ones((2, 32, 32), np.int8), chosen, seed, CPU)
        found.append(weights_of(model))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_masks_do_not_depend_on_the_batch(monkeypatch):
    model, (images, _) = build_segmenter(settings(), 1), squares(5)
    together = segment(model, images)
    assert together.shape == (5, 16, 16) and together.dtype == bool
    monkeypatch.setattr(segmenter, "_SEGMENTED_PIXELS", 1)
    assert np.array_equal(segment(model, images), together)


def test_encoders_that_keep_stages_beyond_their_depth_are_trained_without_them():
    chosen = settings(encoder="resnet18", encoder_depth=3, decoder_channels=[8, 4, 4])
    model, pseudo = build_segmenter(chosen, 1), np.ones((6, 16, 16), np.int8)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    train_segmenter(model, noise(), pseudo, chosen, 0, CPU)
    changed = {name for name, weight in model.named_parameters() if not torch.equal(weight, before[name])}
    unused = {name for name in before if name.startswith("network.encoder.layer3") or ".layer4" in name}
    assert unused and changed == before.keys() - unused


def test_a_last_image_alone_is_left_out_and_the_normalisation_is_of_all_images():
    model, images = build_segmenter(settings(), 1), noise(5)
    seen = []
    model.register_forward_hook(lambda module, given, _: seen.append(len(given[0])) if module.training else None)
    train_segmenter(model, images, np.ones((5, 16, 16), np.int8), settings(batch_size=2), 0, CPU)
    assert seen == [2, 2]
    assert model.mean.item() == pytest.approx(images.mean() / 255, rel=1e-5)


def test_a_fault_of_training_is_named():
    model, images, pseudo = build_segmenter(settings(), 1), noise(), np.zeros((6, 16, 16), np.int8)
    with pytest.raises(UserError, match="lower foreground_above"):
        train_segmenter(model, images, pseudo - 1, settings(), 0, CPU)
    transformer = build_segmenter(settings(encoder="mit_b0"), 1)
    with pytest.raises(UserError, match="cannot take 16 x 16 px"):
        train_segmenter(transformer, images, pseudo, settings(), 0, CPU)
    nn.init.constant_(next(model.parameters()), torch.nan)
    with pytest.raises(UserError, match="loss is nan at step 0"):
        train_segmenter(model, images, pseudo, settings(), 0, CPU)


# ---- an encoder's weights ----


@pytest.mark.parametrize("name", ["test_resnet", "test_convnext", "test_efficientnet"])
def test_an_encoder_starts_from_a_classifiers_weights_and_normalisation(tmp_path, name):
    with torch.random.fork_rng():
        torch.manual_seed(5)
        donor = timm.create_model(name, num_classes=7, in_chans=3)
    torch.save({"state_dict": donor.state_dict()}, tmp_path / "w.pth")
    settings = SimpleNamespace(architecture="Unet", encoder=f"tu-{name}", encoder_depth=2, decoder_channels=[8, 4])
    model = build_segmenter(settings, 3)
    segmenter.load_encoder(model, settings.encoder, 3, tmp_path / "w.pth")
    (first,) = [t for n, t in model.network.encoder.model.state_dict().items() if t.ndim == 4][:1]
    assert torch.equal(first, next(t for t in donor.state_dict().values() if t.ndim == 4))
    model.fit_input(torch.rand(4, 3, 16, 16))
    assert model.mean.flatten().tolist() == pytest.approx(list(timm.get_pretrained_cfg(name).mean))


def test_weights_of_another_encoder_are_refused(tmp_path):
    torch.save(timm.create_model("test_convnext", num_classes=7).state_dict(), tmp_path / "w.pth")
    settings = SimpleNamespace(architecture="Unet", encoder="tu-test_resnet", encoder_depth=2, decoder_channels=[8, 4])
    with pytest.raises(UserError, match="does not fit timm's test_resnet"):
        segmenter.load_encoder(build_segmenter(settings, 3), settings.encoder, 3, tmp_path / "w.pth")
