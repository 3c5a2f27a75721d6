"""The numbers of sessions, forms and profiles, each shown to be the one that counts."""

import io
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from portal.profile import pictures
from tests.conftest import sign_in
from tests.policy.test_password_numbers import Crowd
from tests.policy.world import World, cookie
from tests.rigs.visitor import Page, Visitor

AWAY = "You were away for a while. Check what you typed and press the button again."
DAY = 86_400


def at_home(make_app, **settings: str) -> tuple[World, Visitor]:
    """A portal with these settings, and Ann's browser on her profile."""
    world = World(make_app(**settings))
    world.account()
    browser = world.inside()
    browser.follow()
    return world, browser


def save(browser: Visitor, section: str, **fields: object) -> Page:
    browser.get("/profile")
    return browser.submit(f"/profile/{section}", **fields)


def upload(browser: Visitor, picture: bytes) -> Page:
    return save(browser, "picture", picture=(picture, "me.png"))


def noise(side: int, colours: int = 1) -> bytes:
    """A PNG that cannot be packed: about side x side x colours bytes."""
    mode = {1: "L", 3: "RGB"}[colours]
    return png(Image.frombytes(mode, (side, side), os.urandom(side * side * colours)))


def plain(width: int, height: int) -> bytes:
    return png(Image.new("L", (width, height), 200))


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_session_idle_seconds(make_app, time):
    _world, browser = at_home(make_app, SESSION_IDLE_SECONDS="60")
    for _ in range(5):
        time.pass_(seconds=25)
        assert browser.get("/profile").status == 200
    time.pass_(seconds=61)
    assert browser.get("/profile").location == "/sign-in"


def test_session_absolute_seconds(make_app, time):
    _world, browser = at_home(make_app, SESSION_ABSOLUTE_SECONDS="300")
    for _ in range(2):
        time.pass_(seconds=149)
        assert browser.get("/profile").status == 200
    time.pass_(seconds=3)
    assert browser.get("/profile").location == "/sign-in"


def test_staff_session_seconds(make_app, time):
    world = World(make_app(STAFF_SESSION_SECONDS="300"))
    world.account()
    world.write("UPDATE person SET role = 'support'")
    browser = world.inside(remember=True)
    world.write("UPDATE person SET two_step_at = created_at")
    time.pass_(seconds=299)
    assert browser.get("/profile").status == 200
    time.pass_(seconds=2)
    assert browser.get("/profile").location == "/sign-in"


def test_keep_signed_in_days(make_app, time):
    world = World(make_app(KEEP_SIGNED_IN_DAYS="3"))
    ann = world.account()
    browser = world.visitor()
    assert "For 3 days." in browser.get("/sign-in").text
    page = sign_in(browser, ann.email, remember=True)
    assert f"Max-Age={3 * DAY};" in cookie(page, "latchkey")
    time.pass_(days=2, hours=23)
    assert browser.get("/profile").status == 200
    time.pass_(hours=2)
    assert browser.get("/profile").location == "/sign-in"


def test_csrf_lifetime_seconds(make_app, time):
    _world, browser = at_home(make_app, CSRF_LIFETIME_SECONDS="120")
    time.pass_(seconds=121)
    page = browser.submit("/profile/work", job_title="Baker", organisation="Loaf")
    assert (page.status, page.summary) == (400, [AWAY])
    assert page.form("/profile/work").fields["job_title"] == "Baker"
    time.pass_(seconds=119)
    assert browser.submit("/profile/work").status == 303


def test_full_name_max_length(make_app):
    _world, browser = at_home(make_app, FULL_NAME_MAX_LENGTH="20")
    page = save(browser, "name", full_name="n" * 21)
    assert page.errors["full_name"] == "Shorten this to 20 characters. It has 21."
    assert save(browser, "name", full_name="n" * 20).status == 303


def test_username_min_length(make_app):
    _world, browser = at_home(make_app, USERNAME_MIN_LENGTH="6")
    assert save(browser, "name", username="anncc").errors["username"] == "Use 6 to 30 characters."
    assert save(browser, "name", username="annccc").status == 303


def test_username_max_length(make_app):
    _world, browser = at_home(make_app, USERNAME_MAX_LENGTH="6")
    assert save(browser, "name", username="anncccc").errors["username"] == "Use 4 to 6 characters."
    assert save(browser, "name", username="annccc").status == 303


