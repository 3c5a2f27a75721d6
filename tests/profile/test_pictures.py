"""What people upload is not to be trusted, and what they get back is a picture of them."""

import hashlib
import io
import resource
import stat
import struct
import threading
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from portal.core.errors import Rejected, TooLarge, WrongKind
from portal.profile import disk, filenames, pictures

RED, GREEN, BLUE, YELLOW = (250, 20, 20), (20, 200, 20), (20, 20, 250), (240, 230, 20)
CORNERS = (RED, GREEN, BLUE, YELLOW)  # top left, top right, bottom left, bottom right


@pytest.fixture
def limits(monkeypatch):
    values = {
        "PICTURE_MAX_BYTES": 5 * 1024 * 1024,
        "PICTURE_MIN_SIDE": 256,
        "PICTURE_MAX_SIDE": 8192,
        "PICTURE_MAX_PIXELS": 24_000_000,
        "PICTURE_JOBS": 2,
    }
    monkeypatch.setattr(pictures, "setting", values.__getitem__)
    return values


@pytest.fixture
def make(limits):
    return pictures.make


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "setting", {"UPLOAD_FOLDER": str(tmp_path)}.__getitem__)
    return tmp_path


def encoded(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def flag(width=400, height=300):
    """Four fields of colour, so that one sees which way up it is."""
    picture = Image.new("RGB", (width, height))
    draw, (x, y) = ImageDraw.Draw(picture), (width // 2, height // 2)
    for colour, left, top in zip(CORNERS, (0, x, 0, x), (0, 0, y, y), strict=True):
        draw.rectangle((left, top, left + x, top + y), fill=colour)
    return picture


def noise(width, height, seed=b"noise"):
    return Image.frombytes(
        "RGB", (width, height), hashlib.shake_128(seed).digest(width * height * 3)
    )


def photo(width, height):
    """Soft shapes under a little grain, as a camera takes them."""
    shapes = noise(width // 16, height // 16).resize((width, height), Image.Resampling.BICUBIC)
    grain = noise(500, 500, b"grain").resize((width, height), Image.Resampling.NEAREST)
    return Image.blend(shapes, grain, 0.1)


def seen(files, size=512):
    return Image.open(io.BytesIO(files[size]), formats=["WEBP"]).convert("RGB")


def corners(picture):
    near, far = picture.width // 10, picture.width * 9 // 10
    return [picture.getpixel(at) for at in ((near, near), (far, near), (near, far), (far, far))]


def alike(colour, other, tolerance=12):
    return all(abs(a - b) <= tolerance for a, b in zip(colour, other, strict=True))


def all_alike(colours, others, tolerance=12):
    return all(alike(a, b, tolerance) for a, b in zip(colours, others, strict=True))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


MAGIC, END = b"\x89PNG\r\n\x1a\n", chunk(b"IEND", b"")


def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def exif(orientation, order=">"):
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    entry = struct.pack(order + "HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    return b"Exif\0\0" + mark + struct.pack(order + "I", 8) + entry


def refused(make, data, crop="", kind=Rejected):
    with pytest.raises(kind) as refusal:
        make(data, crop)
    assert refusal.value.field == "picture"
    return refusal.value


# ------------------------------------------------------------------ what comes out


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_three_square_webp_files_of_the_middle_come_out(make, kind):
    files = make(encoded(flag(), kind), "")
    assert list(files) == [512, 256, 96]
    for size, data in files.items():
        with Image.open(io.BytesIO(data)) as picture:
            assert (picture.format, picture.size) == ("WEBP", (size, size))
    assert all_alike(corners(seen(files)), CORNERS)


def test_the_middle_square_leaves_out_both_ends(make):
    picture = Image.new("RGB", (900, 300), "white")
    picture.paste("black", (300, 0, 600, 300))
    assert all_alike(corners(seen(make(encoded(picture), ""))), [(0, 0, 0)] * 4)


def turned_as_stored(picture, orientation):
    """The pixels that a camera stores when it notes this orientation (EXIF 2.32, 4.6.4)."""
    undo = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.ROTATE_270, Image.Transpose.FLIP_LEFT_RIGHT],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.ROTATE_90, Image.Transpose.FLIP_LEFT_RIGHT],
        8: [Image.Transpose.ROTATE_270],
    }
    for step in undo.get(orientation, []):
        picture = picture.transpose(step)
    return picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright(make, kind, orientation):
    stored = turned_as_stored(flag(), orientation)
    files = make(encoded(stored, kind, exif=exif(orientation)), "")
    assert all_alike(corners(seen(files)), CORNERS)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_square_asked_for_counts_in_pixels_of_the_upright_picture(make, orientation):
    picture = flag(3201, 2401)  # large enough for a JPEG to be decoded at a half
    picture.paste("white", (1000, 200, 3120, 2320))
    stored = turned_as_stored(picture, orientation)
    files = make(encoded(stored, "JPEG", exif=exif(orientation, "<")), "1010,210,2100")
    assert all(low > 235 for low, _high in seen(files).getextrema())


@pytest.mark.parametrize(
    "record",
    [
        b"Exif\0\0",
        b"Exif\0\0MM\0*\xff\xff\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff",
        exif(0),
        exif(9),
        exif(60000),
    ],
)
def test_a_broken_exif_record_leaves_the_picture_as_it_lies(make, record):
    assert all_alike(corners(seen(make(encoded(flag(), "JPEG", exif=record), ""))), CORNERS)


def test_a_hint_in_xmp_does_not_turn_a_picture_that_browsers_show_as_it_lies(make):
    note = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="3"/>'
    data = encoded(flag(), "JPEG", xmp=note)
    assert b'Orientation="3"' in data
    assert all_alike(corners(seen(make(data, ""))), CORNERS)


def chunks_of_webp(data):
    found, at = [], 12
    while at < len(data):
        found.append(data[at : at + 4])
        at += 8 + (struct.unpack_from("<I", data, at + 4)[0] + 1) // 2 * 2
    return found


def laden(kind):
    """A picture with its place, its owner, a small copy, a profile, and payloads everywhere."""
    record = Image.Exif()
    record[0x010E] = "<script>alert(1)</script><?php system($_GET[0]); ?>"
    record[0x013B] = "Sana Iqbal"
    record.get_ifd(0x8825)[2] = (53.0, 47.0, 59.0)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options = {"exif": record.tobytes(), "icc_profile": srgb}
    if kind == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("Comment", "<script>alert(2)</script>", zip=False)
    else:
        options["xmp"] = b"<x:xmpmeta><script>alert(3)</script></x:xmpmeta>"
    if kind == "JPEG":
        options["comment"] = b"<?php system($_GET[1]); ?>"
    data = encoded(flag(), kind, **options) + b"<script>alert(4)</script><?php phpinfo(); ?>"
    assert b"<script" in data
    assert b"<?php" in data
    return data


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_nothing_but_pixels_is_kept(make, kind):
    for data in make(laden(kind), "").values():
        assert chunks_of_webp(data) == [b"VP8 "]
        assert not any(bad in data.lower() for bad in (b"<script", b"<?php", b"sana", b"exif"))


def test_a_payload_in_the_very_pixels_does_not_survive(make):
    payload = b"<script src=//evil.example></script><?php eval($_GET[0]); ?>"
    row = b"\0" + (payload * 20)[:900]
    facts = struct.pack(">IIBBBBB", 300, 300, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(row * 300, 0))
    data = MAGIC + chunk(b"IHDR", facts) + pixels + END
    assert b"<script" in data
    for written in make(data, "").values():
        assert b"<script" not in written
        assert b"<?php" not in written


# ------------------------------------------------------------------ colours


def display_p3():
    """An sRGB profile with the primaries of Display P3 (adapted to D50) in place of its own."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    primaries = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
    }
    for n in range(struct.unpack_from(">I", data, 128)[0]):
        tag, start, _length = struct.unpack_from(">4sII", data, 132 + 12 * n)
        if tag in primaries:
            values = (round(value * 65536) for value in primaries[tag])
            struct.pack_into(">3i", data, start + 8, *values)
    return bytes(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_wide_colours_are_brought_into_srgb(make, kind):
    picture = Image.new("RGB", (300, 300), (200, 100, 100))
    options = {} if kind == "PNG" else {"quality": 95}
    wide = make(encoded(picture, kind, icc_profile=display_p3(), **options), "")
    # CSS Color 4: color(display-p3 0.784 0.392 0.392) is rgb(214 95 97).
    assert alike(seen(wide).getpixel((256, 256)), (214, 95, 97), 4)
    plain = make(encoded(picture, kind, **options), "")
    assert alike(seen(plain).getpixel((256, 256)), (200, 100, 100), 4)


@pytest.mark.parametrize("cut", [0, 3, 100, 200, 400])
def test_a_broken_profile_is_ignored(make, cut):
    data = encoded(flag(), "JPEG", icc_profile=display_p3()[:cut] + b"\xff\0broken")
    assert all_alike(corners(seen(make(data, ""))), CORNERS)


def test_a_profile_for_colours_on_a_grey_picture_is_ignored(make):
    data = encoded(Image.new("L", (300, 300), 90), "JPEG", icc_profile=display_p3())
    assert alike(seen(make(data, "")).getpixel((9, 9)), (90, 90, 90), 3)


def test_a_cmyk_jpeg_keeps_its_colours(make):
    data = encoded(flag().convert("CMYK"), "JPEG", quality=95)
    assert all_alike(corners(seen(make(data, ""))), CORNERS)


@pytest.mark.parametrize("level, shown", [(0, 0), (16384, 64), (32768, 128), (65535, 255)], ids=str)
def test_a_grey_png_of_16_bits_keeps_its_shades(make, level, shown):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 300, 300, 16, 0, 0, 0, 0))
    rows = (b"\0" + struct.pack(">H", level) * 300) * 300
    data = MAGIC + header + chunk(b"IDAT", zlib.compress(rows)) + END
    assert alike(seen(make(data, "")).getpixel((200, 200)), (shown,) * 3, 2)


def test_a_colour_png_of_16_bits_keeps_its_colours(make):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 300, 300, 16, 2, 0, 0, 0))
    rows = (b"\0" + struct.pack(">HHH", 51200, 25600, 12800) * 300) * 300
    data = MAGIC + header + chunk(b"IDAT", zlib.compress(rows)) + END
    assert alike(seen(make(data, "")).getpixel((200, 200)), (200, 100, 50), 4)


def see_through(mode):
    """Blue, and nothing in its upper half."""
    picture = Image.new("RGBA", (300, 300), (20, 20, 250, 255))
    picture.paste((20, 20, 250, 0), (0, 0, 300, 150))
    if mode == "P":
        palette = Image.new("P", (300, 300), 1)
        palette.putpalette([9, 9, 9, *BLUE])
        palette.paste(0, (0, 0, 300, 150))
        palette.info["transparency"] = 0
        return palette
    if mode == "RGB":
        picture = Image.new("RGB", (300, 300), BLUE)
        picture.paste((9, 9, 9), (0, 0, 300, 150))
        picture.info["transparency"] = (9, 9, 9)
        return picture
    return picture.convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "P", "RGB", "LA"])
def test_see_through_parts_become_white(make, mode):
    below = (45, 45, 45) if mode == "LA" else BLUE
    data = encoded(see_through(mode))
    assert Image.open(io.BytesIO(data)).has_transparency_data
    found = corners(seen(make(data, "")))
    assert all_alike(found, [(255, 255, 255)] * 2 + [below] * 2, 8)


def test_black_and_white_pictures_are_taken(make):
    picture = Image.new("1", (300, 300), 1)
    picture.paste(0, (0, 150, 300, 300))
    found = corners(seen(make(encoded(picture), "")))
    assert all_alike(found, [(255,) * 3] * 2 + [(0,) * 3] * 2, 3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture_is_taken(make, kind):
    first, more = flag(), [Image.new("RGB", (400, 300), colour) for colour in ("black", "white")]
    data = encoded(first, kind, save_all=True, append_images=more, duration=100)
    assert Image.open(io.BytesIO(data)).n_frames == 3
    assert all_alike(corners(seen(make(data, ""))), CORNERS)


# ------------------------------------------------------------------ the square


def test_the_square_asked_for_is_cut(make):
    found = corners(seen(make(encoded(flag(400, 400)), "200,0,200")))
    assert all_alike(found, [GREEN] * 4)


@pytest.mark.parametrize(
    "crop", ["-1,-2,200", "202,0,200", "201,201,200", "-2,-2,402", "0,0,401", " 0,0,400 "]
)
def test_what_browsers_round_is_forgiven(make, crop):
    assert len(make(encoded(flag(400, 400)), crop)) == 3


@pytest.mark.parametrize(
    "crop",
    [
        *("0,0,0", "0,0,-5", "-3,0,100", "0,-3,100", "303,0,100", "0,303,100", "0,0,403"),
        *("nonsense", "1,2", "1,2,3,4", "1.5,2,3", "1,2,3px", "٠,٠,١٠٠", "0,0,1e2", "0x0,0,9"),
        *("99999999999999999999,0,9", "0,0,nan", "inf,0,9", ",,", "0;0;100", "0,0,100\n0,0,1"),
    ],
)
def test_a_square_that_is_none_or_lies_outside_is_refused(make, crop):
    assert refused(make, encoded(flag(400, 400)), crop).code == "bad_crop"


def test_even_one_pixel_makes_a_picture(make):
    assert alike(seen(make(encoded(flag()), "399,0,1")).getpixel((256, 256)), GREEN)


# ------------------------------------------------------------------ what is refused


def foreign_files():
    for kind in ("GIF", "BMP", "TIFF", "ICO", "PDF", "PPM", "TGA", "JPEG2000", "AVIF"):
        yield pytest.param(encoded(flag(), kind), id=kind)
    texts = {
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "html": b"<!doctype html><script>alert(1)</script>",
        "empty": b"",
        "gif-js": b"GIF89a/*" + bytes(300) + b"*/=alert(1)",
        "swf": b"CWS\x0a" + bytes(500),
        "only-png-magic": b"\x89PNG\r\n\x1a\n",
        "only-jpeg-magic": b"\xff\xd8\xff",
        "only-webp-magic": b"RIFF\0\0\0\0WEBP",
        "png-html": b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>" * 50,
        "space-first": b" " + encoded(flag()),
        "avi": b"RIFF\x24\0\0\0AVI LIST" + bytes(400),
    }
    for name, data in texts.items():
        yield pytest.param(data, id=name)


@pytest.mark.parametrize("data", list(foreign_files()))
def test_only_the_content_tells_the_kind(make, data):
    refusal = refused(make, data, kind=WrongKind)
    assert (refusal.code, refusal.message) == ("wrong_kind", "Choose a JPEG, PNG or WebP picture")


def test_a_heavy_file_is_refused_with_its_size(make):
    refusal = refused(make, bytes(8 * 1024 * 1024), kind=TooLarge)
    assert refusal.message == "The picture is 8 MB. Choose one up to 5 MB."
    little = refused(make, bytes(5 * 1024 * 1024 + 1), kind=TooLarge)
    assert little.message == "The picture is 5.1 MB. Choose one up to 5 MB."


def test_a_file_of_just_the_limit_is_taken(make):
    data = encoded(flag())
    assert make(data + bytes(5 * 1024 * 1024 - len(data)), "")


@pytest.mark.parametrize("size", [(255, 900), (900, 255), (1, 1)])
def test_a_small_picture_is_refused(make, size):
    refusal = refused(make, encoded(Image.new("RGB", size)))
    assert refusal.message == "Choose a picture at least 256 pixels wide and high"


def test_the_sizes_that_are_just_allowed_are_taken(make):
    assert make(encoded(Image.new("L", (256, 256))), "")
    assert make(encoded(Image.new("L", (8192, 256)), "JPEG"), "")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_long_picture_is_refused(make, kind):
    refusal = refused(make, encoded(Image.new("L", (8193, 300)), kind))
    assert refusal.message == "Choose a picture at most 8192 pixels wide and high"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_vast_picture_is_refused(make, kind):
    refusal = refused(make, encoded(Image.new("L", (6000, 4001)), kind))
    expected = "The picture has too many pixels. Choose one up to 24 megapixels."
    assert refusal.message == expected


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_torn_picture_is_refused(make, kind):
    data = encoded(noise(300, 300), kind)
    assert refused(make, data[: len(data) // 2]).code in ("unreadable", "wrong_kind")


def test_changed_settings_change_what_is_taken(make, limits):
    data = encoded(flag(300, 300))
    limits["PICTURE_MIN_SIDE"] = 301
    assert "301" in refused(make, data).message
    limits.update(PICTURE_MIN_SIDE=96, PICTURE_MAX_SIDE=299)
    assert "299" in refused(make, data).message
    limits.update(PICTURE_MAX_SIDE=8192, PICTURE_MAX_PIXELS=89_999)
    assert refused(make, data).code == "too_many_pixels"
    limits.update(PICTURE_MAX_PIXELS=90_000, PICTURE_MAX_BYTES=len(data) - 1)
    assert refused(make, data, kind=TooLarge).code == "too_large"
    limits["PICTURE_MAX_BYTES"] = len(data)
    assert make(data, "")


def test_no_more_pictures_than_set_are_worked_on_side_by_side(make, limits, monkeypatch):
    busy, most, lock, cut = 0, 0, threading.Lock(), pictures._cut

    def slowly(*arguments):
        nonlocal busy, most
        with lock:
            busy, most = busy + 1, max(most, busy + 1)
        time.sleep(0.05)
        with lock:
            busy -= 1
        return cut(*arguments)

    monkeypatch.setattr(pictures, "_cut", slowly)
    data = encoded(flag())
    for jobs in (1, 2):
        limits["PICTURE_JOBS"], most = jobs, 0
        with ThreadPoolExecutor(6) as people:
            made = list(people.map(lambda _n: make(data, ""), range(6)))
        assert (len(made), most) == (6, jobs)


def test_a_refused_picture_gives_its_place_back(make, limits):
    limits["PICTURE_JOBS"] = 1
    for _n in range(3):
        refused(make, b"nothing")
    assert make(encoded(flag()), "")


# ------------------------------------------------------------------ files made to hurt


FLAG_PNG, FLAG_JPEG = encoded(flag()), encoded(flag(), "JPEG")


def claim(width, height, bits, colours, pixels):
    """A PNG that says so of itself."""
    facts = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    return MAGIC + chunk(b"IHDR", facts) + chunk(b"IDAT", zlib.compress(pixels)) + END


def png_with(extra):
    return FLAG_PNG[:33] + extra + FLAG_PNG[33:]


def jpeg_with(extra):
    return FLAG_JPEG[:2] + extra + FLAG_JPEG[2:]


def unpacking(kind, before, times, size):
    return png_with(chunk(kind, before + zlib.compress(bytes(size), 9)) * times)


def wide_canvas(side):
    data = bytearray(encoded(flag(), "WEBP", save_all=True, append_images=[flag().rotate(180)]))
    assert data[12:16] == b"VP8X"
    data[24:27] = data[27:30] = (side - 1).to_bytes(3, "little")
    return bytes(data)


BOMBS = {
    "30000x30000 of 1 bit": lambda: claim(30000, 30000, 1, 0, bytes(1 << 24)),
    "4 billion a side": lambda: claim(0xFFFFFFFF, 0xFFFFFFFF, 8, 6, b""),
    "negative side": lambda: claim(0x80000000, 300, 8, 2, b""),
    "no side": lambda: claim(0, 300, 8, 2, b""),
    "header that lies": lambda: claim(4000, 4000, 8, 2, bytes(3 * 300 * 300)),
    "impossible depth": lambda: claim(300, 300, 7, 5, bytes(90_300)),
    "no pixels": lambda: FLAG_PNG[:33] + END,
    "two headers": lambda: png_with(FLAG_PNG[8:33]),
    "palette picture without palette": lambda: claim(300, 300, 8, 3, bytes(90_300)),
    "chunk of 4 GB": lambda: FLAG_PNG[:33] + b"\xff\xff\xff\xffIDAT" + bytes(200),
    "packed notes": lambda: unpacking(b"zTXt", b"\0\0", 4500, 1_000_000),
    "packed profiles": lambda: unpacking(b"iCCP", b"x\0\0", 4500, 1_000_000),
    "packed texts": lambda: unpacking(b"iTXt", b"k\0\1\0\0\xff\0", 4500, 1_000_000),
    "a profile of 50 MB": lambda: unpacking(b"iCCP", b"x\0\0", 1, 50_000_000),
    "a note of 50 MB": lambda: unpacking(b"zTXt", b"k\0\0", 1, 50_000_000),
    "empty chunks": lambda: png_with(chunk(b"teSt", b"") * 400_000),
    "EXIF records": lambda: jpeg_with(segment(0xE1, b"Exif\0\0" + bytes(10)) * 250_000),
    "large EXIF records": lambda: jpeg_with(segment(0xE1, b"Exif\0\0" + bytes(500)) * 9900),
    "comments": lambda: jpeg_with(segment(0xFE, b"") * 1_200_000),
    "junk": lambda: jpeg_with(segment(0xFE, b"") + bytes(5_000_000)),
    "tables": lambda: jpeg_with(segment(0xDB, (b"\0" + b"\1" * 64) * 1000) * 78),
    "scans": lambda: progressive(3000),
    "WebP canvas of 13000": lambda: wide_canvas(13_000),
    "WebP canvas of 16384": lambda: wide_canvas(16_384),
    "WebP canvas of 16 million": lambda: wide_canvas(1 << 24),
}


def progressive(scans):
    """24 million pixels, refined again and again by scans of a few bytes that say nothing."""
    head = b"\xff\xd8" + segment(0xDB, b"\0" + b"\1" * 64)
    head += segment(0xC2, struct.pack(">BHHB", 8, 4000, 6000, 1) + b"\1\x11\0")
    head += segment(0xC4, b"\0" + b"\1" + bytes(15) + b"\0")
    head += segment(0xC4, b"\x10" + b"\1" + bytes(15) + b"\xe0")
    blocks = 750 * 500
    first = segment(0xDA, b"\1\1\0\0\0\x0d") + bytes(blocks // 8)
    runs = "0" + "0" * 14  # the end of 2^14 blocks
    bits = int(runs * (blocks // 16384 + 1), 2)
    length = len(runs) * (blocks // 16384 + 1)
    nothing = (bits << (-length % 8)).to_bytes((length + 7) // 8, "big")
    return head + first + (segment(0xDA, b"\1\1\0\1\x3f\x0d") + nothing) * scans + b"\xff\xd9"


def peak():
    """The most memory that this process has held since `forget_peak`, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def forget_peak():
    Path("/proc/self/clear_refs").write_text("5")


def outcome(make, data):
    """What became of it; any other exception than a refusal of the picture fails the test."""
    try:
        return "made" if len(make(data, "")) == 3 else "?"
    except Rejected as refusal:
        return refusal.field


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_made_to_hurt_costs_little(make, limits, name):
    data = BOMBS[name]()
    limits["PICTURE_MAX_BYTES"] = 20_000_000  # its weight alone must not be what saves us
    forget_peak()
    before = peak()
    assert outcome(make, data) in ("made", "picture")
    assert peak() - before < 100


def test_a_webps_frames_are_gone_when_its_pixels_come(make):
    """Its decoder has two, and hands out a third; with all of them the pixels would be a fourth."""
    data = encoded(Image.new("RGB", (3000, 2000), "white"), "WEBP")
    frame = 3000 * 2000 * 4 / 2**20
    forget_peak()
    before = peak()
    make(data, "")
    assert peak() - before < 3.5 * frame


@pytest.mark.parametrize("name", ["packed notes", "empty chunks", "comments", "scans"])
def test_a_file_of_endless_parts_is_refused_before_it_is_read(make, limits, name):
    limits["PICTURE_MAX_BYTES"] = 20_000_000
    assert refused(make, BOMBS[name](), kind=WrongKind).code == "wrong_kind"


def resealed(data):
    """A PNG with checksums that fit again, so that the damage is not found at once."""
    kept, at = bytes(data[:8]), 8
    while at + 8 <= len(data) and len(kept) < 1 << 20:
        length, kind = struct.unpack_from(">I4s", data, at)
        kept += chunk(kind, bytes(data[at + 8 : at + 8 + length]))
        at += 12 + length
    return kept


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_damaged_files_yield_a_picture_or_a_refusal_and_nothing_else(make, kind):
    picture = flag().resize((260, 256)).convert("P" if kind == "PNG" else "RGB")
    options = {"progressive": True} if kind == "JPEG" else {}
    whole = encoded(picture, kind, exif=exif(6), icc_profile=display_p3(), **options)
    outcomes = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a decoder that warns about the damage and goes on
        for n in range(150):
            chance = hashlib.shake_128(f"{kind}{n}".encode()).digest(64)
            damaged = bytearray(
                whole[: int.from_bytes(chance[:4]) % len(whole)] if n % 3 else whole
            )
            for at in range(4, 4 + 4 * (1 + n % 8), 4):
                if damaged:
                    place = int.from_bytes(chance[at : at + 4]) % len(damaged)
                    place = place % 600 if n % 2 else place  # headers are short and matter most
                    damaged[place % len(damaged)] ^= 1 << chance[at] % 8
            outcomes.append(outcome(make, resealed(damaged) if kind == "PNG" else bytes(damaged)))
    assert set(outcomes) == {"made", "picture"}


@pytest.mark.parametrize(
    "raised", [MemoryError, OverflowError, struct.error, IndexError, zlib.error, RecursionError]
)
def test_whatever_a_decoder_raises_becomes_a_refusal(make, monkeypatch, raised):
    def fail(*_arguments, **_options):
        raise raised

    data = encoded(flag())
    monkeypatch.setattr(Image.Image, "resize", fail)
    assert refused(make, data).code == "unreadable"
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "_open", fail)
    assert refused(make, data).code == "wrong_kind"


