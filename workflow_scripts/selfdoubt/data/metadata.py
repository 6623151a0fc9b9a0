"""Metadata of image files: which way is up, and files without it, so that none stops a decodable picture."""

from collections.abc import Iterator

from PIL import ExifTags, Image

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_START_OF_SCAN, _ADOBE, _COMMENT = 0xDA, 0xEE, 0xFE  # markers of JPEG; Adobe's holds the colour space
_APPLICATION = range(0xE0, 0xF0)
_TIFF = {b"II*\0": "little", b"MM\0*": "big"}  # its first bytes, and the order of bytes
_TIFF_PIXELS = {256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338, 339}
_TIFF_PIXELS |= {347, 529, 530, 532}  # the tags of baseline TIFF, tiles and JPEG without which pixels cannot be read


def orientation(image: Image.Image) -> int:
    """Return the camera's orientation, 1 to 8; 1 where it cannot be read."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
        return found if found in _TURNS else 1
    except MemoryError:
        raise
    except Exception:  # of a reader of damaged metadata, anything
        return 1


def upright(image: Image.Image) -> Image.Image:
    """Return an image as its camera was held. Pillow's own function writes all metadata anew, which may fail."""
    turn = _TURNS.get(orientation(image))
    return image if turn is None else image.transpose(turn)


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height, px, of an image as its camera was held."""
    is_sideways = orientation(image) in _SIDEWAYS and image.format != "TIFF"  # of which Pillow gives the upright size
    return image.size[::-1] if is_sideways else image.size


def without(content: bytes) -> Iterator[bytes]:
    """Yield a TIFF, PNG or JPEG file without metadata but for the orientation, then without any; else nothing."""
    if order := _TIFF.get(content[:4]):
        yield _bare_tiff(content, order)
    for keep_exif in (True, False):
        if content.startswith(_PNG):
            yield _PNG + b"".join(_png_chunks(content, keep_exif))
        elif content.startswith(_JPEG):
            yield _JPEG + b"".join(_jpeg_segments(content, keep_exif))


def _png_chunks(content: bytes, keep_exif: bool) -> Iterator[bytes]:
    at = len(_PNG)
    while at + 8 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")  # length, name, data, checksum
        name = content[at + 4 : at + 8]
        if name[:1].isupper() or name == b"tRNS" or (keep_exif and name == b"eXIf"):
            yield content[at:end]
        at = end


def _jpeg_segments(content: bytes, keep_exif: bool) -> Iterator[bytes]:
    at = len(_JPEG)
    while at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] != _START_OF_SCAN:
        marker, end = content[at + 1], at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        is_exif = keep_exif and content[at + 4 : at + 8] == b"Exif"
        if is_exif or marker == _ADOBE or not (marker in _APPLICATION or marker == _COMMENT):
            yield content[at:end]
        at = end
    yield content[at:]


def _bare_tiff(content: bytes, order: str) -> bytes:
    """Return a TIFF file whose first directory holds just what its pixels need; it stays where it is, shortened."""
    at = int.from_bytes(content[4:8], order)
    n = int.from_bytes(content[at : at + 2], order)
    entries = [content[start : start + 12] for start in range(at + 2, at + 2 + 12 * n, 12)]
    kept = [entry for entry in entries if int.from_bytes(entry[:2], order) in _TIFF_PIXELS]
    directory = len(kept).to_bytes(2, order) + b"".join(kept) + bytes(4)  # no next one
    return content[:at] + directory + content[at + len(directory) :]
