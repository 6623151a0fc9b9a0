import colorsys
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from clothes import clothes

from selfdoubt.data import corrupted, scenes
from selfdoubt.data.corrupted import apply, corrupt
from selfdoubt.data.datasets import Split
from selfdoubt.data.pixels import enlargement
from selfdoubt.data.subsets import balanced_subset
from selfdoubt.runtime import methods
from selfdoubt.runtime.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
NAMES = methods.names_in("data.corruptions")
STRENGTHS = {name: methods.load("data.corruptions", name).STRENGTHS for name in NAMES}
SEVERITIES = [1, 2, 3, 4, 5]


def draws(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def white_noise() -> np.ndarray:
    return draws().integers(0, 256, (40, 1, 28, 28)).astype(np.uint8)


def smooth_noise() -> np.ndarray:
    """Random textures with 1/f amplitudes, as natural images have."""
    frequency = np.hypot(np.fft.fftfreq(32)[:, None], np.fft.fftfreq(32))
    frequency[0, 0] = np.inf  # no offset
    texture = np.fft.ifft2(np.fft.fft2(draws().standard_normal((40, 3, 32, 32))) / frequency).real
    return (127 + 127 * texture / np.abs(texture).max((2, 3), keepdims=True)).astype(np.uint8)


def bright_bars() -> np.ndarray:
    """Objects on black: one upright bar an image, of random brightness and at many places."""
    images = np.zeros((40, 1, 28, 28), np.uint8)
    for i, (image, grey) in enumerate(zip(images, draws().integers(60, 256, 40), strict=True)):
        image[:, 2 + i % 5 : 20 + i % 5, 6 + i % 8 : 14 + i % 8] = grey
    return images


def distance(images: np.ndarray, clean: np.ndarray) -> float:
    return float(((images.astype(float) - clean) ** 2).mean())


@pytest.fixture(scope="module")
def real() -> dict[str, np.ndarray]:
    """Test images of the embedded data set, grey, and scenes made of them, in colour."""
    test = clothes("test", 200)
    return {
        "grey": test.images,
        "colour": scenes.compose(test.images, test.image_ids, "test")[0],
    }


# ---- what all corruptions share ----


def test_every_corruption_has_five_strengths():
    assert NAMES and {len(strengths) for strengths in STRENGTHS.values()} == {5}


def test_the_docs_state_the_strengths():
    rows = re.findall(r"^\| ([a-z-]+) \|((?: [\d.]+ \|){5})", (ROOT / "docs/corruptions.md").read_text(), re.MULTILINE)
    assert {name: tuple(float(cell) for cell in cells.split("|")[:5]) for name, cells in rows[1:]} == STRENGTHS


@pytest.mark.parametrize("name", NAMES)
def test_a_higher_severity_changes_the_pixels_of_real_images_more(name, real):
    for clean in real.values():
        changes = [np.abs(apply(name, clean, s, draws()).astype(float) - clean).mean() for s in SEVERITIES]
        assert changes[0] > 0.5  # grey levels
        assert (np.diff(changes) > 0.1 * changes[0]).all()
        assert changes[4] > 1.5 * changes[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_higher_severity_is_further_from_the_clean_image_and_takes_the_same_draws(name):
    for make in (white_noise, smooth_noise, bright_bars):
        clean, distances, after = make(), [], []
        for severity in SEVERITIES:
            generator = draws()
            distances.append(distance(apply(name, clean, severity, generator), clean))
            after.append(generator.bit_generator.state)
        assert all(state == after[0] for state in after)
        if make is white_noise and name in ("rotation", "elastic"):
            distances = distances[:3]  # neighbours in it are unrelated: beyond a pixel or so all distances are alike
        assert distances[0] > 0
        assert (np.diff(distances) > 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_shape_and_type_are_kept_the_input_is_not_touched_and_equal_draws_give_equal_images(name):
    for shape in [(3, 1, 28, 28), (2, 3, 32, 32), (2, 1, 20, 30), (0, 1, 28, 28)]:
        clean = draws().integers(0, 256, shape).astype(np.uint8)
        before = clean.copy()
        images = apply(name, clean, 3, draws())
        assert images.dtype == np.uint8 and images.shape == shape
        np.testing.assert_array_equal(clean, before)
        np.testing.assert_array_equal(apply(name, clean, 3, draws()), images)


@pytest.mark.parametrize("name", ["gaussian-noise", "elastic", "rotation"])
def test_another_generator_gives_other_images(name):
    first, second = (apply(name, white_noise(), 2, draws(seed)) for seed in (7, 8))
    assert (first != second).any()


@pytest.mark.parametrize("name", ["gaussian-blur", "contrast", "pixelate", "elastic", "rotation"])
def test_a_plain_image_stays_plain(name):
    for value in (0, 77, 255):
        clean = np.full((4, 3, 28, 28), value, np.uint8)
        np.testing.assert_array_equal(apply(name, clean, 5, draws()), clean)


@pytest.mark.parametrize("severity", [0, 6])
def test_a_severity_that_does_not_exist_is_named(severity):
    with pytest.raises(UserError, match=f"severity {severity} of contrast"):
        apply("contrast", white_noise(), severity, draws())


# ---- each one ----


@pytest.mark.parametrize("severity", [1, 2, 3])
def test_noise_has_the_stated_deviation(severity):
    grey = np.full((50, 1, 28, 28), 128, np.uint8)  # so far from 0 and 255 that nothing is clipped
    noise = apply("gaussian-noise", grey, severity, draws()).astype(float) - 128
    # n = 39,200: the standard error of a standard deviation is sd / sqrt(2n) = 0.4 % of it
    assert noise.std() == pytest.approx(255 * STRENGTHS["gaussian-noise"][severity - 1], rel=0.02)
    assert abs(noise.mean()) < 4 * noise.std() / np.sqrt(noise.size)


def test_noise_is_clipped_not_wrapped():
    black, white = np.zeros((20, 1, 28, 28), np.uint8), np.full((20, 1, 28, 28), 255, np.uint8)
    # half of the draws are clipped; no draw of 15,680 reaches 5 deviations (331 grey levels at severity 5, 51 at 1)
    assert apply("gaussian-noise", black, 1, draws()).max() <= 51
    assert apply("gaussian-noise", white, 1, draws()).min() >= 255 - 51


def test_blur_spreads_a_dot_by_its_deviation():
    dot = np.zeros((1, 1, 29, 29), np.uint8)
    dot[..., 14, 14] = 255
    blurred = apply("gaussian-blur", dot, 3, draws())[0, 0].astype(float)
    # sigma 0.8: a neighbour at distance d has exp(-d^2 / (2 * 0.64)) of the middle; 0.458 for d = 1
    assert blurred[14, 15] / blurred[14, 14] == pytest.approx(np.exp(-1 / 1.28), abs=0.02)
    np.testing.assert_array_equal(blurred, blurred.T)
    assert blurred.sum() == pytest.approx(255, abs=0.5 * (blurred > 0).sum())  # up to rounding


def test_blur_mixes_neither_images_nor_channels():
    clean = np.zeros((3, 3, 28, 28), np.uint8)
    clean[1, 1] = white_noise()[0, 0]
    blurred = apply("gaussian-blur", clean, 5, draws())
    assert blurred[1, 1].any()
    blurred[1, 1] = 0
    assert not blurred.any()


def test_contrast_pulls_towards_the_mean_of_each_channel():
    clean = np.zeros((1, 2, 2, 2), np.uint8)
    clean[0, 0] = [[0, 0], [200, 200]]  # mean 100
    clean[0, 1] = [[10, 10], [10, 90]]  # mean 30
    halved = apply("contrast", clean, 2, draws())  # factor 0.5
    assert halved[0, 0].tolist() == [[50, 50], [150, 150]]
    assert halved[0, 1].tolist() == [[20, 20], [20, 60]]


def test_brightness_raises_the_value_and_keeps_hue_and_saturation():
    colours = np.array([[0, 0, 0], [10, 80, 40], [200, 100, 0], [70, 70, 70], [255, 0, 9]], np.uint8)
    raised = apply("brightness", colours[:, :, None, None], 3, draws())[:, :, 0, 0]
    for before, after in zip(colours / 255, raised / 255, strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*before)
        expected = colorsys.hsv_to_rgb(hue, saturation, min(value + 0.3, 1))
        assert after == pytest.approx(expected, abs=0.51 / 255)


def test_brightness_adds_to_grey():
    grey = np.array([0, 100, 200, 255], np.uint8).reshape(1, 1, 2, 2)
    assert apply("brightness", grey, 2, draws()).ravel().tolist() == [51, 151, 251, 255]  # 0.2 * 255 = 51


def test_jpeg_keeps_the_order_of_channels_and_its_own_output():
    clean = np.zeros((1, 3, 32, 32), np.uint8)
    clean[:, 0], clean[:, 1] = 200, 60
    once = apply("jpeg", clean, 5, draws())
    assert np.abs(once.mean((2, 3)) - [200, 60, 0]).max() < 6
    textured = apply("jpeg", smooth_noise(), 3, draws())
    again = apply("jpeg", textured, 3, draws())
    assert distance(again, textured) < 0.1 * distance(textured, smooth_noise())


def test_pixelate_shows_means_of_blocks():
    clean = draws().integers(0, 256, (2, 3, 8, 12)).astype(np.uint8)
    means = clean.reshape(2, 3, 4, 2, 6, 2).mean((3, 5))  # severity 3 halves height and width
    expected = means.repeat(2, 2).repeat(2, 3)
    assert np.abs(apply("pixelate", clean, 3, draws()) - expected).max() <= 1  # rounded twice: rows, then columns


@pytest.mark.parametrize(("severity", "n"), [(1, 22), (2, 18), (3, 14), (4, 11), (5, 8)])
def test_pixelate_leaves_so_many_rows_and_columns(severity, n):
    ramp = np.broadcast_to(np.arange(0, 252, 9, dtype=np.uint8), (1, 1, 28, 28))
    for turned in (ramp, ramp.transpose(0, 1, 3, 2)):
        assert len(np.unique(apply("pixelate", turned, severity, draws()))) == n


def test_elastic_moves_by_what_is_drawn():
    ones = SimpleNamespace(standard_normal=np.ones)  # every node by one deviation, down and right: 1 px at severity 3
    clean = white_noise()
    moved = apply("elastic", clean, 3, ones)
    np.testing.assert_array_equal(moved[:, :, :-1, :-1], clean[:, :, 1:, 1:])
    np.testing.assert_array_equal(moved[:, :, -1, :-1], clean[:, :, -1, 1:])  # mirrored: the last row meets itself


def test_elastic_moves_all_channels_of_an_image_alike_and_each_image_otherwise():
    clean = np.tile(smooth_noise()[:1, :1], (3, 3, 1, 1))
    moved = apply("elastic", clean, 5, draws())
    assert (moved == moved[:, :1]).all()
    assert (moved[0] != moved[1]).any() and (moved[1] != moved[2]).any()


@pytest.mark.parametrize(("shape", "factor"), [((28, 28), 1), ((32, 32), 1), ((64, 48), 1.5), ((224, 300), 7)])
def test_lengths_grow_with_the_shorter_side_above_32_px(shape, factor):
    assert enlargement(*shape) == factor


def test_blur_of_a_larger_image_is_wider_in_pixels():
    dot = np.zeros((1, 1, 64, 64), np.uint8)
    dot[..., 32, 32] = 255
    blurred = apply("gaussian-blur", dot, 1, draws())[0, 0].astype(float)
    # sigma 0.4 * 64 / 32 = 0.8, as severity 3 of 28 px above
    assert blurred[32, 33] / blurred[32, 32] == pytest.approx(np.exp(-1 / 1.28), abs=0.02)


def test_elastic_bends_images_of_any_size_alike():
    small = smooth_noise()[:8]
    large = small.repeat(3, 2).repeat(3, 3)
    bent = apply("elastic", large, 4, draws()).reshape(8, 3, 32, 3, 32, 3).mean((3, 5))
    # means of 3 x 3 of the large one; interpolation softens it, so not quite equal
    assert distance(apply("elastic", small, 4, draws()), bent) < 0.1 * distance(small, bent)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_rotation_turns_by_the_stated_angle_to_either_side(severity):
    clean = np.zeros((60, 1, 29, 29), np.uint8)
    clean[..., 13:16, 23:26] = 200  # a patch 10 px to the right of the centre (14, 14)
    turned = apply("rotation", clean, severity, draws())[:, 0].astype(float)
    y, x = ((turned * axis).sum((1, 2)) / turned.sum((1, 2)) - 14 for axis in np.mgrid[:29, :29])
    degrees = np.degrees(np.arctan2(y, x))
    assert np.abs(degrees) == pytest.approx(STRENGTHS["rotation"][severity - 1], abs=0.5)
    assert np.hypot(x, y) == pytest.approx(10, abs=0.1)
    assert 15 <= (degrees > 0).sum() <= 45  # 60 fair coins; 4 standard deviations are 15.5


def test_rotation_fills_the_corners_with_the_border_of_the_image():
    clean = np.full((4, 1, 28, 28), 90, np.uint8)
    clean[:, :, 6:22, 20:] = 250  # an object that touches the right border: 16 of 108 border pixels
    corners = apply("rotation", clean, 5, draws())[:, :, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 90).all()


# ---- subsets ----


@pytest.mark.parametrize(("n", "counts"), [(30, [10, 10, 10]), (20, [7, 7, 6]), (2, [1, 1, 0])])
def test_a_balanced_subset_is_balanced_sorted_and_unique(n, counts):
    labels = np.repeat([2, 0, 1], [50, 10, 40])
    chosen = balanced_subset(labels, n, draws())
    assert np.bincount(labels[chosen], minlength=3).tolist() == counts
    assert (np.diff(chosen) > 0).all()


def test_a_balanced_subset_is_a_draw():
    labels = np.tile(np.arange(10), 100)
    first, again, other = (balanced_subset(labels, 200, draws(seed)) for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_a_class_with_too_few_images_is_named():
    with pytest.raises(UserError, match="30 class-balanced images need 10 of each class, class 1 has 9"):
        balanced_subset(np.repeat([0, 1, 2], [20, 9, 20]), 30, draws())


@pytest.fixture
def split() -> Split:
    images = np.repeat(smooth_noise(), 3, axis=0)  # 120 images
    return Split(images, np.arange(120) % 4, np.arange(500, 620, dtype=np.int32))


def test_all_corruptions_show_the_same_images_under_their_labels(split):
    shifted = {}
    for seed, name in enumerate(NAMES):
        shifted |= corrupt(split, name, [1, 3, 5], 40, seed)
    assert list(shifted) == [f"{name}-{severity}" for name in NAMES for severity in (1, 3, 5)]
    ids = shifted["contrast-1"].image_ids
    for images in shifted.values():
        assert images.image_ids.tolist() == ids.tolist()
        assert images.labels.tolist() == split.labels[ids - 500].tolist()
        assert [images.image_ids.dtype, images.labels.dtype] == [np.int32, np.int64]
        assert np.bincount(images.labels).tolist() == [10, 10, 10, 10]


@pytest.mark.parametrize("name", NAMES)
def test_neither_other_severities_nor_batches_change_the_images(split, name, monkeypatch):
    all_five = corrupt(split, name, SEVERITIES, 40, 1)
    monkeypatch.setattr(corrupted, "_BATCH", 7)
    for key, batched in corrupt(split, name, [2, 4], 40, 1).items():
        np.testing.assert_array_equal(batched.images, all_five[key].images)


class OnDisk:
    """Images that are only there when they are asked for."""

    def __init__(self, images: np.ndarray):
        self._images, self.shape, self.asked = images, images.shape, []

    def __getitem__(self, which) -> np.ndarray:
        self.asked.append(len(which))
        return self._images[which]


def test_images_that_stay_in_files_are_decoded_a_batch_at_a_time_and_once(split, monkeypatch):
    monkeypatch.setattr(corrupted, "_BATCH", 16)
    files = Split(OnDisk(split.images), split.labels, split.image_ids)
    shifted = corrupt(files, "gaussian-noise", SEVERITIES, 40, 1)
    assert files.images.asked == [16, 16, 8]
    for key, inmemory in corrupt(split, "gaussian-noise", SEVERITIES, 40, 1).items():
        np.testing.assert_array_equal(shifted[key].images, inmemory.images)


def test_noise_of_a_higher_severity_is_the_same_noise_louder(split):
    grey = Split(np.full_like(split.images, 128), split.labels, split.image_ids)
    shifted = corrupt(grey, "gaussian-noise", [1, 2], 40, 1)
    quiet, loud = (shifted[f"gaussian-noise-{severity}"].images.astype(float) - 128 for severity in (1, 2))
    assert np.abs(loud - 2 * quiet).max() <= 1.5  # 0.08 is twice 0.04; each is rounded by up to 0.5


def test_the_seed_changes_the_noise_and_not_the_images(split):
    first, second = (corrupt(split, "gaussian-noise", [1], 40, seed)["gaussian-noise-1"] for seed in (1, 2))
    assert (first.images != second.images).any()
    assert first.image_ids.tolist() == second.image_ids.tolist()


def test_an_unknown_corruption_names_the_choices(split):
    with pytest.raises(UserError, match=r"'fog'.* choose from .*gaussian-noise"):
        corrupt(split, "fog", [1], 40, 0)