def test_a_photo_of_12_megapixels_becomes_three_squares(make):
    data = encoded(photo(4000, 3000), "JPEG", quality=88, exif=exif(6))
    assert 1_000_000 < len(data) < 5 * 1024 * 1024
    assert sorted(make(data, "100,200,2800")) == [96, 256, 512]


# ------------------------------------------------------------------ where the files are kept


def test_what_is_saved_is_read_until_it_is_removed(folder):
    name = filenames.new_name()
    disk.save(name, {512: b"large", 96: b"small"})
    assert (disk.read(name, 512), disk.read(name, 96)) == (b"large", b"small")
    assert disk.exists(name, 96)
    assert not disk.exists(name, 256)
    assert disk.read(name, 256) is None
    disk.remove(name)
    assert not disk.exists(name, 96)
    disk.remove(name)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_files_lie_below_the_first_two_digits_and_others_may_read_them(folder):
    name = filenames.new_name()
    disk.save(name, {96: b"small"})
    path = folder / name[:2] / f"{name}-96.webp"
    assert path.read_bytes() == b"small"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_names_are_long_and_never_the_same():
    names = {filenames.new_name() for _n in range(1000)}
    assert len(names) == 1000
    assert all(len(name) == 32 and set(name) <= set("0123456789abcdef") for name in names)


