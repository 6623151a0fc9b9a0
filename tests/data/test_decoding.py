"""Decoding: a picture, or one line with the file's name, whatever its bytes are."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from selfdoubt.data import decoding
from selfdoubt.data.decoding import Undecodable, decode, decode_mask, size_of

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
EXIF = Image.Exif()
EXIF[0x0112] = 6  # orientation: to be turned by 90 degrees
EXIF[0x010F] = "maker"
EXIF.get_ifd(0x8769)[0x9003] = "2026:01:01 00:00:00"
TEXT = PngImagePlugin.PngInfo()
TEXT.add_text("zTXt", "some words" * 9, zip=True)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()[:200]
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3)).astype(np.uint8)
RICH = {
    "PNG": {"exif": EXIF, "pnginfo": TEXT, "icc_profile": ICC, "dpi": (72, 72)},
    "JPEG": {"exif": EXIF, "icc_profile": ICC, "dpi": (72, 72), "comment": b"words"},
    "TIFF": {"exif": EXIF, "icc_profile": ICC, "dpi": (72, 72)},
    "WEBP": {"exif": EXIF, "icc_profile": ICC, "lossless": True},
}


def saved(pixels: np.ndarray | Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(file, kind, **options)
    return file.getvalue()


# ---- any bytes ----


@pytest.mark.parametrize("kind", [*RICH, "GIF", "BMP", "PPM"])
def test_damaged_files_are_pictures_or_one_line(kind, capfd):
    draws, content = np.random.default_rng(1), saved(PIXELS, kind, **RICH.get(kind, {}))
    outcomes = set()
    for _ in range(40):
        damaged = bytearray(content[: draws.integers(1, len(content) + 1)] if draws.random() < 0.2 else content)
        for at in draws.integers(0, len(damaged), 2):
            damaged[at] = draws.integers(0, 256)
        for use in (lambda c: decode(c, "a.png", 1), lambda c: decode_mask(c, "a.png"), lambda c: size_of(c, "a.png")):
            try:
                use(bytes(damaged))
                outcomes.add("picture")
            except Undecodable as fault:
                outcomes.add("line")
                assert str(fault).startswith("a.png: cannot be decoded (") and "\n" not in str(fault)
    assert outcomes == {"picture", "line"}


@pytest.mark.parametrize("error", [RecursionError("deep"), KeyError(274), OverflowError(), OSError("decoder error -2")])
def test_whatever_the_decoder_raises_becomes_the_line(monkeypatch, error):
    monkeypatch.setattr(Image, "open", lambda *of, **how: (_ for _ in ()).throw(error))
    with pytest.raises(Undecodable, match=r"a\.png: cannot be decoded \(\S+"):
        decode(saved(PIXELS), "a.png", None)


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_what_is_not_the_files_fault_is_raised_as_it_is(monkeypatch, error):
    monkeypatch.setattr(Image, "open", lambda *of, **how: (_ for _ in ()).throw(error()))
    with pytest.raises(error):
        decode(saved(PIXELS), "a.png", None)


# ---- metadata ----


def metadata_of(kind: str, content: bytes) -> Iterator[slice]:
    """Yield where a file's metadata is, without the headers of its blocks."""
    at = {"PNG": 8, "JPEG": 2, "WEBP": 12}[kind]
    while at < len(content) and content[at : at + 2] != b"\xff\xda":
        head = {"PNG": 8, "JPEG": 4, "WEBP": 8}[kind]
        order = "little" if kind == "WEBP" else "big"
        length = content[at + 2 : at + 4] if kind == "JPEG" else content[at + 4 * (kind == "WEBP") :][:4]
        end = at + int.from_bytes(length, order) + {"PNG": 12, "JPEG": 2, "WEBP": 8}[kind]
        is_of = {
            "PNG": content[at + 4 : at + 5].islower(),
            "JPEG": 0xE0 <= content[at + 1] < 0xF0 or content[at + 1] == 0xFE,
            "WEBP": content[at : at + 4] in (b"EXIF", b"ICCP"),
        }
        if is_of[kind]:
            yield slice(at + head, end)
        at = end + (end % 2 if kind == "WEBP" else 0)


def damaged_metadata(kind: str, content: bytes, draws: np.random.Generator) -> bytes:
    damaged = bytearray(content)
    if kind == "TIFF":
        start = int.from_bytes(content[4:8], "little") + 2
        entries = [start + 12 * i for i in range(int.from_bytes(content[start - 2 : start], "little"))]
        places = [at for at in entries if int.from_bytes(content[at : at + 2], "little") in (271, 282, 34665, 34675)]
        at = draws.choice(places)
        damaged[at + 2 : at + 12] = draws.bytes(10)
    else:
        where = list(metadata_of(kind, content))
        place = where[draws.integers(len(where))]
        for at in draws.integers(place.start, place.stop, 5):
            damaged[at] = draws.integers(0, 256)
    return bytes(damaged)


