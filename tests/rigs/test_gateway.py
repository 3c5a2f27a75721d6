"""The HTTP gateway of the tests is a real one, and does as it is told."""

import http.client
import json
import socket
import ssl
import time

import pytest

from tests.rigs.gateway import Gateway


@pytest.fixture
def gateway():
    with Gateway() as gateway:
        yield gateway


def post(gateway, body, timeout=5, client=None):
    """-> the status and what follows; a client that is given stays open."""
    own = client or http.client.HTTPConnection(gateway.place, timeout=timeout)
    try:
        own.request("POST", "/sms", json.dumps(body), {"X-Word": "yes"})
        answer = own.getresponse()
        return answer.status, answer.read()
    finally:
        if own is not client:
            own.close()


def test_it_accepts_and_remembers_what_came(gateway):
    assert post(gateway, {"to": "ann"}) == (202, b"{}")
    [got] = gateway.wait_for(1)
    assert (got.path, got.body, got.headers["x-word"]) == ("/sms", {"to": "ann"}, "yes")


def test_it_answers_as_told_and_then_as_usual(gateway):
    gateway.answer(503, times=2, body=b"no")
    assert [post(gateway, 1)[0] for _ in range(3)] == [503, 503, 202]


def test_it_counts_connections_and_closes_them(gateway):
    client = http.client.HTTPConnection(gateway.place, timeout=5)
    for _ in range(2):
        post(gateway, 1, client=client)
    assert gateway.connections == 1
    gateway.hang_up()
    with pytest.raises(OSError):  # noqa: PT011 - which one is the system's choice
        post(gateway, 1, client=client)
    client.close()


def test_it_hangs_drops_and_drips(gateway):
    gateway.hang(1)
    with pytest.raises(TimeoutError):
        post(gateway, 1, timeout=0.2)
    gateway.drop()
    with pytest.raises(http.client.RemoteDisconnected):
        post(gateway, 1)
    gateway.drip(0.01)
    start = time.monotonic()
    assert post(gateway, 1)[0] == 202
    assert time.monotonic() - start > 0.3


def test_stopped_it_refuses_connections_and_comes_back(gateway):
    gateway.stop()
    with pytest.raises(ConnectionRefusedError):
        post(gateway, 1)
    gateway.start()
    assert post(gateway, 1)[0] == 202


def test_it_speaks_tls_with_a_certificate_of_its_own():
    with Gateway(tls=True) as gateway:
        trust = ssl.create_default_context(cafile=gateway.ca_file)
        client = http.client.HTTPSConnection(gateway.place, timeout=5, context=trust)
        assert post(gateway, 1, client=client)[0] == 202
        client.close()
        strict = ssl.create_default_context()
        client = http.client.HTTPSConnection(gateway.place, timeout=5, context=strict)
        with pytest.raises(ssl.SSLCertVerificationError):
            post(gateway, 1, client=client)
        client.close()
        with socket.create_connection(("localhost", gateway.port), 5):
            pass  # somebody who says nothing keeps nobody else waiting
