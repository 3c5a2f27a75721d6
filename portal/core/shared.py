"""What processes share for a short while in Redis, where REDIS_URL is set.

Counts of crowds, which would make everybody wait for one row of a table, and what is dear to
compute.  Nothing here has to last, and nobody waits for a Redis that does not answer: whoever asks
is told that there is none, and goes by the database.
"""

import json
import logging
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

from portal.core import crypto
from portal.core.settings import setting

PATIENCE_SECONDS = 0.25  # for one answer
AWAY_SECONDS = 5  # it is not asked again for so long after it did not answer
PREFIX = "latchkey:"
TAKE = """
local wait = 0
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[2 * i - 1]) then
    wait = math.max(wait, redis.call('PTTL', key), 1)
  end
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, ARGV[2 * i]) end
end
return 0
"""
GIVE_BACK = """
for _, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') > 0 then redis.call('DECR', key) end
end
"""
log = logging.getLogger("latchkey")
Found = TypeVar("Found")
_asked_again: dict[str, float] = {}  # by URL: until then it counts as away


class Count(NamedTuple):
    """`times` in `seconds` under one key."""

    key: str
    times: int
    seconds: int


def take(counts: Sequence[Count]) -> float | None:
    """A turn of each, or of none.  -> 0, or the seconds to wait; None: Redis cannot say."""
    keys = [PREFIX + each.key for each in counts]
    numbers = [number for each in counts for number in (each.times, each.seconds * 1000)]
    wait: int | None = _ask(lambda client: client.eval(TAKE, len(keys), *keys, *numbers))
    return None if wait is None else wait / 1000


def give_back(counts: Sequence[Count]) -> bool:
    """The turns were not needed.  -> whether Redis took them back."""
    keys = [PREFIX + each.key for each in counts]
    return _ask(lambda client: client.eval(GIVE_BACK, len(keys), *keys) or True) is not None


def remembered(name: str, seconds: int, make: Callable[[], Found]) -> Found:
    """What `make` made at most so many seconds ago, in some process; it has to fit into JSON."""
    key = PREFIX + crypto.keyed(setting("SECRET_KEY"), "remembered", name)  # of this portal alone
    kept: bytes | None = _ask(lambda client: client.get(key))
    if kept is not None:
        found: Found = json.loads(kept)
        return found
    made = make()
    _ask(lambda client: client.set(key, json.dumps(made), ex=seconds))
    return made


def _ask(call: Callable[[Any], Any]) -> Any:
    """-> its answer; None where there is no Redis, or none that answers."""
    url = setting("REDIS_URL")
    if not url or _asked_again.get(url, 0) > time.monotonic():
        return None
    import redis  # noqa: PLC0415 - dear to load, and needed where REDIS_URL is set alone

    try:
        return call(_client(url))
    except (redis.RedisError, ValueError) as err:  # ValueError: an address that Celery alone knows
        _asked_again[url] = time.monotonic() + AWAY_SECONDS
        log.warning("Redis does not answer: %s", type(err).__name__)
        return None


@cache
def _client(url: str) -> Any:
    import redis  # noqa: PLC0415 - as above

    patience = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
    return redis.Redis.from_url(url, retry=None, **patience)
