"""Profile pictures: whatever people upload becomes three small squares."""

import math
import re
import struct
from contextlib import suppress
from functools import cache
from io import BytesIO
from threading import BoundedSemaphore

from flask_babel import gettext as _
from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile

from portal.core import metrics
from portal.core.errors import Rejected, TooLarge, WrongKind
from portal.core.settings import setting
from portal.profile.formats import KINDS

SIZES = (512, 256, 96)
FIELD, MEGABYTE = "picture", 1024 * 1024
CROP_SLACK = 2  # pixels: browsers round each of the three numbers
QUALITY = 82
GAP = 2.0  # how many times finer than needed a picture is decoded and first reduced
_CROP = re.compile(r"(-?[0-9]{1,5}),(-?[0-9]{1,5}),([0-9]{1,5})")
_TURNS = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE"}
_TURNS |= {6: "ROTATE_270", 7: "TRANSVERSE", 8: "ROTATE_90"}
_places = cache(BoundedSemaphore)


def make(data: bytes, crop: str) -> dict[int, bytes]:
    """The picture as WebP files by their side in pixels (SIZES): upright, in sRGB, on white, bare.

    `crop` is "left,top,side" in pixels of the upright picture; empty for the middle square.
    Raises TooLarge, WrongKind or Rejected, all on the field "picture", and nothing else.
    """
    if len(data) > setting("PICTURE_MAX_BYTES"):
        raise too_large(len(data))
    with metrics.work("picture", _places(setting("PICTURE_JOBS"))):
        picture = _open(data)
        turn = _orientation(picture.info.get("exif") or b"")
        square = _square(crop, *(picture.size if turn < 5 else picture.size[::-1]))
        try:
            small = _cut(picture, turn, square)
            return {size: _webp(small, size) for size in SIZES}
        except Exception as broken:  # decoders raise whatever a damaged file drives them into
            text = _("This picture is damaged and cannot be opened. Choose another one.")
            raise Rejected(FIELD, "unreadable", text) from broken


def too_large(weight: int) -> TooLarge:
    """What is said of so many bytes, be they the picture's or its whole request's."""
    most = f"{setting('PICTURE_MAX_BYTES') / MEGABYTE:.2g}"
    size = f"{math.ceil(10 * weight / MEGABYTE) / 10:g}"
    text = _("The picture is %(size)s MB. Choose one up to %(most)s MB.", size=size, most=most)
    return TooLarge(FIELD, "too_large", text)


def _open(data: bytes) -> ImageFile:
    """The picture, its pixels not decoded yet."""
    try:
        picture = next(kind for kind in KINDS if kind.takes(data)).reader(BytesIO(data))
    except Image.DecompressionBombError as bomb:
        raise _too_many_pixels() from bomb
    except Exception as broken:  # as above: of no kind that is taken, or it only begins like one
        raise WrongKind(FIELD, "wrong_kind", _("Choose a JPEG, PNG or WebP picture")) from broken
    _check_sides(*picture.size)
    return picture


def _check_sides(width: int, height: int) -> None:
    low, high = setting("PICTURE_MIN_SIDE"), setting("PICTURE_MAX_SIDE")
    if min(width, height) < low:
        text = _("Choose a picture at least %(side)s pixels wide and high", side=low)
        raise Rejected(FIELD, "too_small", text)
    if width * height > setting("PICTURE_MAX_PIXELS"):
        raise _too_many_pixels()
    if max(width, height) > high:
        text = _("Choose a picture at most %(side)s pixels wide and high", side=high)
        raise Rejected(FIELD, "too_wide", text)


def _too_many_pixels() -> Rejected:
    most = f"{setting('PICTURE_MAX_PIXELS') / 1e6:g}"
    text = _("The picture has too many pixels. Choose one up to %(most)s megapixels.", most=most)
    return Rejected(FIELD, "too_many_pixels", text)


def _orientation(exif: bytes) -> int:
    """Which way up the picture lies (EXIF 2.32, 4.6.4), 1 to 8; 1 where that cannot be read."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = "<" if tiff.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        tags = [struct.unpack_from(order + "H6xH", tiff, start + 2 + 12 * n) for n in range(count)]
    except struct.error:
        return 1
    turn: int = dict(tags).get(0x0112, 1)  # its tag
    return turn if turn in _TURNS else 1


def _square(crop: str, width: int, height: int) -> tuple[int, int, int]:
    """Left, top and side of what was asked for."""
    side = min(width, height)
    typed = crop.strip() or f"{(width - side) // 2},{(height - side) // 2},{side}"
    found = _CROP.fullmatch(typed)
    left, top, asked = map(int, found.groups()) if found else (0, 0, 0)
    over = max(left + asked - width, top + asked - height)
    if asked < 1 or min(left, top, -over) < -CROP_SLACK:
        text = _("Choose the part of the picture again. It is a square inside the picture.")
        raise Rejected(FIELD, "bad_crop", text)
    side = min(side, asked)
    return min(max(0, left), width - side), min(max(0, top), height - side), side


def _cut(picture: ImageFile, turn: int, square: tuple[int, int, int]) -> Image.Image:
    """The square in the largest of SIZES: upright, opaque, in sRGB."""
    (left, top, side), width, profile = square, picture.width, picture.info.get("icc_profile")
    finer = GAP * SIZES[0] / side
    picture.draft(None, (math.ceil(picture.width * finer), math.ceil(picture.height * finer)))
    scale = picture.width / width  # of a JPEG: 1, 1/2, 1/4 or 1/8, rounded up to a pixel
    whole = picture.transpose(Image.Transpose[_TURNS[turn]]) if turn in _TURNS else picture
    box = left * scale, top * scale, (left + side) * scale, (top + side) * scale
    return _in_srgb(_opaque(_resized(whole, box)), profile)


def _resized(whole: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    if whole.mode in ("1", "P") or ("transparency" in whole.info and whole.mode in ("L", "RGB")):
        # Filters need colours, not numbers of colours or one that stands for "nothing here".
        whole = whole.crop(box).convert("RGBA" if whole.has_transparency_data else "RGB")
        box = 0, 0, *whole.size
    box = *box[:2], min(box[2], whole.width), min(box[3], whole.height)
    small = whole.resize((SIZES[0],) * 2, Image.Resampling.LANCZOS, box, reducing_gap=GAP)
    return small.point(lambda level: level / 256).convert("L") if small.mode == "I;16" else small


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode not in ("LA", "RGBA"):
        return picture
    paper = Image.new(picture.mode.removesuffix("A"), picture.size, "white")
    paper.paste(picture.convert(paper.mode), mask=picture.getchannel("A"))
    return paper


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Where the profile is missing, broken or of another mode, the numbers stand as sRGB."""
    target, found = ImageCms.createProfile("sRGB"), None
    with suppress(ImageCms.PyCMSError, OSError, ValueError):
        source = ImageCms.ImageCmsProfile(BytesIO(profile or b""))
        found = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
    return found or picture.convert("RGB")


def _webp(picture: Image.Image, size: int) -> bytes:
    file = BytesIO()
    picture.resize((size, size), Image.Resampling.LANCZOS).save(file, "WEBP", quality=QUALITY)
    return file.getvalue()
