"""Pages that are drawn once for all strangers: nobody gets what is somebody else's."""

import re

import pytest

from portal.core import moulds
from tests.conftest import open_account, sign_in
from tests.rigs.visitor import Visitor

PATHS = "/sign-in", "/sign-up", "/recover"
THEMES = ["", "dark", "light", "evil"]
TOKEN = re.compile(r'(?<=name="csrf_token" value=")[^"]+')


def bare(page):
    """Without the token."""
    return TOKEN.sub("", page.html)


def token(page):
    (found,) = TOKEN.findall(page.html)
    return found


@pytest.mark.parametrize("path", PATHS)
def test_strangers_get_one_page_and_a_token_each(app, path):
    first, second, third = (Visitor(app).get(path) for _ in range(3))
    assert bare(first) == bare(second) == bare(third)
    assert len({token(first), token(second), token(third)}) == 3


@pytest.mark.parametrize("path", PATHS)
def test_each_theme_has_the_page_that_would_be_drawn_anew(app, path):
    def got(theme):
        browser = Visitor(app)
        browser.client.set_cookie("theme", theme, domain="127.0.0.1")
        return bare(browser.get(path))

    def drawn_anew(theme):
        app.extensions.pop(moulds.DRAWN, None)
        return got(theme)

    fresh = {theme: drawn_anew(theme) for theme in THEMES}
    for theme in THEMES * 2:
        assert got(theme) == fresh[theme], theme
    assert len(set(fresh.values())) == 3, "dark, light, and the browser's own"


@pytest.mark.parametrize("path", PATHS)
def test_it_is_drawn_once(app, path):
    Visitor(app).get(path)
    (key,) = app.extensions[moulds.DRAWN]
    app.extensions[moulds.DRAWN][key][0] += "<!-- kept -->"
    assert "<!-- kept -->" in Visitor(app).get(path).html


def test_whoever_changes_templates_sees_it_at_once(app):
    app.debug = True
    Visitor(app).get("/sign-in")
    assert not app.extensions[moulds.DRAWN]


@pytest.mark.parametrize("path", PATHS)
def test_its_token_is_good_for_its_own_browser_alone(app, path):
    Visitor(app).get(path)
    own, other = Visitor(app), Visitor(app)
    page, foreign = own.get(path), token(other.get(path))
    fields = dict.fromkeys(page.form(path).names, "") | {"csrf_token": foreign}
    assert own.post(path, data=fields).status == 400
    assert own.post(path, data=fields | {"csrf_token": token(page)}).status == 422


def test_what_was_typed_and_said_to_one_is_not_shown_to_the_next(app):
    ann = Visitor(app)
    ann.get("/sign-in?next=/security")
    page = ann.submit("/sign-in?next=/security", email="ann@example.org", password="wrong")
    assert page.status == 422
    assert "ann@example.org" in ann.get("/recover").html
    open_account(Visitor(app), "bob@example.org")
    for path in PATHS:
        html = Visitor(app).get(path).html
        assert "example.org" not in html
        assert '/security"' not in html


def test_where_somebody_wants_to_go_is_theirs(app):
    Visitor(app).get("/sign-in")
    assert "next=/security" in Visitor(app).get("/sign-in?next=/security").html
    assert "next=" not in Visitor(app).get("/sign-in").html


def test_what_somebody_is_told_is_told_once(app, sign_up):
    sign_up("ann@example.org")
    ann = Visitor(app)
    sign_in(ann, "ann@example.org")
    ann.get("/profile")
    ann.submit("/sign-out")
    assert "You are signed out." not in Visitor(app).get("/sign-in").html
    assert "You are signed out." in ann.get("/sign-in").html
    assert "You are signed out." not in ann.get("/sign-in").html


def test_settings_of_one_portal_stand_on_its_pages_alone(make_app):
    for name in "Anemone", "Bluebell":
        assert name in Visitor(make_app(PORTAL_NAME=name)).get("/sign-in").html
    assert "Anemone" in Visitor(make_app(PORTAL_NAME="Anemone")).get("/sign-in").html
