"""Attacks below what a browser sends: raw bytes against the served product."""

import re
import socket
import time

import pytest

FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


def talk(portal, raw, seconds=8):
    """Sends bytes and reads until the server is done.  -> what came back."""
    with socket.create_connection(("127.0.0.1", portal.port), timeout=seconds) as line:
        line.sendall(raw if isinstance(raw, bytes) else raw.encode("latin-1"))
        got = b""
        try:
            while part := line.recv(65_536):
                got += part
        except (TimeoutError, ConnectionResetError):
            pass
    return got.decode("latin-1")


def status(answer):
    found = re.match(r"HTTP/1\.[01] (\d{3})", answer)
    return int(found[1]) if found else 0


@pytest.fixture
def begun(portal):
    """Cookie and token of a browser that has the recovery form open."""
    host = f"127.0.0.1:{portal.port}"
    page = talk(portal, f"GET /recover HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    cookie = re.search(r"Set-Cookie: (latchkey-form=[^;]+)", page)[1]
    return cookie, re.search(r'name="csrf_token" value="([^"]+)', page)[1]


def ask(portal, begun, address, host=None, target="/recover", more=""):
    cookie, token = begun
    hosts = f"Host: 127.0.0.1:{portal.port}\r\n" if host is None else host
    body = f"csrf_token={token}&identifier={address}"
    head = f"POST {target} HTTP/1.1\r\n{hosts}Connection: close\r\nCookie: {cookie}\r\n{FORM}"
    return talk(portal, f"{head}{more}Content-Length: {len(body)}\r\n\r\n{body}")


def sign_up(portal, address):
    """An account whose address nobody has proven: enough to be written to."""
    host = f"Host: 127.0.0.1:{portal.port}\r\nConnection: close\r\n"
    page = talk(portal, f"GET /sign-up HTTP/1.1\r\n{host}\r\n")
    cookie = re.search(r"Set-Cookie: (latchkey-form=[^;]+)", page)[1]
    token = re.search(r'name="csrf_token" value="([^"]+)', page)[1]
    words = "copper+lantern+tuesday"
    body = f"csrf_token={token}&full_name=Ann&email={address}&password={words}"
    body += f"&confirm_password={words}"
    head = f"POST /sign-up HTTP/1.1\r\n{host}Cookie: {cookie}\r\n{FORM}"
    assert status(talk(portal, f"{head}Content-Length: {len(body)}\r\n\r\n{body}")) == 303
    portal.wait_for_mail(address)


def test_reset_01_a_foreign_host_causes_no_message_and_no_link(portal, begun):
    sign_up(portal, "poison@example.org")
    own = f"127.0.0.1:{portal.port}"
    attacks = [
        {"host": "Host: evil.example\r\n"},
        {"host": f"Host: {own}\r\nHost: evil.example\r\n"},
        {"host": f"Host: evil.example\r\nHost: {own}\r\n"},
        {"host": f"Host: {own}@evil.example\r\n"},
        {"host": f"Host: evil.example#{own}\r\n"},
        {"host": f"Host: {own}.evil.example\r\n"},
        {"host": ""},
        {"host": "Host:\r\n"},
        {"host": f"Host: {own}, evil.example\r\n"},
        {"host": "Host: evil.example\r\n", "target": f"http://{own}/recover"},
    ]
    for each in attacks:
        assert status(ask(portal, begun, "poison@example.org", **each)) == 400, each
    assert len([mail for mail in portal.mailbox() if mail.to == "poison@example.org"]) == 1


def test_reset_01_links_stand_on_the_public_url_whatever_is_claimed(portal, begun):
    sign_up(portal, "claims@example.org")
    claims = "".join(
        f"{name}: evil.example\r\n"
        for name in ("X-Forwarded-Host", "X-Host", "X-Original-Host", "X-Forwarded-Server")
    )
    claims += "Forwarded: host=evil.example;proto=https\r\nX-Forwarded-Proto: https\r\n"
    target = "http://evil.example/recover"
    answer = ask(portal, begun, "claims@example.org", more=claims, target=target)
    assert status(answer) in (303, 400)
    if status(answer) == 400:
        assert status(ask(portal, begun, "claims@example.org", more=claims)) == 303
    mail = portal.wait_for_mail("claims@example.org", count=2)
    assert all(link.startswith(portal.url + "/") for link in mail.links)
    assert "evil" not in mail.text + (mail.html or "")
    assert "evil" not in answer


def test_dos_01_lies_about_the_length_of_a_body_change_nothing(portal, begun):
    cookie, token = begun
    head = (
        f"POST /recover HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\nConnection: close\r\n"
        f"Cookie: {cookie}\r\n{FORM}"
    )
    body = f"csrf_token={token}&identifier=lies@example.org"
    for length in ("-1", "abc", "1, 2", "0x20", "99999999999999999999"):
        answer = talk(portal, f"{head}Content-Length: {length}\r\n\r\n{body}", seconds=0.8)
        assert status(answer) in (0, 400, 413), length
    assert status(talk(portal, f"{head}Content-Length: 10\r\n\r\n{body}")) == 400
    two = f"Content-Length: 5\r\nContent-Length: {len(body)}\r\n"
    assert status(talk(portal, f"{head}{two}\r\n{body}")) == 400
    short = f"{head}Content-Length: {len(body) + 50}\r\n\r\n{body}"
    assert status(talk(portal, short, seconds=1)) == 0
    assert not [mail for mail in portal.mailbox() if mail.to == "lies@example.org"]


def test_dos_01_a_body_in_chunks_is_read_and_limited_like_any_other(portal, begun):
    cookie, token = begun
    head = (
        f"POST /recover HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\nConnection: close\r\n"
        f"Cookie: {cookie}\r\n{FORM}Transfer-Encoding: chunked\r\n\r\n"
    )
    body = f"csrf_token={token}&identifier=chunks@example.org"
    assert status(talk(portal, f"{head}{len(body):x}\r\n{body}\r\n0\r\n\r\n")) == 303
    big = body + "&x=" + "a" * 100_000
    assert status(talk(portal, f"{head}{len(big):x}\r\n{big}\r\n0\r\n\r\n")) == 413
    assert status(talk(portal, f"{head}zz\r\n{body}\r\n0\r\n\r\n", seconds=0.8)) in (0, 400)


def test_smuggle_01_two_ways_to_say_how_long_are_refused(portal):
    host = f"Host: 127.0.0.1:{portal.port}\r\n"
    hidden = f"GET /smuggled HTTP/1.1\r\n{host}\r\n"
    for coding in ("chunked, identity", "xchunked", "chunked\r\nTransfer-Encoding: identity"):
        raw = f"POST /recover HTTP/1.1\r\n{host}Transfer-Encoding: {coding}\r\n\r\n0\r\n\r\n"
        assert talk(portal, raw + hidden, seconds=0.8).count("HTTP/1.1 404") == 0, coding
    for raw in (
        f"GET /healthz HTTP/1.1\r\n{host} folded: x\r\n\r\n",
        f"GET /healthz HTTP/1.1\r\n{host}X Y: z\r\n\r\n",
        f"GET /healthz HTTP/1.1\nHost: evil.example\n{host}\r\n\r\n",
        f"GET /healthz\0 HTTP/1.1\r\n{host}\r\n",
    ):
        assert status(talk(portal, raw, seconds=0.8)) in (0, 400, 404), raw


def test_login_03_a_header_with_an_underscore_is_no_forwarded_for(portal):
    raw = (
        f"GET /dev/mailbox.json HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\nConnection: close\r\n"
    )
    assert status(talk(portal, raw + "X_Forwarded_For: 192.0.2.1\r\n\r\n")) == 200
    assert status(talk(portal, raw + "X-Forwarded-For: 192.0.2.1\r\n\r\n")) == 404
    assert status(talk(portal, raw + "Forwarded: for=192.0.2.1\r\n\r\n")) == 404


def test_dos_01_nonsense_does_not_stop_the_server(portal):
    for raw in (b"", b"\0" * 500, b"\x16\x03\x01\x02", b"GET / HTTP/9.9\r\n\r\n", b"A" * 300_000):
        answer = talk(portal, raw + b"\r\n\r\n", seconds=0.8)
        assert status(answer) in (0, 303, 400, 431), raw[:20]
    began = time.monotonic()
    host = f"127.0.0.1:{portal.port}"
    raw = f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    assert status(talk(portal, raw)) == 200
    assert time.monotonic() - began < 2
    assert "defect" not in portal.log()
