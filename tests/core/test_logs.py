"""Lines of the log: one each whatever stands in it, under the id of its request, without values."""

import io
import json
import logging
import re
import time

import pytest

from portal.core import access, crypto, logs
from portal.core.settings import Refused
from tests.conftest import ask, sign_in
from tests.rigs.caller import Caller
from tests.rigs.server import Server
from tests.rigs.visitor import Visitor

OWN = re.compile(r"[0-9a-f]{16}")
GIVEN = "6f1c0a52-proxy-id"
NASTY = "a\r\nb\x1b[31mc\x00d\u2028e\x85f\u202eg"


@pytest.fixture(params=["text", "json"])
def written(request):
    """written() -> the lines so far, as the process itself would write them."""
    place, root = io.StringIO(), logging.getLogger()
    handler, before = logging.StreamHandler(place), root.level
    handler.setFormatter(logs._FORMATS[request.param]())
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: place.getvalue().split("\n")[:-1]
    root.removeHandler(handler)
    root.setLevel(before)


def number(app, peer="127.0.0.1", **headers):
    """The id under which a request was known."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    here = {"REMOTE_ADDR": peer}
    return (
        app.test_client().get("/help", headers=sent, environ_overrides=here).headers[access.HEADER]
    )


def test_each_request_has_an_id_that_is_told_and_stands_in_the_log(app, written):
    first, second = number(app), number(app)
    assert OWN.fullmatch(first)
    assert first != second
    assert [first in line for line in written()] == [True, False]


def test_an_id_is_taken_over_from_a_proxy_of_ours_alone(make_app, app):
    behind = make_app(TRUSTED_PROXIES="127.0.0.1/32,2001:db8::/32")
    for peer in "127.0.0.1", "::ffff:127.0.0.1", "2001:db8::7":
        assert number(behind, peer, X_Request_ID=GIVEN) == GIVEN
    for peer in "127.0.0.2", "203.0.113.9", "2001:db9::7", "":
        assert OWN.fullmatch(number(behind, peer, X_Request_ID=GIVEN))
    assert OWN.fullmatch(number(app, X_Request_ID=GIVEN))
    forged = number(behind, "203.0.113.9", X_Request_ID=GIVEN, X_Forwarded_For="127.0.0.1")
    assert OWN.fullmatch(forged)


@pytest.mark.parametrize(
    "odd", ["short", "x" * 65, "with space-1", "a;b=c;d=e", "äöüäöüäö", "a_b_c_d_e"]
)
def test_what_does_not_look_like_an_id_is_none(make_app, odd):
    behind = make_app(TRUSTED_PROXIES="127.0.0.1/32")
    assert OWN.fullmatch(number(behind, X_Request_ID=odd))


def test_nothing_that_is_said_breaks_a_line(written):
    logging.getLogger("latchkey").warning("said: %s", NASTY)
    (line,) = written()
    assert line.isprintable()
    assert "\\r\\nb" in line


@pytest.mark.parametrize("kind", sorted(logs._FORMATS))
def test_half_a_character_is_written_whole(kind):
    """Formatted here: what runs the tests could not pass such a text on."""
    record = logging.LogRecord("latchkey", logging.INFO, "", 0, "said: %s", ("a\udcffb",), None)
    line = logs._FORMATS[kind]().format(record)
    assert "a\\udcffb" in line.encode().decode()


@pytest.mark.parametrize("kind", sorted(logs._FORMATS))
def test_a_requests_line_is_the_same_with_and_without_the_machinery(kind, monkeypatch):
    """Without it where the log is ours alone; with it where somebody else listens, too."""
    parts = ("GET\x1b[2J", "/help", 200, 3.04, "0123456789abcdef")
    place, log = io.StringIO(), logging.getLogger("latchkey")
    ours = logs._Out(place)
    ours.setFormatter(logs._FORMATS[kind]())
    root = logging.getLogger()
    monkeypatch.setattr(logs, "_OUT", ours)
    log.setLevel(logging.INFO)
    for handlers in [ours], [ours, logging.NullHandler()]:
        monkeypatch.setattr(root, "handlers", handlers)
        logs.request(log, *parts)
    first, second = (re.sub(r"[\d:,.]{12}", "AT", line) for line in place.getvalue().splitlines())
    assert first == second
    assert "latchkey" in first
    assert first.isprintable()
    place.close()
    monkeypatch.setattr(root, "handlers", [ours])
    logs.request(log, *parts)  # nobody can read it, and nothing breaks
    log.setLevel(logging.NOTSET)


def test_a_name_of_ones_own_for_a_method_breaks_no_line(app, written):
    app.test_client().open("/help\r\nforged", method="GET\x1b[2J")
    assert all(line.isprintable() for line in written())
    assert len(written()) == 1


def test_lines_within_a_request_carry_its_id_and_those_after_it_none(app, written, monkeypatch):
    monkeypatch.setattr(crypto, "same", lambda *_: 1 / 0)
    page = sign_in(Visitor(app), "secret.person@example.org", "a wrong password 9")
    assert page.status == 500
    reference = page.find(".mono")[0]
    assert reference == page.headers[access.HEADER]
    defect, access_line = [line for line in written() if reference in line]
    assert "ZeroDivisionError" in defect
    assert "tests/core/test_logs.py" in defect
    assert "POST /sign-in 500" in access_line
    logging.getLogger("latchkey").warning("afterwards")
    assert reference not in written()[-1]


def test_of_an_exception_no_value_is_written(app, written):
    try:
        try:
            raise KeyError("secret.person@example.org")
        except KeyError as cause:
            raise ValueError("a wrong password 9\nforged line") from cause
    except ValueError as err:
        logging.getLogger("latchkey").error("defect", exc_info=err)
    (line,) = written()
    assert "ValueError from KeyError" in line
    assert "test_logs.py" in line
    for secret in "secret.person", "wrong password", "forged line":
        assert secret not in line


def test_a_format_that_nobody_knows_is_refused(make_app):
    with pytest.raises(Refused, match="LOG_FORMAT"):
        make_app(LOG_FORMAT="xml")


def test_a_served_portal_writes_an_object_a_line(tmp_path):
    with Server(tmp_path, LOG_FORMAT="json", TRUSTED_PROXIES="127.0.0.1/32") as portal:
        browser = Caller(portal.url)
        browser.open("/recover")
        answer = browser.send("/recover", identifier="who@example.org")
        time.sleep(1)  # the worker's turn
        portal.stop()
    lines = [json.loads(line) for line in portal.log().splitlines() if line.startswith("{")]
    assert len(lines) == len(portal.log().splitlines()) - 1  # what the command prints
    (asked,) = [each for each in lines if each.get("id") == answer.headers[access.HEADER]]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", asked.pop("time"))
    assert 0 < asked.pop("milliseconds") < 10_000
    assert asked.pop("message").startswith("POST /recover 303 ")
    assert asked == {
        "level": "info", "logger": "latchkey", "method": "POST", "route": "/recover",
        "status": 303, "id": answer.headers[access.HEADER],
    }  # fmt: skip
    assert "who@example.org" not in portal.log()


def test_lines_about_a_message_carry_its_row(app, ann, post, written, monkeypatch):
    from portal.delivery import transports  # noqa: PLC0415 - the way that is broken here

    def broken(*_):
        logging.getLogger("latchkey.delivery").warning("on its way")
        return ""

    post.deliver()
    monkeypatch.setattr(transports, "send", broken)
    ask(Visitor(app), ann.email)
    post.deliver()
    (line,) = [each for each in written() if "on its way" in each]
    assert re.search(r"\boutbox-\d+\b", line)
