"""One's own page is drawn once for everybody: each gets their own words, and nobody else's."""

import re

import pytest
from sqlalchemy import event

from portal.core import moulds
from portal.core.db import db
from tests.conftest import PASSWORD, sign_in
from tests.profile.test_profile_page import LINKS, kept, picture, save, upload
from tests.rigs.visitor import Visitor

TOKEN = re.compile(r'(?<=name="csrf_token" value=")[^"]+')
TOLD = re.compile(r'<div class="banner.*?</div>', re.DOTALL)
ANN = {"email": "ann@example.org", "password": PASSWORD}
HOSTILE = "\"><script>alert(1)</script>{{ 7 * 7 }} & '%s"
SAID = {
    "nothing": {},
    "much": {
        "work": {"job_title": "Bäcker 🥖", "organisation": "Brot & <Söhne>"},
        "location": {"city": "Zürich", "country": "CH"},
        "social-links": LINKS,
        "bio": {"bio": "\n\nI bake.\n</textarea><b>Bread</b>"},
    },
    "evil": {
        "name": {"full_name": HOSTILE, "username": "gap-bio-1"},
        "work": {"job_title": HOSTILE, "organisation": "gap-called-0123456789abcdef"},
        "location": {"city": HOSTILE, "country": ""},
        "bio": {"bio": HOSTILE},
    },
}


def bare(html):
    """Without the token, and without what is told once."""
    return [line for line in TOLD.sub("", TOKEN.sub("", html)).splitlines() if line]


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("theme", ["", "dark"])
@pytest.mark.parametrize("pictured", [False, True])
def test_it_is_the_page_that_would_be_drawn_anew(inside, said, theme, pictured):
    inside.client.set_cookie("theme", theme, domain="127.0.0.1")
    for section, fields in SAID[said].items():
        assert save(inside, section, **fields).status == 303
    if pictured:
        assert upload(inside, picture()).status == 303
    inside.get("/profile")
    told = save(inside, "location", **kept(inside, "location"))
    assert told.location == "/profile"
    anew = inside.get("/profile").html
    again = inside.get("/profile").html
    assert "Your profile is saved." in anew
    assert "Your profile is saved." not in again
    assert bare(again) == bare(anew)


def test_everybody_gets_their_own(app, inside, sign_up):
    save(inside, "bio", bio="I am Ann.")
    upload(inside, picture())
    inside.get("/profile"), inside.get("/profile")
    sign_up("bob@example.org", "Bob Baker")
    bob = Visitor(app)
    sign_in(bob, "bob@example.org")
    html = bob.get("/profile").html
    assert "Bob Baker" in html
    assert "Ann" not in html
    assert "/pictures/" not in html
    assert "Bob" not in inside.get("/profile").html
    assert not set(TOKEN.findall(html)) & set(TOKEN.findall(inside.get("/profile").html))


def test_it_is_drawn_once(app, inside):
    inside.get("/profile"), inside.get("/profile")
    (key,) = [each for each in app.extensions[moulds.DRAWN] if "profile/show.html" in each]
    app.extensions[moulds.DRAWN][key][0] += "<!-- kept -->"
    assert "<!-- kept -->" in inside.get("/profile").html


def test_no_gap_is_left(inside):
    inside.get("/profile")
    assert not re.search(r"gap-\w+-", inside.get("/profile").html)


@pytest.mark.parametrize("said", [{}, {"bio": "I am Ann."}], ids=["nothing", "something"])
def test_sign_in_person_and_profile_are_one_question(app, inside, said):
    token = inside.client.post("/api/v1/auth/token", json=ANN).json["access_token"]
    if said:
        save(inside, "bio", **said)
        inside.get("/profile")
    looks, more = [], []
    with app.app_context():
        engine = db.engine
    look = lambda *told: looks.append(told[0])  # noqa: E731
    hear = lambda _connection, _cursor, text, *_more: more.append(text)  # noqa: E731
    # A look takes a connection for its one question, which it asks of the driver itself.
    event.listen(engine, "checkout", look)
    event.listen(engine, "before_cursor_execute", hear)
    try:
        assert inside.get("/profile").status == 200
        assert (len(looks), more) == (1, [])
        told = inside.client.get("/api/v1/profile", headers={"Authorization": f"Bearer {token}"})
        assert told.json["bio"] == said.get("bio")
        assert (len(looks), more) == (2, [])
    finally:
        event.remove(engine, "checkout", look)
        event.remove(engine, "before_cursor_execute", hear)


def test_each_theme_has_a_page_of_its_own(inside):
    for theme in ("", "dark", "light", "", "dark"):
        inside.client.set_cookie("theme", theme, domain="127.0.0.1")
        html = inside.get("/profile").html
        assert (f'data-theme="{theme}"' in html) == bool(theme)
        assert ("data-theme=" in html) == bool(theme)
