"""The road to a bucket, one for each process.  Sole owner of boto3.

However a store hangs, stutters or is away, nobody waits for it longer than PATIENCE; and while it
is away, nobody waits at all.
"""

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")
log = logging.getLogger("latchkey")
PATIENCE = 5.0  # seconds for whatever is asked, all its requests together
REST = 3.0  # seconds in which a store that is away is left alone
CONNECT, SILENCE, TRIES = 2, 2, 2  # seconds, seconds, of each request
LANES = 16  # requests under way at once
REGION = "us-east-1"  # what compatible stores expect of those who name none


class Away(OSError):
    """The store cannot be reached, or does not answer."""


@dataclass(frozen=True)
class Place:
    """A bucket, and how to get in; without `endpoint` it is Amazon's, without `key` a role's."""

    bucket: str
    endpoint: str
    region: str
    key: str
    secret: str = field(repr=False)


class Road:
    """A client with its connections, and how far it is passable."""

    def __init__(self, place: Place) -> None:
        self._client, self._trouble = _client(place)
        self._lanes = ThreadPoolExecutor(LANES, "bucket")
        self._lock = threading.Lock()
        self._away, self._rests_until = False, 0.0

    def ask(self, work: Callable[[Any], T]) -> T:
        """What `work` makes of the client, in a thread that may be left behind.

        Raises Away; OSError when the store refuses.
        """
        if self._rests():
            raise Away("The store of pictures is away.")
        answer = self._lanes.submit(work, self._client)
        try:
            found = answer.result(PATIENCE)
        except self._trouble as err:
            if answer.cancel():  # it waited for a lane all the time: no word on the store
                raise Away("Too much is asked of the store of pictures.") from None
            raise self._failed(err) from None
        self._found(away=False)
        return found

    def _rests(self) -> bool:
        """While the store is away, one at a time tries whether it still is."""
        with self._lock:
            if monotonic() < self._rests_until:
                return True
            if self._away:
                self._rests_until = monotonic() + PATIENCE
            return False

    def _failed(self, err: Exception) -> OSError:
        """A refusal is an answer: of too few rights, say, and no reason to leave it alone."""
        told = getattr(err, "response", None) or {}  # of a time-out it is None
        if 400 <= told.get("ResponseMetadata", {}).get("HTTPStatusCode", 500) < 500:
            code = str(told.get("Error", {}).get("Code", ""))[:40]
            log.error("the store of pictures refuses: %s", code)
            return OSError(f"The store of pictures refuses: {code}.")
        self._found(away=True, why=type(err).__name__)
        return Away(f"The store of pictures does not answer ({type(err).__name__}).")

    def _found(self, *, away: bool, why: str = "") -> None:
        with self._lock:
            changed, self._away = self._away != away, away
            self._rests_until = monotonic() + REST if away else 0.0
        if changed and away:
            log.error("the store of pictures is away: %s", why)
        elif changed:
            log.warning("the store of pictures is back")


_roads: dict[Place, Road] = {}
_making = threading.Lock()


def to(place: Place) -> Road:
    """The road there; made once, because a client takes a third of a second to make."""
    with _making:
        if place not in _roads:
            _roads[place] = Road(place)
        return _roads[place]


def _forked() -> None:
    """A child has neither its parent's threads nor a right to its connections."""
    global _making
    _making = threading.Lock()
    _roads.clear()


os.register_at_fork(after_in_child=_forked)


def _client(place: Place) -> tuple[Any, tuple[type[Exception], ...]]:
    """A client of S3, and what it raises.

    Checksums that newer stores alone understand are left out where they are not demanded, and
    the name of the bucket stands in the path where it may have no host of its own.
    """
    import boto3  # noqa: PLC0415 - 25 MB and a third of a second, where a bucket is set alone
    from botocore.client import Config  # noqa: PLC0415 - as above
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    session = boto3.Session(place.key or None, place.secret or None)
    config = Config(
        region_name=place.region or REGION,
        connect_timeout=CONNECT,
        read_timeout=SILENCE,
        retries={"total_max_attempts": TRIES, "mode": "standard"},
        max_pool_connections=LANES,
        tcp_keepalive=True,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        ignore_configured_endpoint_urls=True,
        s3={"addressing_style": "path" if place.endpoint else "auto"},
    )
    client = session.client("s3", endpoint_url=place.endpoint or None, config=config)
    return client, (OSError, BotoCoreError, ClientError)
