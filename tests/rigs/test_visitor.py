"""The visitor sends what a browser would send, and insists on the house rules."""

import pytest
from flask import Flask, make_response, redirect, request

from tests.rigs.visitor import Visitor

PAGE = """<!doctype html><html lang="en">
<head><title>{title} - Latchkey account</title></head><body>
<a class="skip" href="#main">Skip</a><main id="main"><h1>Card</h1>{main}</main></body></html>"""
FORM = """<div class="banner" role="status"><p>Saved</p><p>All of it.</p></div>
<form method="post" action="/card" enctype="multipart/form-data">
<input type="hidden" name="csrf_token" value="t0ken">
<label for="name">Name</label><input id="name" name="name" value="Ann">
<label for="bio">Bio</label><textarea id="bio" name="bio">
 two
lines</textarea>
<label for="country">Country</label><select id="country" name="country">
<option value="">None</option><option value="IS" selected>Iceland</option></select>
<label for="keep">Keep</label><input id="keep" type="checkbox" name="keep">
<label for="picture">Picture</label><input id="picture" type="file" name="picture">
<button type="submit" name="act" value="save">Save</button>
<button type="submit" name="act" value="drop">Drop</button></form>"""
WRONG = """<div class="summary"><ul><li><a href="#name">Enter a name</a></li></ul></div>
<label for="name">Name</label><p class="error" id="name-error"><span>Error: </span>Enter a name</p>
<input id="name" name="name">"""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'",
    "Referrer-Policy": "same-origin",
}


def echo():
    """What has arrived: fields, names and sizes of files, the sender."""
    files = {name: [each.filename, len(each.read())] for name, each in request.files.items()}
    sender = {"from": request.remote_addr, "o": request.headers.get("Origin")}
    return {"form": request.form.to_dict(), "files": files, **sender}


def card():
    """A page with every kind of control; a post is echoed."""
    page = PAGE.format(title="Card", main=FORM)
    answer = make_response(echo() if request.method == "POST" else page)
    answer.headers.update(HEADERS)
    answer.set_cookie("seen", "yes")
    return answer


def wrong():
    """The page after a mistake."""
    return PAGE.format(title="Error: Card", main=WRONG), 422, HEADERS


@pytest.fixture
def visitor():
    app = Flask(__name__)
    app.add_url_rule("/card", view_func=card, methods=["GET", "POST"])
    app.add_url_rule("/wrong", view_func=wrong)
    app.add_url_rule("/bare", "bare", lambda: "<p>no page</p>")
    app.add_url_rule("/plain", "plain", lambda: PAGE.format(title="Card", main=""))
    app.add_url_rule("/away", "away", lambda: redirect("/card", 303))
    app.after_request(lambda answer: answer if request.path == "/plain" else _headed(answer))
    return Visitor(app)


def _headed(answer):
    answer.headers.update(HEADERS)
    return answer


def test_a_form_is_sent_as_it_stands(visitor):
    visitor.get("/card")
    sent = visitor.submit("/card").json
    assert sent["form"] == {
        "csrf_token": "t0ken",
        "name": "Ann",
        "bio": " two\r\nlines",
        "country": "IS",
        "act": "save",
    }
    assert sent["files"] == {"picture": ["", 0]} or sent["files"] == {}


def test_fields_files_and_buttons_can_be_chosen(visitor):
    visitor.get("/card")
    sent = visitor.submit("/card", name="Bo", keep=True, act="drop", picture=(b"12", "a.png")).json
    assert (sent["form"]["name"], sent["form"]["keep"], sent["form"]["act"]) == ("Bo", "on", "drop")
    assert sent["files"] == {"picture": ["a.png", 2]}


def test_a_field_can_be_left_out(visitor):
    visitor.get("/card")
    assert "csrf_token" not in visitor.submit("/card", csrf_token=None).json["form"]


def test_the_sender_is_a_browser_on_this_site(visitor):
    visitor.get("/card")
    sent = visitor.submit("/card").json
    assert (sent["from"], sent["o"]) == ("198.51.100.7", visitor.site)


def test_a_field_that_is_not_there_is_a_mistake(visitor):
    visitor.get("/card")
    with pytest.raises(AssertionError, match=r"has no .*nmae"):
        visitor.submit("/card", nmae="Bo")


def test_a_form_that_is_not_there_is_a_mistake(visitor):
    visitor.get("/card")
    with pytest.raises(AssertionError, match="No form to /kard"):
        visitor.submit("/kard")


def test_a_page_that_breaks_house_rules_is_refused(visitor):
    with pytest.raises(AssertionError, match="0 h1"):
        visitor.get("/bare")
    assert visitor.get("/bare", checked=False).status == 200


def test_a_page_without_its_headers_is_refused(visitor):
    with pytest.raises(AssertionError, match="Content-Security-Policy"):
        visitor.get("/plain")


def test_redirects_are_followed_on_demand(visitor):
    assert visitor.get("/away").location == "/card"
    assert visitor.follow().h1 == "Card"
    assert visitor.cookie("seen") == "yes"
    with pytest.raises(AssertionError, match="no redirect"):
        visitor.follow()


def test_a_page_is_read_like_a_person_reads_it(visitor):
    page = visitor.get("/card")
    assert page.banner == "Saved All of it."
    assert page.links == {"Skip": "#main"}
    assert "Name Bio" in page.text
    assert page.forms == ["/card"]
    wrong = visitor.get("/wrong")
    assert (wrong.status, wrong.title) == (422, "Error: Card - Latchkey account")
    assert wrong.errors == {"name": "Enter a name"}
    assert wrong.summary == ["Enter a name"]
