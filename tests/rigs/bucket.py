"""A store on loopback that speaks S3 (moto), with moods to order; and one that never answers.

with Bucket() as store:
    app = make_app(**store.settings())
    store.stop()  # as after a crash; what it keeps comes back with start()
    store.mood = "busy"  # answers 503 to everything

In a test it is the store itself that is asked what it keeps: `store.objects()`, `store.put(...)`.
NB: it takes every key and secret.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.s3.models import s3_backends
from werkzeug.serving import make_server

from tests.rigs.smtp import HOST, free_port

NAME, KEY, SECRET = "people-pictures", "AKIAOFTESTS", "the store's own secret"
QUIET = 0.02
ACCOUNT = "123456789012"  # whose keys all are, moto says


class _Handler(MotoRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - its own name
        """No line for each request."""


class Bucket:
    """A store with one bucket, empty at first.

    `requests` has (method, path) of each that came; `mood` is "", "busy", or "cut": a body that
    breaks off half way; each answer waits `delay` seconds.
    """

    def __init__(self, name: str = NAME) -> None:
        self.name, self.port = name, free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.requests: list[tuple[str, str]] = []
        self.mood, self.delay = "", 0.0
        self._inner = DomainDispatcherApplication(create_backend_app)

    def settings(self) -> dict[str, str]:
        """The portal's settings that keep pictures here."""
        return {
            "AWS_STORAGE_BUCKET_NAME": self.name,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_S3_ENDPOINT_URL": self.url,
        }

    def start(self) -> None:
        """Listens again where it did."""
        options = {"threaded": True, "request_handler": _Handler}
        self._server = make_server(HOST, self.port, self._answer, **options)
        self._thread = threading.Thread(target=self._server.serve_forever, args=[QUIET])
        self._thread.start()

    def stop(self) -> None:
        """Takes no connection any more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def clear(self) -> None:
        """Forgets objects, requests and moods."""
        self.mood, self.delay = "", 0.0
        s3_backends[ACCOUNT]["aws"].reset()
        self.client.create_bucket(Bucket=self.name)
        self.requests.clear()

    def objects(self) -> list[str]:
        """The names of its objects, in order."""
        found = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return [each["Key"] for each in found]

    def get(self, key: str) -> bytes:
        """The content of one of them."""
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def put(self, key: str, data: bytes, **more: Any) -> None:
        """What somebody with access of their own writes."""
        self.client.put_object(Bucket=self.name, Key=key, Body=data, **more)

    def grow_old(self, key: str, at: Any) -> None:
        """As if this object had been written then."""
        backend = s3_backends[ACCOUNT]["aws"]
        backend.get_object(self.name, key).last_modified = at

    def asked(self, method: str) -> list[str]:
        """The paths of the requests of one method so far."""
        return [path for verb, path in self.requests if verb == method]

    def __enter__(self) -> Bucket:
        self.start()
        session = boto3.Session(KEY, SECRET, region_name="us-east-1")
        self.client = session.client("s3", endpoint_url=self.url)
        self.clear()
        return self

    def __exit__(self, *_error: object) -> None:
        self.mood = ""
        self.stop()
        s3_backends[ACCOUNT]["aws"].reset()
        self.client.close()

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self.requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        time.sleep(self.delay)
        if self.mood == "busy":
            start("503 Slow Down", [("Content-Type", "application/xml"), ("Content-Length", "0")])
            return [b""]
        whole = self._inner(environ, start)
        return [b"".join(whole)[:10]] if self.mood == "cut" else whole


@contextmanager
def silent_port() -> Iterator[str]:
    """The address of a store that takes connections and never says a word."""
    with socket.create_server((HOST, 0), backlog=64) as server:
        yield f"http://{HOST}:{server.getsockname()[1]}"


@contextmanager
def dripping_port() -> Iterator[str]:
    """The address of a store that answers a byte every 0.3 seconds, without end."""
    over = threading.Event()
    with socket.create_server((HOST, 0), backlog=64) as server:
        server.settimeout(0.1)
        thread = threading.Thread(target=_drip_to_all, args=[server, over])
        thread.start()
        try:
            yield f"http://{HOST}:{server.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


def _drip_to_all(server: socket.socket, over: threading.Event) -> None:
    lines: list[threading.Thread] = []
    while not over.is_set():
        try:
            line, _address = server.accept()
        except TimeoutError:
            continue
        lines.append(threading.Thread(target=_drip, args=[line, over]))
        lines[-1].start()
    for each in lines:
        each.join()


def _drip(line: socket.socket, over: threading.Event) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/webp\r\nContent-Length: 90000\r\n\r\n"
    with line:
        try:
            line.recv(65536)
            line.sendall(head)
            while not over.wait(0.3):
                line.sendall(b"x")
        except OSError:
            return
