"""Images that stay in files: decoded as asked, cropped as drawn, refused by name."""

import io
import shutil
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from small_mixing import BY_MASKS, SETTINGS, settings_of
from small_training import CPU, model_of, recipe_of
from torch import nn
from torchvision.transforms import v2

from selfdoubt.data import decoding
from selfdoubt.data.datasets import Split
from selfdoubt.data.image_files import ImageFiles, random_box
from selfdoubt.mixing.mixer import Mixer
from selfdoubt.models import inference
from selfdoubt.runtime.errors import UserError
from selfdoubt.training import losses
from selfdoubt.training.batches import Stream
from selfdoubt.training.loop import Training

SIZE_PX, N = 16, 20
CROP = SimpleNamespace(min_area=0.25, max_aspect=1.5)
MIXINGS = {method: settings_of(method, probability=1.0) for method in SETTINGS if method not in BY_MASKS}
CUTMIX = MIXINGS["cutmix"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of many sizes and formats; image i is of class i % 3 and the brighter for it."""
    folder, draws = tmp_path_factory.mktemp("files"), np.random.default_rng(0)
    for i in range(N):
        height, width = draws.integers(17, 60, 2)
        image = (40 + 70 * (i % 3) + draws.integers(-30, 31, (height, width, 3))).astype(np.uint8)
        Image.fromarray(image).save(folder / name(i), quality=95)
    return folder


def name(i: int) -> str:
    return f"{i:02}.{['png', 'jpg', 'webp'][i % 3]}"


def files(folder, channels=3, names=None) -> ImageFiles:
    return ImageFiles(folder, names or [name(i) for i in range(N)], channels, SIZE_PX)


def split_of(images: ImageFiles) -> Split:
    return Split(images, np.arange(len(images)) % 3, np.arange(len(images), dtype=np.int32))


def stream_of(folder, **values) -> Stream:
    mixing = values.pop("mixing", None)
    recipe = recipe_of(**{"shift_px": 0, "crop": vars(CROP), **values})
    return Stream(split_of(files(folder)), recipe, 1, CPU, mixing and Mixer(mixing))


# ---- in an array's place ----


def test_files_look_like_an_array(folder):
    images = files(folder)
    assert images.shape == (N, 3, SIZE_PX, SIZE_PX) and len(images) == N
    whole = images[:]
    assert whole.shape == images.shape and whole.dtype == images.dtype == np.uint8
    np.testing.assert_array_equal(images[3:7], whole[3:7])
    np.testing.assert_array_equal(images[np.array([5, 2])], whole[[5, 2]])
    assert images[4:4].shape == (0, 3, SIZE_PX, SIZE_PX)


def test_the_evaluation_view_is_torchvisions(folder):
    preset = v2.Compose([v2.Resize(SIZE_PX, antialias=True), v2.CenterCrop(SIZE_PX)])
    for i in range(3):
        with Image.open(folder / name(i)) as image:
            expected = np.asarray(preset(image.convert("RGB"))).transpose(2, 0, 1)
        np.testing.assert_array_equal(files(folder).evaluation_view(i), expected)


def test_one_channel_is_grey(folder):
    grey = files(folder, channels=1)[:2]
    assert grey.shape == (2, 1, SIZE_PX, SIZE_PX)
    weighed = np.tensordot([0.299, 0.587, 0.114], files(folder)[:2].astype(float), (0, 1))
    assert np.abs(grey[:, 0] - weighed).max() < 3  # of 255: it is grey before it is resized


def test_a_model_predicts_files_as_it_does_arrays(folder, monkeypatch):
    monkeypatch.setattr(inference, "BATCH_VALUES", 7 * SIZE_PX**2)  # several batches
    model, images = model_of(), files(folder, channels=1)
    one, other = (inference.predict_logits(model, each) for each in (images, images[:]))
    np.testing.assert_array_equal(one, other)


def test_a_cameras_orientation_is_applied():
    orientation, file = Image.Exif(), io.BytesIO()
    orientation[0x0112] = 6  # to be turned by 90 degrees
    Image.new("RGB", (20, 10)).save(file, "JPEG", exif=orientation)
    assert decoding.decode(file.getvalue(), "x.jpg", 3)[0].size == (10, 20)


# ---- crops ----


def test_boxes_lie_within_and_have_the_areas_and_aspects_asked_for():
    draws = np.random.default_rng(0)
    boxes = np.array([random_box(draws, 40, 60, 0.25, 1.5) for _ in range(2000)])
    top, left, height, width = boxes.T
    assert (top >= 0).all() and (left >= 0).all() and (top + height <= 40).all() and (left + width <= 60).all()
    area, aspect = height * width / 2400, width / height
    assert area.min() > 0.23 and area.max() > 0.9 and aspect.min() > 0.62 and aspect.max() < 1.6
    assert aspect.min() < 0.7 and aspect.max() > 1.45  # both ends occur


def test_an_image_that_no_box_fits_is_shown_whole():
    assert random_box(np.random.default_rng(0), 1, 100, 0.9, 1.1) == (0, 0, 1, 100)


def test_a_view_is_that_of_its_seed_epoch_and_position(folder):
    images = files(folder)
    view = images.random_view(3, 1, 2, CROP, True)
    np.testing.assert_array_equal(view, images.random_view(3, 1, 2, CROP, True))
    for other in ((3, 2, 2), (3, 1, 3), (6, 1, 2)):
        assert not np.array_equal(view, images.random_view(*other, CROP, True))


def test_half_of_the_views_are_flipped(folder):
    images, n_flipped = files(folder), 0
    for epoch in range(100):
        straight, view = (images.random_view(3, 1, epoch, CROP, flip) for flip in (False, True))
        if not np.array_equal(view, straight):
            np.testing.assert_array_equal(view, straight[:, :, ::-1])
            n_flipped += 1
    assert 30 < n_flipped < 70  # four standard deviations: 4 sqrt(0.5 * 0.5 * 100)


# ---- batches ----


def test_without_crop_files_are_seen_as_from_memory(folder):
    """Shifted, flipped and mixed alike: where images lie changes no batch."""
    for mixing in (None, *MIXINGS.values()):
        recipe, split = recipe_of(shift_px=2, flip=True), split_of(files(folder))
        in_memory = Split(split.images[:], split.labels, split.image_ids)
        pairs = zip(
            *(Stream(each, recipe, 1, CPU, mixing and Mixer(mixing)).epoch(3) for each in (split, in_memory)),
            strict=True,
        )
        assert all(torch.equal(one.images, other.images) for one, other in pairs)


def test_workers_give_the_batches_that_one_process_gives(folder):
    for mixing in (None, *MIXINGS.values()):
        alone, shared = (list(stream_of(folder, n_workers=n, mixing=mixing).epoch(1)) for n in (0, 2))
        for one, other in zip(alone, shared, strict=True):
            assert torch.equal(one.images, other.images) and torch.equal(one.other_labels, other.other_labels)


@pytest.mark.parametrize("crop", [vars(CROP), None])
def test_further_views_of_files_are_others_of_the_same_images(folder, crop):
    """In the place of further epochs: the first view is the same whatever their number, and workers change nothing."""
    given = {"crop": crop, "flip": True, "shift_px": 0 if crop else 2}
    recipes = [recipe_of(**given, n_workers=n) for n in (0, 2)]
    split = split_of(files(folder))
    one, three, shared = (
        list(Stream(split, recipe, 1, CPU, n_views=n).epoch(1))
        for recipe, n in zip((recipes[0], *recipes), (1, 3, 3), strict=True)
    )
    for own, batch, other in zip(one, three, shared, strict=True):
        views = [batch.images, *batch.further]
        assert torch.equal(own.images, batch.images) and torch.equal(own.positions, batch.positions)
        assert all(map(torch.equal, views, [other.images, *other.further]))
        assert len(views) == 3 and not any(torch.equal(*pair) for pair in combinations(views, 2))


def test_an_epoch_of_files_can_be_entered_at_any_batch(folder):
    stream = stream_of(folder)
    whole, part = list(stream.epoch(0)), list(stream.epoch(0, 1))
    assert [torch.equal(one.images, other.images) for one, other in zip(whole[1:], part, strict=True)] == [True, True]


def test_boxes_of_other_files_are_pasted(folder):
    for batch in stream_of(folder, mixing=CUTMIX).epoch(0):
        assert batch.images.shape[1:] == (3, SIZE_PX, SIZE_PX) and batch.weight.min() < 1


def test_no_more_is_decoded_than_is_needed_soon(folder, monkeypatch):
    """The memory bound: with no workers one batch; the data set's size does not enter."""
    decoded, inner = [], ImageFiles.random_view
    monkeypatch.setattr(ImageFiles, "random_view", lambda *a: decoded.append(a[1]) or inner(*a))
    batches = stream_of(folder).epoch(0)
    assert decoded == []
    next(batches)
    assert len(decoded) == 8
    next(batches)
    assert len(decoded) == 16


def test_training_learns_from_files(folder):
    images = split_of(files(folder, channels=1))
    recipe = recipe_of(shift_px=0, crop=vars(CROP), epochs=12, learning_rate=1.0)
    model = model_of(widths=[8, 8, 8])
    model.fit_input(inference.as_pixels(images.images[:], CPU))
    rows = Training(model, Stream(images, recipe, 1, CPU), losses.from_labels(), images).run()
    assert rows[-1]["train_loss"] < 0.6 * np.log(3) and isinstance(model, nn.Module)


# ---- faults ----


@pytest.mark.parametrize("n_workers", [0, 1])
@pytest.mark.parametrize(("content", "message"), [(b"", "cannot be decoded"), (None, "No such file")])
def test_a_bad_file_is_named_in_one_line(folder, tmp_path, content, message, n_workers):
    if content is not None:
        (tmp_path / "bad.png").write_bytes(content)
    images = ImageFiles(tmp_path, ["bad.png"] * 4, 3, SIZE_PX)
    recipe = recipe_of(shift_px=0, batch_size=2, n_workers=n_workers, crop=vars(CROP))
    with pytest.raises(UserError, match=rf"bad\.png: {message}") as fault:
        list(Stream(split_of(images), recipe, 1, CPU).epoch(0))
    assert "\n" not in str(fault.value)
    with pytest.raises(UserError, match=rf"bad\.png: {message}"):
        images[:2]


def test_a_truncated_jpeg_is_named(folder, tmp_path):
    content = (folder / name(1)).read_bytes()
    (tmp_path / "bad.jpg").write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"bad\.jpg: cannot be decoded"):
        ImageFiles(tmp_path, ["bad.jpg"], 3, SIZE_PX)[:]


