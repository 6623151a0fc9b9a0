"""fashion-scenes: objects of Fashion-MNIST, coloured and placed on textures, with exact masks.

Composed, not photographed: 32 x 32 pixels, one object a scene, cut out of its black background, scaled, perhaps
flipped, placed anywhere and shaded in one colour. Behind it are one or two textures of seven families in random
colours; a patch of another distracts. Objects and backgrounds are equally bright on average and of any colour, so an
object is recognised by its shape, its shading and its contrast. Outside its mask a scene equals the background
exactly. Docs, with a picture: docs/scenes.md.

Draws are named by the split and the id of the image, so a scene does not depend on others. Left out: soft edges,
because a mask would then not be exact, and shadows, occlusion and rotation, which the question does not need.
"""

import numpy as np
from PIL import Image
from scipy import ndimage

from selfdoubt.runtime import randomness

SIZE_PX = 32
SCALES = (0.5, 0.9)  # of the object's 28 pixels
CONTRAST = 70  # between the object and what it hides, RMS over the channels, out of 255; smaller where no colour has it
FAINT = 24  # out of 255: up to here, pixels outside an object may be noise of its scan
SPECK_PX = 8  # smaller parts are noise too
_BATCH = 500
_N_COLOURS = 40  # of which an object takes the first with enough contrast
_RADII = np.hypot(np.fft.fftfreq(SIZE_PX)[:, None], np.fft.rfftfreq(SIZE_PX))
_ROWS, _COLUMNS = np.mgrid[:SIZE_PX, :SIZE_PX].astype(np.float32)


