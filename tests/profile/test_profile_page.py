"""What people say of themselves: saved, cleared, refused, one section at a time."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from portal import create_app
from portal.accounts import people
from tests.conftest import SETTINGS
from tests.policy.world import World
from tests.rigs.visitor import Page, Visitor

NO_GITHUB = "Enter the address of a GitHub page"
NO_LINK = "Enter a web address that starts with https://"
LINKS = {
    "website": "https://ann.example.org/",
    "github": "https://github.com/ann",
    "gitlab": "https://gitlab.com/ann",
    "linkedin": "https://www.linkedin.com/in/ann",
    "x": "https://x.com/ann",
    "mastodon": "https://fosstodon.org/@ann",
    "instagram": "https://instagram.com/ann",
    "youtube": "https://youtube.com/@ann",
}
SECTIONS = [
    ("name", {"full_name": "Zoë 李 🦊", "username": "Zoe_1"}, "Your profile is saved."),
    ("work", {"job_title": "Bäcker", "organisation": "Brot & <Söhne>"}, "Your profile is saved."),
    ("location", {"city": "Zürich", "country": "CH"}, "Your profile is saved."),
    ("social-links", LINKS, "Your profile is saved."),
    ("bio", {"bio": 'I bake.\n\n<b>Bread</b> & "rolls" 🥖'}, "Your profile is saved."),
]
UNSEEN = "Take out the characters that cannot be seen."
LONG = "Shorten this to 100 characters. It has 101."
USERNAME = "Use letters from a to z, digits, dots, hyphens and underscores, at least one letter."


@pytest.fixture
def world(app):
    return World(app)


def save(browser: Visitor, section: str, **fields: object) -> Page:
    browser.get("/profile")
    return browser.submit(f"/profile/{section}", **fields)


def kept(browser: Visitor, section: str) -> dict[str, str]:
    fields = browser.get("/profile").form(f"/profile/{section}").fields
    return {name: value for name, value in fields.items() if name != "csrf_token"}


def picture(kind="PNG", size=(400, 300), colour="navy") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return file.getvalue()


def upload(browser: Visitor, data: bytes) -> Page:
    """Encoded here: for large files the test client would leave a temporary file open."""
    token = browser.get("/profile").form("/profile/picture").fields["csrf_token"]
    line = b"--edge\r\nContent-Disposition: form-data; name="
    body = line + b'"csrf_token"\r\n\r\n' + token.encode() + b"\r\n"
    body += line + b'"picture"; filename="me.png"\r\n\r\n' + data + b"\r\n--edge--\r\n"
    return browser.post("/profile/picture", body, kind="multipart/form-data; boundary=edge")


def shown(browser: Visitor) -> list[str]:
    found = browser.get("/profile").tree.css("img[src^='/pictures/']")
    return sorted({node.attributes["src"] for node in found})


def files(app) -> list[Path]:
    return sorted(Path(app.config["UPLOAD_FOLDER"]).rglob("*.webp"))


@pytest.mark.parametrize("section, fields, words", SECTIONS)
def test_a_section_is_saved(inside, section, fields, words):
    assert save(inside, section, **fields).location == "/profile"
    assert inside.follow().banner == words
    assert kept(inside, section) == fields


@pytest.mark.parametrize("section, fields, words", SECTIONS[1:])
def test_a_section_is_cleared_by_sending_nothing(inside, section, fields, words):
    save(inside, section, **fields)
    assert save(inside, section, **dict.fromkeys(fields, "")).status == 303
    assert set(kept(inside, section).values()) == {""}


def test_a_username_is_cleared_by_sending_nothing(inside):
    save(inside, "name", username="ann.miller")
    assert save(inside, "name", username=" ").status == 303
    assert kept(inside, "name") == {"full_name": "Ann Miller", "username": ""}


def test_saving_one_section_leaves_the_others_alone(inside):
    for section, fields, _words in SECTIONS:
        save(inside, section, **fields)
    for section, fields, _words in SECTIONS:
        assert kept(inside, section) == fields


@pytest.mark.parametrize("section, field, typed, words", [
    ("name", "full_name", "", "Enter your full name"),
    ("name", "full_name", "\u200b \u2060", "Enter your full name"),
    ("name", "full_name", "x" * 101, LONG),
    ("name", "full_name", "Ann\0", UNSEEN),
    ("name", "full_name", "Ann\u202e", UNSEEN),
    ("name", "username", "ann", "Use 4 to 30 characters."),
    ("name", "username", "a" * 31, "Use 4 to 30 characters."),
    ("name", "username", "1234", USERNAME),
    ("name", "username", "ann miller", USERNAME),
    ("name", "username", "änne", USERNAME),
    ("name", "username", "аnna", USERNAME),
    ("name", "username", "ann\0a", USERNAME),
    ("work", "job_title", "x" * 101, LONG),
    ("work", "organisation", "a\0b", UNSEEN),
    ("location", "city", "x" * 101, LONG),
    ("location", "country", "XX", "Choose a country from the list"),
    ("location", "country", "Switzerland", "Choose a country from the list"),
    ("social-links", "website", "http://example.org", NO_LINK),
    ("social-links", "website", "javascript:alert(1)", NO_LINK),
    ("social-links", "website", "https://ann:secret@example.org", NO_LINK),
    ("social-links", "website", "https://127.0.0.1/", NO_LINK),
    ("social-links", "linkedin", "https://example.org/ann", "Enter the address of a LinkedIn page"),
    ("social-links", "github", "https://github.com.evil.example/ann", NO_GITHUB),
    ("social-links", "mastodon", "https://github.com/@ann", "Enter the address of a Mastodon page"),
    ("bio", "bio", "x" * 531, "Shorten your biography to 500 characters. It has 531."),
    ("bio", "bio", "a\0b", UNSEEN),
])  # fmt: skip
def test_what_cannot_be_taken_is_said_beside_its_field(inside, section, field, typed, words):
    before = kept(inside, section)
    page = save(inside, section, **{field: typed})
    assert page.status == 422
    assert page.errors == {field: words}
    assert page.summary == [words]
    assert page.title.startswith("Error: ")
    assert kept(inside, section) == before


def test_what_was_typed_stays_on_the_page_with_its_error(inside):
    save(inside, "work", job_title="Baker", organisation="Loaf")
    page = save(inside, "location", city="x" * 101, country="CH")
    assert page.form("/profile/location").fields["city"] == "x" * 101
    assert page.form("/profile/location").fields["country"] == "CH"
    assert page.form("/profile/work").fields["job_title"] == "Baker"


def test_several_wrong_links_are_said_at_once_and_none_is_kept(inside):
    page = save(inside, "social-links", website="ftp://x", github="https://github.com/ann", x="#")
    assert set(page.errors) == {"website", "x"}
    assert set(kept(inside, "social-links").values()) == {""}


def test_names_alone_become_addresses(inside):
    save(inside, "social-links", github="@ann", x="ann", mastodon="@ann@fosstodon.org")
    found = kept(inside, "social-links")
    assert found["github"] == "https://github.com/ann"
    assert found["x"] == "https://x.com/ann"
    assert found["mastodon"] == "https://fosstodon.org/@ann"


def test_texts_are_trimmed_and_line_breaks_kept(inside):
    save(inside, "work", job_title="  Master \t Baker ", organisation="")
    assert kept(inside, "work")["job_title"] == "Master Baker"
    save(inside, "bio", bio="\n\none\r\ntwo\rthree\n\n")
    assert kept(inside, "bio")["bio"] == "one\ntwo\nthree"


def test_a_bio_of_five_hundred_letters_and_breaks_fits(inside):
    assert save(inside, "bio", bio="é\n" * 249 + "éé").status == 303


def test_nothing_typed_is_ever_markup(inside):
    save(inside, "name", full_name="<b>Ann</b>")
    page = inside.get("/profile")
    assert "<b>Ann</b>" not in page.html
    assert "Signed in as <b>Ann</b>" in page.text


def test_a_username_is_one_persons_without_regard_to_case(world, inside):
    save(inside, "name", username="Ann_Miller")
    world.account("bob@example.org", "Bob Hill")
    bob = world.inside("bob@example.org")
    page = save(bob, "name", full_name="Robert Hill", username="aNN_mILLER")
    assert page.status == 422
    assert page.errors == {"username": "Somebody else has this username. Choose another."}
    assert kept(bob, "name") == {"full_name": "Bob Hill", "username": ""}
    assert save(inside, "name", username="ANN_MILLER").status == 303
    save(inside, "name", username="")
    assert save(bob, "name", username="ann_miller").status == 303


def test_of_those_who_take_one_username_at_once_one_gets_it(world):
    browsers = []
    for number in range(4):
        world.account(f"person{number}@example.org", "Jo Doe")
        browsers.append(world.inside(f"person{number}@example.org"))
        browsers[-1].get("/profile")
    wishes = ["quickest", "QUICKEST", "Quickest", "quickesT"]
    with ThreadPoolExecutor(4) as threads:
        pages = threads.map(
            lambda pair: pair[0].submit("/profile/name", username=pair[1]),
            zip(browsers, wishes, strict=True),
        )
    assert sorted(page.status for page in pages) == [303, 422, 422, 422]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_shown_in_small_squares(app, inside, kind):
    assert upload(inside, picture(kind)).location == "/profile"
    assert inside.follow().banner == (
        "Your picture is saved. It can take a few minutes to change everywhere."
    )
    paths = shown(inside)
    assert paths
    for path in paths:
        answer = inside.get(path)
        assert answer.headers["Content-Type"] == "image/webp"
        assert "immutable" in answer.headers["Cache-Control"]
        image = Image.open(io.BytesIO(answer.body))
        assert image.format == "WEBP"
        assert f"/{image.width}" == path[path.rindex("/") :]
        assert image.width == image.height
    assert len(files(app)) == 3


def test_replacing_a_picture_removes_the_old_files(app, inside):
    upload(inside, picture())
    old, old_paths = files(app), shown(inside)
    upload(inside, picture(colour="red"))
    new = files(app)
    assert len(new) == 3
    assert not set(old) & set(new)
    assert {inside.get(path).status for path in old_paths} == {404}


def test_removing_a_picture_brings_the_initials_back(app, inside):
    upload(inside, picture())
    assert "AM" not in inside.get("/profile").find(".disc *")
    inside.get("/profile")
    assert inside.submit("/profile/picture/remove").location == "/profile"
    assert inside.follow().banner == "Your picture is removed."
    assert files(app) == []
    assert shown(inside) == []
    assert "AM" in " ".join(inside.get("/profile").find(".disc"))


def test_without_a_picture_there_is_nothing_to_remove(inside):
    assert "/profile/picture/remove" not in inside.get("/profile").forms


@pytest.mark.parametrize("name, initials", [
    ("Ann Miller", "AM"), ("Plato", "P"), ("ann maria van der berg", "AB"), ("李 小龍", "李小"),
])  # fmt: skip
def test_initials_are_of_first_and_last_name(inside, name, initials):
    save(inside, "name", full_name=name)
    assert inside.get("/profile").find(".disc") == [initials]


@pytest.mark.parametrize("data, status, words", [
    (b"", 422, "Choose a picture first"),
    (b"GIF89a" + bytes(500), 415, "Choose a JPEG, PNG or WebP picture"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "Choose a JPEG, PNG or WebP picture"),
    (picture(size=(255, 400)), 422, "Choose a picture at least 256 pixels wide and high"),
    (bytes(5 * 1024 * 1024 + 1), 413, "The picture is 5.1 MB. Choose one up to 5 MB."),
    (bytes(8 * 1024 * 1024), 413, "The picture is 8.1 MB. Choose one up to 5 MB."),
])  # fmt: skip
def test_a_picture_that_cannot_be_taken_is_said_and_the_old_one_stays(
    app, inside, data, status, words
):
    upload(inside, picture())
    before = files(app)
    page = upload(inside, data)
    assert (page.status, page.errors) == (status, {"picture": words})
    assert files(app) == before


def test_a_failed_save_leaves_no_files_behind(app, inside, monkeypatch):
    monkeypatch.setattr(people, "lock", lambda _id: 1 / 0)
    assert upload(inside, picture()).status == 500
    assert files(app) == []


def test_pictures_are_kept_below_the_uploads_folder_of_the_project(tmp_path):
    app = create_app(SETTINGS | {"DATABASE_URL": f"sqlite:///{tmp_path / 'portal.db'}"})
    folder = Path(app.config["UPLOAD_FOLDER"])
    assert folder.parts[-3:] == ("portal", "static", "uploads")


@pytest.mark.parametrize("path", [
    "/pictures/" + "0" * 32 + "/256", "/pictures/..%2f..%2fconfig/256", "/pictures/x/256",
    "/pictures/" + "0" * 32 + "/99999",
])  # fmt: skip
def test_a_picture_that_is_not_there_is_not_found(visitor, path):
    assert visitor.get(path).status == 404
