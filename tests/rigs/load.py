"""A steady stream of requests from several threads, each on a line of its own for each request.

with Load(url, "/healthz", threads=4) as load:
    portal.reload()
assert load.failed == []
"""

from __future__ import annotations

import http.client
import threading
from urllib.parse import urlsplit

PATIENCE = 30.0
PAUSE = 0.02  # seconds: a flood would test the machine, and hold up the tests beside it
FORM = "application/x-www-form-urlencoded"


class Load:
    """GETs of a path, or, with a body, POSTs of a form."""

    def __init__(self, url: str, path: str, threads: int = 4, body: str = "") -> None:
        where = urlsplit(url)
        self._host, self._port = str(where.hostname), where.port
        self._path, self._body = path, body
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]
        self.answers: list[int] = []
        self.failed: list[str] = []

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._end.wait(PAUSE):
            line = http.client.HTTPConnection(self._host, self._port, timeout=PATIENCE)
            try:
                headers = {"Content-Type": FORM} if self._body else {}
                method = "POST" if self._body else "GET"
                line.request(method, self._path, self._body or None, headers)
                answer = line.getresponse()
                answer.read()
                self._note(answer.status)
            except (OSError, http.client.HTTPException) as err:
                self.failed.append(repr(err))
            finally:
                line.close()

    def _note(self, status: int) -> None:
        if status >= 500:
            self.failed.append(str(status))
        else:
            self.answers.append(status)
