# ruff: noqa: E501 - tables, as wide as their texts
"""What is uploaded as a picture, through the page: judged by content, made anew, served as nothing else."""

import io
import resource
import struct
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from portal.accounts.models import Person
from tests.attacks.conftest import dump, png
from tests.rigs.visitor import Visitor

SCRIPT = b"<script>alert(1)</script><?php system($_GET[0]); ?>"
NO_PICTURES = {
    "me.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "me.html": b"<!doctype html>" + SCRIPT,
    "me.pdf": b"%PDF-1.7\n" + SCRIPT,
    "me.xml": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "me.swf": b"CWS\x0a" + bytes(400),
    "me.hta": b"<hta:application/>" + SCRIPT,
    "me.gif": b"GIF89a/*" + bytes(400) + b"*/=1;alert(1)",
    "me.bmp": b"BM" + bytes(400),
    "me.ico": b"\0\0\1\0" + bytes(400),
    "me.php.png": b"<?php phpinfo(); ?>",
    "me.png.html": b"\x89PNG" + SCRIPT,
    "me.jpg": b"\xff\xd8\xff\xe0" + SCRIPT * 20,
    "me.webp": b"RIFF\x10\0\0\0WEBPVP8 " + SCRIPT,
    "me.tiff": b"II*\0" + bytes(400),
    "me.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 300 300\n",
}
NAMES = [
    "me.svg", "me.PHP", "../../../etc/passwd", "me.png\0.html", "me\u202egnp.exe", "me.png.", "con.png",
    "<script>.png", "a" * 300 + ".png", ".htaccess", "me.png;.html", "me .png", "",
]  # fmt: skip


def send(browser, data, name="me.png", kind=None):
    browser.get("/profile")
    file = (data, name, kind) if kind else (data, name)
    return browser.submit("/profile/picture", picture=file)


def kept(app):
    """Every file below the folder of pictures."""
    return [path for path in Path(app.config["UPLOAD_FOLDER"]).rglob("*") if path.is_file()]


def served(browser):
    """The own picture in each size, as a browser gets it."""
    at = list(Person.__table__.columns.keys()).index("picture_name")
    (name,) = {row[at] for row in dump(browser.client.application)["person"]}
    return [browser.get(f"/pictures/{name}/{size}", checked=False) for size in (512, 256, 96)]


def test_upload_01_what_is_no_picture_is_refused_whatever_it_calls_itself(app, inside):
    for name, data in NO_PICTURES.items():
        for kind in ("image/png", "image/svg+xml", "text/html"):
            page = send(inside, data, name, kind)
            assert page.status in (415, 422), name
            assert page.errors["picture"] in page.summary
    assert kept(app) == []


def test_upload_01_a_name_decides_nothing(app, inside):
    for name in NAMES[:-1]:
        assert send(inside, png(), name, "text/html").location == "/profile", ascii(name)
        files = kept(app)
        assert len(files) == 3
        assert all(path.suffix == ".webp" and len(path.stem) <= 36 for path in files)
        assert not any(part in str(path) for path in files for part in ("htaccess", "script", ".."))


def polyglots():
    picture, side = io.BytesIO(), 256
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", SCRIPT.decode())
    notes.add_itxt("XML:com.adobe.xmp", SCRIPT.decode())
    Image.new("RGB", (side, side), "teal").save(picture, "PNG", pnginfo=notes)
    yield picture.getvalue() + SCRIPT
    jpeg, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = SCRIPT.decode()
    Image.new("RGB", (side, side), "teal").save(jpeg, "JPEG", exif=exif, comment=SCRIPT)
    yield jpeg.getvalue() + SCRIPT
    palette, chosen = io.BytesIO(), Image.new("P", (side, side))
    chosen.putpalette((SCRIPT * 16)[:768])
    chosen.putdata(list(range(256)) * 256)
    chosen.save(palette, "PNG")
    yield palette.getvalue()
    raw = io.BytesIO()
    Image.frombytes("RGB", (side, side), (SCRIPT * 5_000)[: side * side * 3]).save(raw, "PNG")
    yield raw.getvalue()


def test_upload_02_no_byte_of_another_language_survives(app, inside):
    for data in polyglots():
        assert send(inside, data, "me.png.php").location == "/profile"
        for page in served(inside):
            assert page.status == 200
            assert page.headers["Content-Type"] == "image/webp"
            assert page.headers["X-Content-Type-Options"] == "nosniff"
            assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
            assert page.body[:4] == b"RIFF"
            for part in (b"<script", b"<?php", b"alert(1)", b"system("):
                assert part not in page.body


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(width, height, data=b""):
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = chunk(b"IDAT", data or zlib.compress(bytes(1_000_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + packed + chunk(b"IEND", b"")


def test_upload_03_bombs_are_refused_quickly_and_in_little_memory(app, inside):
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    notes = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(60_000_000)))
    noted = png()[:33] + notes * 3 + png()[33:]
    for data in (bomb(30_000, 30_000), bomb(65_000, 300), bomb(2**31 - 1, 2**31 - 1), bomb(0, 0)):
        began = time.monotonic()
        assert send(inside, data).status in (415, 422)
        assert time.monotonic() - began < 2
    assert send(inside, noted).status in (303, 415, 422)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 150_000


def test_upload_04_cut_and_bent_pictures_are_refused_or_mended_never_an_accident(app, inside):
    jpeg = io.BytesIO()
    Image.effect_noise((300, 300), 60).save(jpeg, "JPEG")
    for whole in (png(300), jpeg.getvalue()):
        for part in (8, 20, 40, len(whole) // 2, len(whole) - 1):
            assert send(inside, whole[:part]).status in (303, 415, 422), part
        for at in range(0, min(len(whole), 600), 23):
            bent = whole[:at] + b"\xff" + whole[at + 1 :]
            assert send(inside, bent).status in (303, 415, 422), at
    assert len(kept(app)) <= 3


def test_upload_05_nothing_but_the_picture_is_kept_and_it_stands_upright(inside):
    picture, exif = Image.new("RGB", (400, 300), "red"), Image.Exif()
    picture.paste("blue", (0, 0, 400, 150))
    exif[0x0112], exif[0x010F], exif[0x9286] = 3, "SECRET CAMERA", "SECRET NOTE"
    exif.get_ifd(0x8825)[1] = "N"
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=exif, comment=b"SECRET COMMENT", quality=95)
    assert send(inside, file.getvalue(), "me.jpg").location == "/profile"
    for page in served(inside):
        assert b"SECRET" not in page.body
        assert b"EXIF" not in page.body
        made = Image.open(io.BytesIO(page.body))
        assert not made.getexif()
        assert made.getpixel((5, 5))[0] > 200, "It lies on its head."


@pytest.mark.parametrize(
    "crop", ["0,0", "0,0,0", "-9,0,256", "0,0,99999", "a,b,c", "1e9,0,1", "0,0,9" * 99]
)
def test_upload_04_a_crop_that_is_none_is_refused_beside_the_picture(inside, crop):
    inside.get("/profile")
    page = inside.submit("/profile/picture", picture=(png(), "me.png"), crop=crop)
    assert page.status == 422
    assert page.errors["picture"] in page.summary


def test_upload_the_former_picture_is_gone_and_nobody_elses_is(app, inside, sign_up):
    send(inside, png())
    first = served(inside)[0].path
    send(inside, png(300))
    assert Visitor(app).get(first).status == 404
    inside.get("/profile")
    inside.submit("/profile/picture/remove")
    assert kept(app) == []
