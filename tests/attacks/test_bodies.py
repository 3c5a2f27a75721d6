"""Bodies that are too big, broken, or lie about themselves."""

import io
import re
from urllib.parse import urlencode

import pytest

from tests.attacks.conftest import dump, png
from tests.rigs.visitor import Visitor

FORM = "application/x-www-form-urlencoded"
MULTI = "multipart/form-data; boundary=x"
FORMS = {"/sign-in": "email", "/sign-up": "full_name", "/recover": "identifier"}
PROFILE = [f"/profile/{name}" for name in ("name", "work", "location", "social-links", "bio")]


def tokens(browser, page, action):
    return browser.get(page).form(action).fields["csrf_token"]


def multipart(parts, boundary="x", last="--x--\r\n"):
    """Parts as (head, value)."""
    body = "".join(
        f"--{boundary}\r\nContent-Disposition: {head}\r\n\r\n{each}\r\n" for head, each in parts
    )
    return (body + last).encode()


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("size", [70_000, 10_000_000])
def test_dos_01_a_body_that_is_too_big_is_refused_in_words_and_changes_nothing(
    app, visitor, path, size
):
    token = tokens(visitor, path, path)
    before = dump(app)
    for kind, body in (
        (FORM, f"csrf_token={token}&{FORMS[path]}={'a' * size}".encode()),
        (
            MULTI,
            multipart([(f'form-data; name="{FORMS[path]}"', "a" * size)]),
        ),
    ):
        page = visitor.post(path, body, kind=kind)
        assert page.status == 413
        assert "too big" in page.summary[0]
        assert page.form(path).names >= {FORMS[path]}
    assert dump(app) == before


@pytest.mark.parametrize("path", PROFILE)
def test_dos_01_a_section_that_is_too_big_leaves_the_profile_page_whole(inside, path):
    token = tokens(inside, "/profile", path)
    page = inside.post(path, f"csrf_token={token}&x={'a' * 70_000}", kind=FORM)
    assert page.status == 413
    assert set(page.forms) >= {*PROFILE, "/profile/picture"}
    assert page.form("/profile/name").fields["full_name"] == (
        "" if "name" in path else "Ann Miller"
    )


@pytest.mark.parametrize("size", [5_300_000, 6_400_000, 10_000_000])
def test_dos_01_too_big_a_picture_is_refused_with_its_size_and_every_other_form(inside, size):
    head = 'form-data; name="picture"; filename="me.png"'
    parts = [(TOKEN, tokens(inside, "/profile", "/profile/picture")), (head, "\0" * size)]
    page = inside.post("/profile/picture", multipart(parts), kind=MULTI)
    assert page.status == 413
    assert re.match(r"The picture is (5\.1|6\.2|9\.6) MB\.", page.errors["picture"])
    assert page.errors["picture"] in page.summary
    assert set(page.forms) >= {*PROFILE, "/profile/picture"}
    assert page.form("/profile/name").fields["full_name"] == "Ann Miller"


# Werkzeug forgets to close the files it began when it refuses the rest; they end with the request.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("count", [101, 200, 10_000])
def test_dos_01_too_many_fields_are_refused(app, visitor, count):
    token = tokens(visitor, "/recover", "/recover")
    before = dump(app)
    sent = {"csrf_token": token, "identifier": "ann@example.org"}
    names = {f"f{number}": "" for number in range(count)}
    assert visitor.post("/recover", urlencode(sent | names), kind=FORM).status == 413
    parts = [(f'form-data; name="{name}"', value) for name, value in (names | sent).items()]
    page = visitor.post("/recover", multipart(parts), kind=MULTI)
    assert page.status == 413
    files = [(f'form-data; name="{name}"; filename="x"', "") for name in names]
    page = visitor.post("/recover", multipart(files), kind=MULTI)
    assert page.status == 413
    assert dump(app) == before


def test_dos_01_one_field_a_thousand_times_counts_a_thousand_times(visitor):
    token = tokens(visitor, "/recover", "/recover")
    body = f"csrf_token={token}" + "&identifier=a@example.org" * 1_000
    assert visitor.post("/recover", body, kind=FORM).status == 413


