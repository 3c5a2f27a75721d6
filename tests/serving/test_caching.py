"""Whoever keeps an answer, and for how long: asked of every address there is."""

import re

import pytest

from portal.core.assets import asset
from portal.profile import stores
from tests.attacks.conftest import png

SHORT, YEAR = "public, max-age=300", "public, max-age=31536000, immutable"
# Everything else is kept nowhere.  Whoever adds an address that caches may keep adds it here.
KEPT = {
    "/.well-known/jwks.json": SHORT,
    "/api/docs": SHORT,
    "/api/v1/openapi.json": SHORT,
    "/pictures/<string:name>/<int:size>": YEAR,
    "/static/<path:filename>": YEAR,
}


@pytest.fixture
def picture(app):
    """The name of one that is kept."""
    with app.app_context():
        name = stores.new_name()
        stores.save(name, {256: png()})
    return name


def addresses(app, picture):
    """-> (rule, path) of whatever can be fetched."""
    values = {"name": picture, "size": "256", "filename": asset("css/portal.css")[8:]}
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods:
            yield rule.rule, re.sub(r"<(?:\w+:)?(\w+)>", lambda m: values.get(m[1], "1"), rule.rule)


def test_each_address_is_kept_as_long_as_it_may_be(app, agent, picture):
    admin = agent("admin")
    found = {}
    for rule, path in addresses(app, picture):
        answer = admin.get(path, checked=False)
        assert answer.status < 500, path
        found[rule] = answer.headers["Cache-Control"]
        if rule in KEPT:
            assert answer.status == 200, path
            assert "Set-Cookie" not in answer.headers, path
            assert "Cookie" not in answer.headers.get("Vary", ""), path
    assert len(found) > 40
    assert {rule: kept for rule, kept in found.items() if kept != "no-store"} == KEPT


def test_a_stranger_is_told_the_same(app, visitor, picture):
    for rule, path in addresses(app, picture):
        answer = visitor.get(path, checked=False)
        assert answer.headers["Cache-Control"] == KEPT.get(rule, "no-store"), path


def test_what_is_not_there_is_kept_nowhere(visitor):
    for path in "/nowhere", "/static/css/none.css", f"/pictures/{'0' * 32}/256", "/api/v1/none":
        answer = visitor.get(path, checked=False)
        assert (answer.status, answer.headers["Cache-Control"]) == (404, "no-store"), path


def test_pages_are_sent_unpacked(visitor):
    """A page holds a secret (its form's token) beside what was typed: packed, its length would
    tell how much of the one stands in the other (BREACH)."""
    page = visitor.get("/sign-in", Accept_Encoding="gzip, br")
    assert "csrf_token" in page.html
    assert "Content-Encoding" not in page.headers