@pytest.mark.parametrize("kind", RICH)
def test_no_metadata_stops_a_picture(kind):
    """Its pixels are those of the whole file, but for the way up, which may have been lost."""
    draws, content = np.random.default_rng(2), saved(PIXELS, kind, **RICH[kind])
    whole = np.asarray(decode(content, "a", 3)[0])
    turned = [np.rot90(each, turns) for each in (whole, whole[::-1]) for turns in range(4)]
    for _ in range(60):
        found = np.asarray(decode(damaged_metadata(kind, content, draws), "a", 3)[0])
        assert any(np.array_equal(found, each) for each in turned)


def test_an_orientation_is_applied_though_the_rest_cannot_be_written_anew(monkeypatch):
    """A number where a text belongs, or one out of its range: Pillow reads it, and fails to write it."""
    content = saved(PIXELS, "JPEG", exif=EXIF)

    def fail(exif, *of):
        raise OverflowError("argument out of range")

    monkeypatch.setattr(Image.Exif, "tobytes", fail)
    assert size_of(content, "a") == (6, 9) == decode(content, "a", 3)[0].size


@pytest.mark.parametrize("kind", RICH)
def test_the_size_in_the_header_is_that_of_the_upright_image(kind):
    content = saved(PIXELS, kind, exif=EXIF)
    assert size_of(content, "a") == (6, 9) == decode(content, "a", 3)[0].size


@pytest.mark.parametrize(("maxval", "sample"), [(255, b"\x80"), (65535, b"\x80\x80"), (4095, b"\x08\x08")])
def test_pnm_of_any_depth_is_read_and_known_by_its_suffixes(maxval, sample):
    found, conversion = decode(b"P5 2 1 %d\n" % maxval + 2 * sample, "a.pnm", 1)
    np.testing.assert_allclose(np.asarray(found), 128, atol=1)
    assert (conversion is None) == (maxval == 255)
    assert {".pnm", ".pbm", ".pgm", ".ppm"} <= {*decoding.IMAGE_SUFFIXES}


# ---- modes ----


@pytest.mark.parametrize("channels", [1, 3, None])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16"])
def test_every_mode_is_converted(mode, channels):
    kind = "PNG" if mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else "TIFF"
    grey = Image.fromarray(np.full((4, 6), 255, np.uint8))
    if mode == "I;16":
        image = Image.fromarray(np.full((4, 6), 255 * 257, np.uint16))
    elif mode == "LAB":
        image = Image.merge("LAB", [grey, *[Image.new("L", grey.size, 0)] * 2])
    elif mode == "PA":
        image, kind = grey.convert("LA"), "TIFF"
    else:
        image = grey.convert(mode)
    found, _ = decode(saved(image, kind), "a", channels)
    assert found.mode == {1: "L", 3: "RGB", None: "L" if mode in ("1", "L", "LA", "PA", "I;16") else "RGB"}[channels]
    assert mode == "LAB" or np.asarray(found).min() > 250


# ---- masks ----

OBJECT = np.zeros((4, 6), bool)
OBJECT[1:3, 2:5] = True
ALPHA = np.where(OBJECT, 255, 0).astype(np.uint8)
MASKS = {
    "8 bits": np.where(OBJECT, 1, 0).astype(np.uint8),
    "16 bits": np.where(OBJECT, 7, 0).astype(np.uint16),
    "one bit": Image.fromarray(OBJECT),
    "colour": np.where(OBJECT[..., None], [0, 0, 1], 0).astype(np.uint8),
    "white on transparent": np.dstack([np.full((4, 6, 3), 255, np.uint8), ALPHA]),
    "grey on transparent": Image.fromarray(np.dstack([np.full((4, 6), 9, np.uint8), ALPHA])),
    "opaque": np.dstack([ALPHA, ALPHA, ALPHA, np.full((4, 6), 255, np.uint8)]),
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_a_mask_is_what_is_above_0_and_not_transparent(mask):
    np.testing.assert_array_equal(decode_mask(saved(mask), "a"), OBJECT)


def test_a_mask_of_a_palette_is_what_is_not_black():
    mask = Image.fromarray(OBJECT.astype(np.uint8))
    mask.putpalette([0, 0, 0, 1, 0, 0])
    np.testing.assert_array_equal(decode_mask(saved(mask), "a"), OBJECT)


def test_content_shows_an_image_of_any_suffix():
    for kind, is_known in {"PNG": True, "JPEG": True, "GIF": True, "WEBP": True, "TIFF": False}.items():
        assert decoding.is_image(saved(PIXELS, kind)[:12]) == is_known
    assert not decoding.is_image(b"GIFs") and not decoding.is_image(b"")
