"""Random resized crops of images in memory, by hand, against torchvision's, and as batches."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_mixing import settings_of
from small_training import CPU, recipe_of
from torchvision.transforms import v2

from selfdoubt.data.datasets import Split
from selfdoubt.mixing.mixer import Mixer
from selfdoubt.runtime.errors import UserError
from selfdoubt.training.batches import Stream
from selfdoubt.training.crops import Boxes, crop, draw_boxes

torch.set_num_threads(1)
CROP = SimpleNamespace(min_area=0.25, max_aspect=1.5)
N, SIZE_PX = 24, 12


def images() -> torch.Tensor:
    """Smooth images, so that the values beside a box's edge are near those in it."""
    steps = torch.arange(SIZE_PX)[:, None] * 9 + torch.arange(SIZE_PX) * 5
    return (steps + torch.arange(N)[:, None, None]).to(torch.uint8)[:, None].expand(-1, 3, -1, -1).contiguous()


def boxes_of(*boxes: tuple) -> Boxes:
    return Boxes(*map(torch.tensor, zip(*boxes, strict=True)))


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0, 0, 2, 2, False), [[10, 30], [50, 70]]),  # the whole image
        ((0, 0, 2, 2, True), [[30, 10], [70, 50]]),
        # of one pixel, to either side of its centre by a quarter: towards a neighbour, or over the image's edge
        ((0, 0, 1, 1, False), [[10, 15], [20, 25]]),
        ((1, 1, 1, 1, False), [[55, 60], [65, 70]]),
    ],
)
def test_boxes_by_hand(box, expected):
    image = torch.tensor([[[[10, 30], [50, 70]]]], dtype=torch.uint8)
    assert crop(image, boxes_of(box).at(torch.tensor([0]))).tolist() == [[expected]]


def test_views_are_those_of_torchvision():
    shown, boxes = images(), draw_boxes(1, 0, (N, SIZE_PX, SIZE_PX), CROP, False)
    found = crop(shown, boxes.at(torch.arange(N)))
    for i in range(N):
        box = [int(getattr(boxes, name)[i]) for name in ("top", "left", "height", "width")]
        theirs = v2.functional.resized_crop(shown[i], *box, [SIZE_PX, SIZE_PX], antialias=True)
        inner = (slice(None), slice(2, -2), slice(2, -2))  # at the edges ours goes on into the image
        assert (found[i][inner].int() - theirs[inner].int()).abs().max() <= 1


def test_boxes_lie_within_and_have_the_areas_and_aspects_asked_for():
    boxes = draw_boxes(0, 0, (4000, 40, 60), CROP, True)
    top, left, height, width, flipped = (values.numpy() for values in vars(boxes).values())
    assert (top >= 0).all() and (left >= 0).all() and (top + height <= 40).all() and (left + width <= 60).all()
    assert (top + height == 40).any() and (left + width == 60).any()
    area, aspect = height * width / 2400, width / height
    assert 0.23 < area.min() < 0.27 and area.max() > 0.9 and 0.62 < aspect.min() < 0.7 and 1.45 < aspect.max() < 1.6
    assert 0.45 < flipped.mean() < 0.55 and not draw_boxes(0, 0, (100, 4, 4), CROP, False).flipped.any()


def test_an_image_that_no_box_fits_is_shown_whole():
    boxes = draw_boxes(0, 0, (5, 1, 100), SimpleNamespace(min_area=0.9, max_aspect=1.1), False)
    assert [values.tolist() for values in vars(boxes).values()][:4] == [[0] * 5, [0] * 5, [1] * 5, [100] * 5]


def test_a_view_does_not_depend_on_its_batch():
    shown, boxes = images(), draw_boxes(1, 3, (N, SIZE_PX, SIZE_PX), CROP, True)
    whole = crop(shown, boxes.at(torch.arange(N)))
    for index in (torch.tensor([5]), torch.tensor([7, 2, 5])):
        assert torch.equal(crop(shown, boxes.at(index)), whole[index])
    assert not torch.equal(whole, crop(shown, draw_boxes(1, 4, (N, SIZE_PX, SIZE_PX), CROP, True).at(torch.arange(N))))


def test_a_mask_is_cropped_with_its_image():
    """Of images that are white where their masks are, what is pasted is white, or nearly so at an edge."""
    masks = np.zeros((N, SIZE_PX, SIZE_PX), bool)
    masks[:, 3:9, 4:8] = True
    white = np.where(masks, 255, 0).astype(np.uint8)[:, None]
    split = Split(white, np.arange(N), np.arange(N, dtype=np.int32))
    recipe = recipe_of(shift_px=0, crop=vars(CROP), batch_size=8)
    batches = list(Stream(split, recipe, 1, CPU, Mixer(settings_of("mask-cutmix", probability=1.0), masks)).epoch(0))
    plain = list(Stream(split, recipe, 1, CPU).epoch(0))
    for batch, alone in zip(batches, plain, strict=True):
        assert torch.equal(batch.positions, alone.positions)
        pasted = batch.images != alone.images
        assert pasted.any() and batch.images[pasted].min() >= 127 / 255


def test_crop_and_shift_together_are_refused():
    split = Split(images().numpy(), np.arange(N), np.arange(N, dtype=np.int32))
    with pytest.raises(UserError, match="crop takes the place of shift_px"):
        Stream(split, recipe_of(shift_px=1, crop=vars(CROP)), 1, CPU)