def compose(images: np.ndarray, image_ids: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a scene around each object, uint8 (n, 3, 32, 32), and where the object is in it, bool (n, 32, 32).

    images: uint8 (n, 1, H, W), bright on black, H and W up to 32. image_ids: (n,) name the draws, together with
    `name`, the split's.
    Raises ValueError, at a programming error, if an image is empty.
    """
    scenes = np.empty((len(images), 3, SIZE_PX, SIZE_PX), np.uint8)
    masks = np.empty((len(images), SIZE_PX, SIZE_PX), bool)
    for start in range(0, len(images), _BATCH):
        part = slice(start, start + _BATCH)
        draws = [randomness.generator(0, f"scene-{name}", int(image_id)) for image_id in image_ids[part]]
        behind = backgrounds(draws)
        shades, masks[part] = place(images[part, 0], draws)
        scenes[part] = _paint(behind, shades, masks[part], draws)
    return scenes, masks


def silhouettes(images: np.ndarray) -> np.ndarray:
    """Return where the objects are, bool (n, H, W): pixels above 0 with holes filled, without fringe and specks.

    images: uint8 (n, H, W). Objects of Fashion-MNIST have parts of 0, hence the filling, and round them there are
    pixels barely above 0, of which those stay that have most of their neighbourhood in the object. Where all is
    specks, the largest of them is the object.
    """
    within = np.zeros((3, 3, 3), bool)
    within[1] = True  # pixels touch by edge or corner, and never those of another image
    neighbours = ndimage.convolve((images > 0).view(np.uint8), within.view(np.uint8), mode="constant")
    solid = (images > FAINT) | ((images > 0) & (neighbours >= 6))
    parts, n_parts = ndimage.label(solid, within)
    areas = np.bincount(parts.ravel(), minlength=n_parts + 1)
    areas[0] = 0
    largest = areas[parts].max((1, 2), keepdims=True)
    kept = (parts > 0) & (areas[parts] >= np.minimum(SPECK_PX, largest))
    return ndimage.binary_fill_holes(kept, ndimage.generate_binary_structure(3, 1) & within)


def place(images: np.ndarray, draws: list[np.random.Generator]) -> tuple[np.ndarray, np.ndarray]:
    """Return objects scaled, perhaps flipped and placed: shades float32 in [0, 1] and masks bool, (n, 32, 32) each.

    images: uint8 (n, H, W).
    """
    shades = np.zeros((len(images), SIZE_PX, SIZE_PX), np.float32)
    masks = np.zeros(shades.shape, bool)
    for image, inside, draw, shade, mask in zip(images, silhouettes(images), draws, shades, masks, strict=True):
        scale, down, right, coin = draw.random(4)
        scale = SCALES[0] + scale * (SCALES[1] - SCALES[0])
        pixels, coverage = _shrink(image, inside, scale)
        if coin < 0.5:
            pixels, coverage = pixels[:, ::-1], coverage[:, ::-1]
        height, width = pixels.shape
        top, left = int(down * (SIZE_PX - height + 1)), int(right * (SIZE_PX - width + 1))
        there = np.s_[top : top + height, left : left + width]
        mask[there] = coverage >= min(0.5, coverage.max())
        shade[there] = pixels / np.maximum(coverage, 1e-3) / 255  # of the object alone: no rim from what was around it
    return shades.clip(0, 1), masks


def _shrink(image: np.ndarray, inside: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Cut out the object and scale it; return grey values, 0 outside, and how much of each pixel is object."""
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not len(rows):
        raise ValueError("an image shows no object to place")
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    size = [max(1, round(scale * side)) for side in (right - left, bottom - top)]
    resized = []
    for layer in (np.where(inside, image, 0), inside):
        cut = Image.fromarray(layer[top:bottom, left:right].astype(np.float32))
        resized.append(np.asarray(cut.resize(size, Image.Resampling.BILINEAR)))
    return resized[0], resized[1]


def _paint(behind: np.ndarray, shades: np.ndarray, masks: np.ndarray, draws: list[np.random.Generator]) -> np.ndarray:
    """Give each object the first of its colours that stands out from what it hides; returns scenes, uint8."""
    n = np.arange(len(draws))
    candidates = np.stack([_colours(draw, _N_COLOURS) for draw in draws])  # (n, colours, 3)
    darkest = np.array([draw.uniform(0, 0.45) for draw in draws], np.float32)[:, None, None]  # of the colour
    light = darkest + (1 - darkest) * shades  # (n, 32, 32)
    area = masks.sum((1, 2))
    mean_light = (light * masks).sum((1, 2)) / area
    hidden = (behind * masks[:, None]).sum((2, 3)) / area[:, None]  # (n, 3)
    distances = np.sqrt(((candidates * mean_light[:, None, None] - hidden[:, None]) ** 2).mean(-1))
    enough = distances >= CONTRAST
    chosen = np.where(enough.any(1), enough.argmax(1), distances.argmax(1))
    objects = candidates[n, chosen][:, :, None, None] * light[:, None]
    return np.rint(np.where(masks[:, None], objects, behind)).astype(np.uint8)


# ---- backgrounds ----


def backgrounds(draws: list[np.random.Generator], textures: dict | None = None) -> np.ndarray:
    """Return float32 (n, 3, 32, 32) in [0, 255], whole numbers: a texture, often a second beside it, often a patch.

    textures: functions by the names of their families; None: TEXTURES.
    """
    layers = [_coloured_textures(draws, textures or TEXTURES) for _ in range(3)]
    beside, patch = (np.stack([area(draw) for draw in draws])[:, None] for area in (_half, _patch))
    return np.rint(np.where(patch, layers[2], np.where(beside, layers[1], layers[0])))


def _coloured_textures(draws: list[np.random.Generator], textures: dict) -> np.ndarray:
    """Return a texture each, between two colours, float32 (n, 3, 32, 32) in [0, 255]."""
    families = np.array([draw.integers(len(textures)) for draw in draws])
    numbers = np.stack([draw.random(5, np.float32) for draw in draws])
    noise = np.stack([draw.standard_normal((SIZE_PX, SIZE_PX), np.float32) for draw in draws])
    values = np.empty_like(noise)
    for family, texture in enumerate(textures.values()):
        mine = families == family
        values[mine] = texture(numbers[mine].T[:, :, None, None], noise[mine])
    ends = np.stack([_colours(draw, 2) * draw.uniform(0.4, 1) for draw in draws])  # (n, 2, 3); dimmed as objects are
    # The second is drawn towards the first, so that few backgrounds have more contrast than an object.
    fraction = np.array([draw.uniform(0.15, 0.6) for draw in draws], np.float32)[:, None]
    first, step = ends[:, 0], fraction * (ends[:, 1] - ends[:, 0])
    return first[:, :, None, None] + step[:, :, None, None] * values[:, None]


def _colours(draw: np.random.Generator, n: int) -> np.ndarray:
    """Draw colours evenly from the RGB cube, float32 (n, 3) in [0, 255]."""
    return 255 * draw.random((n, 3), np.float32)


def _half(draw: np.random.Generator) -> np.ndarray:
    """Draw one side of a line, in one scene of two; bool (32, 32)."""
    angle, offset, coin = draw.random(3)
    across = np.cos(2 * np.pi * angle) * (_COLUMNS - 15.5) + np.sin(2 * np.pi * angle) * (_ROWS - 15.5)
    return (across > 20 * (offset - 0.5)) & (coin < 0.5)


def _patch(draw: np.random.Generator) -> np.ndarray:
    """Draw a small rectangle or ellipse, in two scenes of three; bool (32, 32)."""
    row, column, height, width, shape, coin = draw.random(6)
    down = np.abs(_ROWS - 31 * row) / (2 + 4 * height)
    right = np.abs(_COLUMNS - 31 * column) / (2 + 4 * width)
    inside = np.maximum(down, right) < 1 if shape < 0.5 else np.hypot(down, right) < 1
    return inside & (coin < 2 / 3)


# Each texture takes five numbers in [0, 1) a scene, (5, n, 1, 1), and normal noise (n, 32, 32); it returns
# (n, 32, 32) in [0, 1].


def _power_noise(numbers: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Noise whose amplitude falls with frequency to a power of 0.5 to 2; natural images have about 1."""
    return _to_unit(_filtered(noise, np.maximum(_RADII, 1 / SIZE_PX) ** -(0.5 + 1.5 * numbers[0])))


def _value_noise(numbers: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Cells of random grey, smoothed to clouds of 3 to 8 px."""
    return _to_unit(_filtered(noise, np.exp(-2 * (np.pi * _RADII * (1 + 2 * numbers[0])) ** 2)))


def _stripes(numbers: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Bars of any direction, 3 to 12 px apart, soft or hard."""
    return _hardened(_wave(numbers[0], 3 + 9 * numbers[1], numbers[2]), numbers[3])


def _checks(numbers: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """A chessboard of any direction, 5 to 16 px a pair, soft or hard."""
    period_px = 5 + 11 * numbers[1]
    return _hardened(
        _wave(numbers[0], period_px, numbers[2]) * _wave(numbers[0] + 0.25, period_px, numbers[3]), numbers[4]
    )


def _gradients(numbers: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Light from one side."""
    angle = 2 * np.pi * numbers[0]
    return _to_unit(np.cos(angle) * _COLUMNS + np.sin(angle) * _ROWS)


def _rings(numbers: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Circles about a point inside or outside, 4 to 20 px apart."""
    centre = [SIZE_PX * (2 * number - 0.5) for number in numbers[:2]]
    radius = np.hypot(_ROWS - centre[0], _COLUMNS - centre[1])
    return _hardened(np.sin(2 * np.pi * radius / (4 + 16 * numbers[2])), numbers[3])


def _blobs(numbers: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Spots of the size of objects and smaller, with edges."""
    smooth = _filtered(noise, np.exp(-2 * (np.pi * _RADII * (1.5 + 2.5 * numbers[0])) ** 2))
    smooth -= smooth.mean((1, 2), keepdims=True)
    return _hardened(
        smooth / np.maximum(smooth.std((1, 2), keepdims=True), 1e-6) + 2 * numbers[1] - 1, 0.5 + numbers[2] / 2
    )


def _filtered(noise: np.ndarray, gain: np.ndarray) -> np.ndarray:
    return np.fft.irfft2(np.fft.rfft2(noise) * gain, s=noise.shape[1:]).astype(np.float32)


def _wave(turn: np.ndarray, period_px: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Return a sine across the plane; turn and phase in whole turns."""
    across = np.cos(2 * np.pi * turn) * _COLUMNS + np.sin(2 * np.pi * turn) * _ROWS
    return np.sin(2 * np.pi * (across / period_px + phase))


def _hardened(values: np.ndarray, hardness: np.ndarray) -> np.ndarray:
    """Return values about 0 as grey in [0, 1]: nearly as they are for hardness 0, nearly black and white for 1."""
    return 0.5 + 0.5 * np.tanh(values * 8**hardness)


def _to_unit(values: np.ndarray) -> np.ndarray:
    """Stretch each image to [0, 1]."""
    low, high = values.min((1, 2), keepdims=True), values.max((1, 2), keepdims=True)
    return (values - low) / np.maximum(high - low, 1e-6)


TEXTURES = {
    "power-noise": _power_noise,
    "value-noise": _value_noise,
    "stripes": _stripes,
    "checks": _checks,
    "gradients": _gradients,
    "rings": _rings,
    "blobs": _blobs,
}