@pytest.mark.parametrize(
    "name",
    ["", "..", "../../etc/passwd", "a" * 31, "A" * 32, "a" * 32 + "\n", "*" * 32, "a" * 30 + "/."],
)
def test_a_name_that_is_none_leads_nowhere(folder, name):
    assert disk.read(name, 96) is None
    assert not disk.exists(name, 96)
    with pytest.raises(ValueError, match="no name"):
        disk.save(name, {96: b"x"})
    with pytest.raises(ValueError, match="no name"):
        disk.remove(name)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("side", [0, -1, 10_000])
def test_a_size_that_is_none_leads_nowhere(folder, side):
    assert disk.read(filenames.new_name(), side) is None


def test_a_full_disk_leaves_no_half_file(folder):
    name = filenames.new_name()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            disk.save(name, {96: b"small", 512: bytes(200_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_reader_never_meets_a_half_file(folder, monkeypatch):
    name, seen_names = filenames.new_name(), []
    replace = disk.Path.replace

    def watched(path, target):
        seen_names.append((path.name, disk.exists(name, 96), path.read_bytes()))
        return replace(path, target)

    monkeypatch.setattr(disk.Path, "replace", watched)
    disk.save(name, {96: b"all of it"})
    assert [(there, data) for _name, there, data in seen_names] == [(False, b"all of it")]
