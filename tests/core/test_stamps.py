"""The session's cookie and a form's token are those of Flask and Flask-WTF, whoever signed them."""

import pytest
from flask import Response, g, session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms import ValidationError

from portal.core.stamps import LONG, csrf_token

SHORT, MUCH = {"flow": "x"}, {"flow": "x" * (2 * LONG)}
STRANGER = {"csrf_token": 'as "it" is, é'}


@pytest.mark.parametrize("kept", [SHORT, MUCH, STRANGER], ids=["short", "long", "stranger"])
def test_a_session_is_read_by_flask_and_flasks_by_us(app, kept):
    ours = app.session_interface.get_signing_serializer(app)
    theirs = SecureCookieSessionInterface().get_signing_serializer(app)
    assert theirs.loads(ours.dumps(kept)) == ours.loads(theirs.dumps(kept)) == kept


def test_what_is_long_is_compressed_for_the_sake_of_the_cookie(app):
    stamp = app.session_interface.get_signing_serializer(app)
    assert len(stamp.dumps(MUCH)) < LONG


def test_a_session_that_somebody_changed_is_none(app):
    stamp = app.session_interface.get_signing_serializer(app)
    for other in stamp.dumps(SHORT)[:-2] + "AA", stamp.dumps(SHORT).replace(".", "x", 1):
        assert stamp.loads_unsafe(other)[0] is False


def test_a_token_is_judged_by_flask_wtf(app):
    with app.test_request_context():
        validate_csrf(token := csrf_token())
        assert csrf_token() == token
        del g.csrf_token
        validate_csrf(generate_csrf())
        session["csrf_token"] = "0" * 40
        with pytest.raises(ValidationError, match="match"):
            validate_csrf(token)


def test_each_cookie_is_set_like_the_first_one(app):
    lines = []
    for _ in range(3):
        answer = app.test_client().get("/sign-in")
        lines += answer.headers.getlist("Set-Cookie")
        assert answer.headers["Vary"] == "Cookie"
    assert len({line.partition("=")[2].partition(";")[0] for line in lines}) == 3
    assert len({(line.partition("=")[0], line.partition(";")[2]) for line in lines}) == 1
    assert "HttpOnly" in lines[0]


def test_a_session_that_was_emptied_is_taken_away(app):
    with app.test_request_context():
        for kept, gone in (SHORT, False), ({}, True):
            answer, own = Response(), app.session_interface.session_class(SHORT)
            own.clear()
            own.update(kept)
            app.session_interface.save_session(app, own, answer)
            assert ("Max-Age=0" in answer.headers["Set-Cookie"]) == gone
