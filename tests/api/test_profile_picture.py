"""Profile pictures over the wire: one file under one of three names, three squares back."""

import io
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from PIL import Image

from tests.api.people import events, kept
from tests.rigs.program import Program, Somebody, new_address, somebody
from tests.rigs.server import Server

PROFILE, PICTURE = "/api/v1/profile", "/api/v1/profile/picture"
ALIASES = "picture", "profile_picture", "avatar"
MEGABYTE = 1024 * 1024
NONE = {"picture": None, "picture_sizes": None}


@pytest.fixture(scope="module")
def ann(wire: Server) -> Somebody:
    return somebody(wire)


@pytest.fixture
def program(wire: Server, ann: Somebody) -> Program:
    """Somebody without a picture."""
    program = Program(wire, ann.access)
    assert program.delete(PICTURE).status_code == 204
    return program


def painted(kind: str = "PNG", size: tuple[int, int] = (400, 300), **more: object) -> bytes:
    """Left half navy, right half white."""
    file, image = io.BytesIO(), Image.new("RGB", size, "white")
    image.paste("navy", (0, 0, size[0] // 2, size[1]))
    image.save(file, kind, **more)
    return file.getvalue()


def send(program: Program, data: bytes, name: str = "picture", **more: str) -> requests.Response:
    return program.put(PICTURE, files={name: ("me.png", data)}, data=more)


def squares(program: Program, answer: requests.Response) -> dict[int, Image.Image]:
    """What is served of the answered picture, by side."""
    found = {}
    for side, url in answer.json()["picture_sizes"].items():
        assert url.startswith(f"{program.portal.url}/pictures/")
        file = Program(program.portal).get(urlsplit(url).path)
        assert (file.status_code, file.headers["Content-Type"]) == (200, "image/webp")
        found[int(side)] = Image.open(io.BytesIO(file.content))
    return found


def files(portal: Server) -> set[Path]:
    return set((portal.folder / "uploads").rglob("*.webp"))


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_comes_back_as_squares(program, method, alias, kind):
    answer = program.call(method, PICTURE, files={alias: ("me", painted(kind))})
    assert answer.status_code == 200
    assert answer.json()["picture"] == answer.json()["picture_sizes"]["512"]
    assert program.get(PROFILE).json() | answer.json() == program.get(PROFILE).json()
    found = squares(program, answer)
    assert {side: image.size for side, image in found.items()} == {
        side: (side, side) for side in (512, 256, 96)
    }


def test_nothing_that_a_camera_wrote_is_kept(program):
    exif = Image.Exif()
    exif[0x010F], exif[0x9286] = "Camera Works", "taken at home"
    exif.get_ifd(0x8825)[1] = "N"
    sent = painted("JPEG", exif=exif, comment=b"taken at home")
    assert b"taken at home" in sent
    for image in squares(program, send(program, sent)).values():
        assert not set(image.info) & {"exif", "xmp", "icc_profile", "comment"}
        assert not image.getexif()


def test_the_square_that_was_asked_for_is_cut_out(program):
    for crop, darkest, lightest in [("0,0,300", 0, 20), ("300,0,300", 235, 255)]:
        found = squares(program, send(program, painted(size=(600, 300)), crop=crop))
        low, high = found[256].convert("RGB").getextrema()[0]
        assert darkest <= low <= high <= lightest


REFUSED = [
    (b"GIF89a" + bytes(500), {}, 415),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", {}, 415),
    (b"MZ" + bytes(2000), {}, 415),
    (b"", {}, 422),
    (painted(size=(255, 400)), {}, 422),
    (painted("JPEG")[:-1000], {}, 422),
    (painted(), {"crop": "0,0"}, 422),
    (painted(), {"crop": "0,0,4000"}, 422),
    (painted(), {"crop": "left"}, 422),
    (bytes(5 * MEGABYTE + 1), {}, 413),
]


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_a_picture_that_cannot_be_taken_is_named_as_it_was_sent(wire, ann, program, alias, number):
    data, more, status = REFUSED[number]
    send(program, painted())
    before, there = kept(wire, ann.email), files(wire)
    answer = send(program, data, alias, **more)
    assert answer.status_code == status, answer.text
    assert list(answer.json()["errors"]) == [alias]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (kept(wire, ann.email), files(wire)) == (before, there)


def test_a_request_far_too_large_is_refused_as_well(wire, ann, program):
    before = kept(wire, ann.email)
    answer = send(program, bytes(7 * MEGABYTE))
    assert (answer.status_code, answer.json()["status"]) == (413, 413)
    assert kept(wire, ann.email) == before


@pytest.mark.parametrize("sent, status", [
    ({}, 400),
    ({"files": {"image": ("me.png", painted())}}, 400),
    ({"files": {"picture": ("a.png", painted()), "avatar": ("b.png", painted())}}, 400),
    ({"files": [("picture", ("a", painted())), ("picture", ("b", painted()))]}, 400),
    ({"files": {"picture": ("me.png", painted())}, "data": {"role": "admin"}}, 400),
    ({"files": {"picture": ("me.png", painted())}, "data": {"full_name": "Eve"}}, 400),
    ({"files": {"crop": ("crop", b"0,0,300"), "picture": ("me.png", painted())}}, 422),
    ({"files": {"other": ("", b"")}, "data": {"picture": "https://a.example/x.png"}}, 422),
    ({"data": {"picture": "x"}}, 415),
    ({"json": {"picture": "x"}}, 415),
    ({"data": painted(), "headers": {"Content-Type": "image/png"}}, 415),
])  # fmt: skip
def test_anything_but_one_file_under_one_name_is_refused(wire, ann, program, sent, status):
    sent = sent or {"files": {"crop": (None, "0,0,300")}}
    before, there = kept(wire, ann.email), files(wire)
    answer = program.put(PICTURE, **sent)
    assert answer.status_code == status, answer.text
    assert (kept(wire, ann.email), files(wire)) == (before, there)


def test_removing_brings_null_back_and_can_be_done_twice(wire, ann, program):
    was = urlsplit(send(program, painted()).json()["picture"]).path
    for _time in range(2):
        answer = program.delete(PICTURE)
        assert (answer.status_code, answer.content) == (204, b"")
        assert program.get(PROFILE).json() | NONE == program.get(PROFILE).json()
    assert Program(wire).get(was).status_code == 404
    assert [each["detail"] for each in events(wire, ann.email, "profile:changed")][-2:] == [
        "picture", "picture removed",
    ]  # fmt: skip


def test_a_new_picture_takes_the_place_of_the_old_files(wire):
    eve = somebody(wire)
    program, before = Program(wire, eve.access), files(wire)
    was = urlsplit(send(program, painted()).json()["picture"]).path
    now = urlsplit(send(program, painted("JPEG")).json()["picture"]).path
    assert len(files(wire) - before) == 3
    assert Program(wire).get(was).status_code == 404
    assert Program(wire).get(now).status_code == 200
    assert [each["detail"] for each in events(wire, eve.email, "profile:changed")] == [
        "picture", "picture",
    ]  # fmt: skip


def test_a_name_that_is_refused_keeps_the_picture_out_too(wire):
    """Family E changes both at once."""
    email = new_address("both")
    wish = {"full_name": "Eve Stone", "email": email, "password": "copper lantern tuesday"}
    token = Program(wire).post("/register", wish).json()["access_token"]
    program, before, there = Program(wire, token), kept(wire, email), files(wire)
    sent = {"full_name": "x" * 101}
    answer = program.post("/update-profile", files={"avatar": ("me.png", painted())}, data=sent)
    assert answer.status_code == 400
    answer = program.post(
        "/update-profile", files={"avatar": ("me.png", b"x")}, data={"full_name": "Eve"}
    )
    assert (answer.status_code, list(answer.json()["errors"])) == (415, ["avatar"])
    assert (kept(wire, email), files(wire)) == (before, there)