@pytest.fixture
def photos(folder, tmp_path):
    """The images in two folders, as a later job has them: by names, below a root that is a link."""
    for i in range(6):
        (tmp_path / f"photos/a/{i % 2}").mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / name(i), tmp_path / f"photos/a/{i % 2}/{name(i)}")
    (tmp_path / "root").symlink_to("photos")
    return files(tmp_path / "root", names=[f"a/{i % 2}/{name(i)}" for i in range(6)])


@pytest.mark.parametrize("link", ["a/0/00.png", "a/0"])
def test_a_link_out_of_the_root_is_not_followed_though_it_came_later(photos, link):
    path = photos.root / link
    path.rename(photos.root.parent / "moved")
    path.symlink_to(photos.root.parent / "moved")
    with pytest.raises(UserError, match=rf"root/{link}: a link that leads out of .*root; replace it by what it points"):
        photos[:]
    assert photos[np.array([1, 3])].shape == (2, 3, SIZE_PX, SIZE_PX)


def test_a_link_that_stays_in_the_root_is_followed(photos):
    (photos.root / "a/1/01.jpg").unlink()
    (photos.root / "a/1/01.jpg").symlink_to("../0/00.png")
    np.testing.assert_array_equal(photos[:][1], photos[:][0])


@pytest.mark.parametrize("start", ["..", "{}"])
def test_names_that_are_not_below_the_root_are_refused(photos, tmp_path, start):
    (tmp_path / "secret.png").write_bytes((photos.root / "a/0/00.png").read_bytes())
    with pytest.raises(UserError, match=r"a link that leads out of .*root"):
        ImageFiles(photos.root, [f"{start.format(tmp_path)}/secret.png"], 3, SIZE_PX)[:]


def test_options_that_would_be_ignored_are_refused(folder):
    with pytest.raises(UserError, match="crop takes the place of shift_px"):
        stream_of(folder, shift_px=1)
    with pytest.raises(UserError, match="needs images in memory"):
        Stream(
            split_of(files(folder)), recipe_of(shift_px=0), 1, CPU, Mixer(CUTMIX, np.ones((N, SIZE_PX, SIZE_PX), bool))
        )