TOKEN = 'form-data; name="csrf_token"'
ADDRESS = 'form-data; name="identifier"'
BROKEN = {
    "no boundary in the header": ("multipart/form-data", "--x--\r\n", None),
    "empty boundary": ("multipart/form-data; boundary=", "--x--\r\n", None),
    "boundary of another body": ("multipart/form-data; boundary=y", "--x--\r\n", None),
    "a boundary of 5000": ("multipart/form-data; boundary=" + "x" * 5_000, "--x--\r\n", None),
    "no end": (MULTI, "", None),
    "cut in a head": (MULTI, "--x\r\nContent-Dispo", None),
    "cut in a value": (MULTI, f"--x\r\nContent-Disposition: {ADDRESS}\r\n\r\na", None),
    "no head": (MULTI, "--x\r\n\r\na\r\n--x--\r\n", None),
    "no name": (MULTI, "--x--\r\n", ("form-data", "a")),
    "not form-data": (MULTI, "--x--\r\n", ("attachment; name=a", "a")),
    "a file for a text": (MULTI, "--x--\r\n", (ADDRESS + '; filename="a"', "a@example.org")),
    "unknown charset": (
        MULTI, "--x--\r\n",
        (ADDRESS + "\r\nContent-Type: text/plain; charset=utf-666", "a"),
    ),
    "encoded transfer": (
        MULTI, "--x--\r\n",
        (ADDRESS + "\r\nContent-Transfer-Encoding: base64", "YQ=="),
    ),
    "nested": (
        MULTI, "--x--\r\n",
        (ADDRESS + "\r\nContent-Type: multipart/mixed; boundary=y", "--y\r\n\r\na\r\n--y--"),
    ),
    "a head of 60 kB": (MULTI, "--x--\r\n", (ADDRESS + "; y=" + "y" * 60_000, "a")),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_dos_01_broken_multipart_is_refused_and_changes_nothing(app, visitor, what):
    kind, last, part = BROKEN[what]
    token = tokens(visitor, "/recover", "/recover")
    before = dump(app)
    body = multipart([(TOKEN, token), *([part] if part else [])], last=last)
    assert visitor.post("/recover", body, kind=kind).status in (400, 413, 422)
    assert dump(app) == before


def test_dos_01_of_two_values_the_first_counts_and_the_token_is_still_asked(visitor, post):
    token = tokens(visitor, "/recover", "/recover")
    sent = [("csrf_token", token), ("identifier", "a@example.org"), ("identifier", "b@example.org")]
    assert visitor.post("/recover", urlencode(sent), kind=FORM).status == 303
    assert "a@example.org" in visitor.follow().text
    sent = [("csrf_token", "wrong"), ("csrf_token", token), ("identifier", "c@example.org")]
    assert visitor.post("/recover", urlencode(sent), kind=FORM).status == 400


@pytest.mark.parametrize(
    "typed", [b"", b"GIF89a" + bytes(400), b"%PDF-1.4", b"<svg/>", png()[:-400]]
)
def test_upload_01_what_is_no_picture_is_refused_in_words(inside, typed):
    inside.get("/profile")
    page = inside.submit("/profile/picture", picture=(typed, "me.png"))
    assert page.status in (415, 422)
    assert page.errors["picture"] in page.summary
    assert page.form("/profile/name").fields["full_name"] == "Ann Miller"


def test_dos_01_the_picture_as_a_text_field_is_no_picture(app, inside):
    token = tokens(inside, "/profile", "/profile/picture")
    page = inside.post("/profile/picture", {"csrf_token": token, "picture": "hello"})
    assert page.errors["picture"] == "Choose a picture first"


def test_dos_01_nobody_who_is_not_signed_in_can_make_us_read_a_picture(app):
    page = Visitor(app).post("/profile/picture", {"picture": (io.BytesIO(png()), "me.png")})
    assert page.location == "/sign-in"
