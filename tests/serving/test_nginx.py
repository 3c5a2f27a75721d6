"""nginx with the configuration that is shipped, in front of one gunicorn or two."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import ExitStack
from io import BytesIO

import pytest
import requests
from PIL import Image

from tests.conftest import PASSWORD
from tests.rigs.html import check
from tests.rigs.load import Load
from tests.rigs.slow import SlowClients
from tests.rigs.wire import say

FAIL_TIMEOUT = 2.0  # seconds, in deploy/nginx.conf
pytestmark = pytest.mark.journey
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
ONCE = (
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "Strict-Transport-Security",
    "Cache-Control",
)


@pytest.fixture
def browser(site):
    """A browser that trusts its certificate."""
    with requests.Session() as made:
        made.verify, made.trust_env = site.ca_file, False
        yield made


def send(browser, site, path, form="", **more):
    """Opens a page and sends its form."""
    page = browser.get(site.url + (form or path))
    fields = {"csrf_token": TOKEN.search(page.text)[1]} | more.pop("data", {})
    sent = {"headers": {"Origin": site.url}, "allow_redirects": False}
    return browser.post(site.url + path, data=fields, **sent, **more)


def sign_up(browser, site, email="ann@example.org"):
    words = {"password": PASSWORD, "confirm_password": PASSWORD}
    answer = send(browser, site, "/sign-up", data={"full_name": "Ann", "email": email, **words})
    assert answer.status_code == 303
    code = site.portal.wait_for_mail(email).code
    done = send(browser, site, "/sign-up/code", data={"code": code})
    assert done.headers["Location"] == "/profile"


def picture(size):
    """A picture that is taken, with as many bytes: noise, and a tail that readers ignore."""
    file = BytesIO()
    Image.frombytes("RGB", (600, 600), os.urandom(600 * 600 * 3)).save(file, "PNG")
    return file.getvalue().ljust(size, b"\0")


def test_somebody_signs_up_and_shows_their_face(browser, site):
    sign_up(browser, site)
    files = {"picture": ("me.png", picture(5_000_000), "image/png")}
    assert send(browser, site, "/profile/picture", "/profile", files=files).status_code == 303
    page = browser.get(f"{site.url}/profile").text
    (shown, *_others) = re.findall(r'src="(/pictures/[^"]+)"', page)
    answer = browser.get(site.url + shown)
    assert answer.headers["Content-Type"] == "image/webp"
    assert "immutable" in answer.headers["Cache-Control"]

    files = {"picture": ("me.png", picture(6 * 1024 * 1024), "image/png")}
    answer = send(browser, site, "/profile/picture", "/profile", files=files)
    assert answer.status_code == 413
    assert "5 MB" in answer.text
    files = {"picture": ("me.png", picture(17_000_000), "image/png")}
    answer = send(browser, site, "/profile/picture", "/profile", files=files)
    assert answer.status_code == 413
    assert "That is too big" in answer.text, "nginx's own words"
    check(answer.text)


def test_each_header_is_sent_once_and_nobody_tells_the_version(browser, site):
    for path in "/sign-in", "/nowhere", "/healthz", "/api/v1/openapi.json":
        answer = browser.get(site.url + path)
        for name in ONCE:
            assert len(answer.raw.headers.getlist(name)) == 1, (path, name)
        assert answer.headers["Server"] == "nginx"
        assert "Via" not in answer.headers
        assert "Content-Encoding" not in answer.headers


def test_files_are_given_out_by_nginx_packed_and_kept_for_a_year(browser, site):
    page = browser.get(f"{site.url}/sign-in").text
    before = site.portal.log()
    for path in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page)):
        answer = browser.get(site.url + path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if path.endswith((".css", ".js")):
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert re.match("text/(css|javascript); charset=utf-8", answer.headers["Content-Type"])
    plain = browser.get(f"{site.url}/static/css/portal.css", headers={"Accept-Encoding": ""})
    assert plain.headers["Cache-Control"] == "public, no-cache"
    assert "Content-Encoding" not in plain.headers
    assert site.portal.log() == before, "the portal was asked"
    newer = browser.get(f"{site.url}/static/css/portal.0123456789.css")
    assert (newer.status_code, newer.text) == (200, plain.text)
    for path in "/static/413.html", "/static/../conf", "/static/", "/static/css/none.css":
        assert browser.get(site.url + path).status_code == 404, path


def test_it_speaks_http_2_and_leads_there_from_http(site):
    told = ["curl", "-s", "--cacert", site.ca_file, "-o", "/dev/null", "-w", "%{http_version}"]
    done = subprocess.run(
        [*told, f"{site.url}/sign-in"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "2"
    raw = b"GET /recover?x=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = say(site.redirect_port, raw)
    assert answer.statuses == [301]
    assert f"Location: {site.url}/recover?x=1\r\n".encode() in answer.data
    other = say(site.redirect_port, raw.replace(b"localhost", b"evil.example"))
    assert other.data == b""
    assert say(site.port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").statuses == [400]


def test_what_is_for_this_machine_alone_is_not_there(browser, site):
    for path in (
        "/metrics",
        "//metrics",
        "/%6detrics",
        "/dev/mailbox",
        "/dev/mailbox.json",
        "/./metrics",
    ):
        answer = requests.get(site.plain + path, timeout=10)
        assert answer.status_code == 404, path


def test_nobody_chooses_the_number_of_a_request(browser, site):
    for path in ("/help", "/static/nothing.css"):
        answer = browser.get(site.url + path, headers={"X-Request-ID": "chosen-by-a-stranger"})
        assert len(answer.headers["X-Request-ID"]) == 32
        assert "chosen" not in answer.headers["X-Request-ID"]


def test_a_claim_about_ones_address_is_believed_from_nginx_alone(browser, site):
    claim = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    browser.headers.update(claim)
    before = newest(site)
    send(browser, site, "/recover", data={"identifier": "claims@example.org"})
    assert networks(site, before) == {"127.0.0.0/24"}
    with socket.create_connection(
        ("127.0.0.1", site.portal.port), source_address=("127.0.0.2", 0)
    ) as line:
        body = b"email=stranger@example.org"
        line.sendall(
            b"POST /api/v1/auth/password-reset HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\nX-Forwarded-For: 203.0.113.9\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        assert line.recv(100).startswith(b"HTTP/1.1 4")
    assert networks(site, before) == {"127.0.0.0/24"}


def newest(site):
    return rows(site, "SELECT coalesce(max(id), 0) FROM event")[0][0]


def networks(site, after):
    return {row[0] for row in rows(site, "SELECT network FROM event WHERE id > ?", after)}


def rows(site, *statement):
    with sqlite3.connect(site.portal.folder / "portal.db") as database:
        return database.execute(statement[0], statement[1:]).fetchall()


def test_the_log_has_no_path_and_no_address(browser, site):
    before = len(site.logs("access.log"))
    browser.get(f"{site.url}/recover/link/S3CRET?q=S3CRET", headers={"Referer": "http://x/S3CRET"})
    site.portal.kill()
    browser.get(f"{site.url}/recover/link/S3CRET")
    until = time.monotonic() + 15
    while " 502 " not in (log := site.logs("access.log")[before:]):
        assert time.monotonic() < until, "nginx writes its log some seconds later"
        time.sleep(0.1)
    assert "GET 4" in log
    assert "S3CRET" not in site.logs()
    assert "127.0.0.1" not in site.logs()


def test_while_nobody_answers_a_page_says_what_to_do(browser, site):
    site.portal.kill()
    answer = browser.get(f"{site.url}/sign-in")
    assert answer.status_code == 502
    assert "Wait a minute" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Retry-After"] == "10"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    check(answer.text)
    (style,) = re.findall(r'href="(/static/css/[^"]+)"', answer.text)
    assert browser.get(site.url + style).status_code == 200


def test_one_of_two_that_is_killed_costs_no_more_than_what_was_under_way_on_it(front, machines):
    """What may be repeated is asked again of the other; a form is not sent twice."""
    one, two = machines(2)
    with one, two, front.before(one, two), ExitStack() as loads:
        pages = loads.enter_context(Load(front.plain, "/sign-in", threads=4))
        forms = loads.enter_context(
            Load(front.plain, "/sign-in", threads=4, body="email=a@b.example")
        )
        enough(pages, forms)
        two.kill()
        enough(pages, forms)
        two.start()
        enough(pages, forms)
    assert all(each.startswith("IncompleteRead") for each in pages.failed), "it had begun to answer"
    assert len(pages.failed) <= 4
    assert len(forms.failed) <= 4
    assert set(pages.answers) == {200}


def enough(*loads):
    """Returns when each has been answered a hundred times more."""
    wanted = [len(load.answers) + 100 for load in loads]
    until = time.monotonic() + 60
    while any(len(load.answers) < count for load, count in zip(loads, wanted, strict=True)):
        assert time.monotonic() < until
        time.sleep(0.05)


def in_use(portal):
    """Returns when nginx passes requests on to it again."""
    known, until = len(portal.log()), time.monotonic() + 30
    while "/sign-in" not in portal.log()[known:]:
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(2 * FAIL_TIMEOUT)  # what it failed before counts no more


def test_a_reload_behind_it_fails_no_request_not_even_a_form(front, machines):
    (portal,) = machines(1)
    with portal, front.before(portal), ExitStack() as loads:
        pages = loads.enter_context(Load(front.plain, "/sign-in"))
        forms = loads.enter_context(Load(front.plain, "/sign-in", body="email=a@b.example"))
        for _ in range(3):
            portal.reload()
            enough(pages, forms)
    assert pages.failed == []
    assert forms.failed == []


def test_two_that_are_restarted_in_turn_fail_no_request(front, machines):
    one, two = machines(2)
    with one, two, front.before(one, two), ExitStack() as loads:
        pages = loads.enter_context(Load(front.plain, "/sign-in"))
        forms = loads.enter_context(Load(front.plain, "/sign-in", body="email=a@b.example"))
        for each in one, two:
            enough(pages, forms)
            each.process.send_signal(signal.SIGTERM)
            assert each.process.wait(30) == 0
            each.start()
            in_use(each)
    assert pages.failed == []
    assert forms.failed == []


def test_dos_02_sixty_slow_clients_reach_nobody_behind_it(site):
    with SlowClients(site.plain_port) as slow:
        statuses = [
            requests.get(f"{site.plain}/sign-in", timeout=10).status_code for _ in range(40)
        ]
        assert statuses == [200] * 40
        assert slow.waiting() >= 40, "they were done before"