@pytest.mark.parametrize("section, field", [
    ("work", "job_title"), ("work", "organisation"), ("location", "city"),
])  # fmt: skip
def test_line_max_length(make_app, section, field):
    _world, browser = at_home(make_app, LINE_MAX_LENGTH="20")
    page = save(browser, section, **{field: "o" * 21})
    assert page.errors[field] == "Shorten this to 20 characters. It has 21."
    assert save(browser, section, **{field: "o" * 20}).status == 303


def test_link_max_length(make_app):
    _world, browser = at_home(make_app, LINK_MAX_LENGTH="60")
    address = "https://example.org/" + "p" * 40
    page = save(browser, "social-links", website=address + "p")
    assert page.errors["website"] == "Shorten the address to 60 characters. It has 61."
    assert save(browser, "social-links", website=address).status == 303


def test_bio_max_length(make_app):
    _world, browser = at_home(make_app, BIO_MAX_LENGTH="50")
    page = save(browser, "bio", bio="é" * 51)
    assert page.errors["bio"] == "Shorten your biography to 50 characters. It has 51."
    assert save(browser, "bio", bio="é" * 50).status == 303
    assert "Up to 50 characters." in browser.follow().text


def test_email_max_length(make_app):
    world = World(make_app(EMAIL_MAX_LENGTH="64"))
    browser = world.visitor()
    statuses = []
    for length in 53, 52:
        browser.get("/recover")
        page = browser.submit("/recover", identifier="a" * length + "@example.org")
        statuses.append(page.status)
    assert statuses == [422, 303]


def test_picture_max_bytes(make_app):
    _world, browser = at_home(make_app, PICTURE_MAX_BYTES="150000")
    page = upload(browser, noise(400))
    assert page.status == 413
    assert page.errors["picture"] == "The picture is 0.2 MB. Choose one up to 0.14 MB."
    assert upload(browser, noise(380)).status == 303


def test_picture_min_side(make_app):
    _world, browser = at_home(make_app, PICTURE_MIN_SIDE="300")
    page = upload(browser, plain(299, 400))
    assert page.errors["picture"] == "Choose a picture at least 300 pixels wide and high"
    assert upload(browser, plain(300, 400)).status == 303


def test_picture_max_side(make_app):
    _world, browser = at_home(make_app, PICTURE_MAX_SIDE="1024")
    page = upload(browser, plain(1025, 300))
    assert page.errors["picture"] == "Choose a picture at most 1024 pixels wide and high"
    assert upload(browser, plain(1024, 300)).status == 303


def test_picture_max_pixels(make_app):
    _world, browser = at_home(make_app, PICTURE_MAX_PIXELS="1000000")
    page = upload(browser, plain(1001, 1000))
    assert page.errors["picture"] == (
        "The picture has too many pixels. Choose one up to 1 megapixels."
    )
    assert upload(browser, plain(1000, 1000)).status == 303


@pytest.mark.parametrize("jobs", [1, 3])
def test_picture_jobs(make_app, monkeypatch, jobs):
    world, _browser = at_home(make_app, PICTURE_JOBS=str(jobs))
    crowd, browsers = Crowd(jobs), [world.inside() for _ in range(4)]
    monkeypatch.setattr(pictures, "_cut", crowd.around(pictures._cut))
    with ThreadPoolExecutor(4) as threads:
        pages = threads.map(lambda each: upload(each, plain(256, 256)), browsers)
    assert [page.status for page in pages] == [303] * 4
    assert crowd.most == jobs


def test_body_max_bytes(make_app):
    _world, browser = at_home(make_app, BODY_MAX_BYTES="16384")
    page = save(browser, "bio", bio="b" * 16_384)
    assert page.status == 413
    assert page.summary == ["What you sent is too big. Shorten it and try again."]
    assert save(browser, "bio", bio="b" * 16_000).status == 422


def test_picture_body_max_bytes(make_app):
    _world, browser = at_home(make_app, PICTURE_BODY_MAX_BYTES="200000")
    page = upload(browser, noise(460))
    assert page.status == 413
    assert page.errors["picture"].startswith("The picture is 0.3 MB.")
    assert upload(browser, noise(430)).status == 303


def test_body_max_fields(make_app):
    _world, browser = at_home(make_app, BODY_MAX_FIELDS="20")
    token = browser.page.form("/profile/work").fields["csrf_token"]
    fields = {"csrf_token": token, "job_title": "Baker"}

    def sent(count: int) -> int:
        more = {f"more{number}": "" for number in range(count - len(fields))}
        return browser.post("/profile/work", fields | more).status

    assert sent(21) == 413
    assert sent(20) == 303
