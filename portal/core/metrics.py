"""What is counted for whoever watches the portal.  Sole owner of prometheus_client.

In memory, or, where PROMETHEUS_MULTIPROC_DIR is set before the start, in files that processes of
one machine share.  No label says anything of a person: words of our own alone, few of each.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import BoundedSemaphore
from time import perf_counter
from typing import TYPE_CHECKING, Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger("latchkey")
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
MOST, OTHER = 1000, "other"  # series of one name: what comes beyond is counted as one
QUICK = 0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 1, 3, 10
SLOW = 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 15, 60
EXTENSION = "latchkey-metrics"
Look = Callable[[], Mapping[str, Mapping[tuple[str, ...], float]]]
OWN = CollectorRegistry()
disable_created_metrics()  # type: ignore[no-untyped-call]  # a line more for each number, which nobody reads


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(f"latchkey_{name}_total", meaning, labels, registry=OWN)


def _gauge(name: str, meaning: str, *labels: str) -> Gauge:
    name = f"latchkey_{name}"
    return Gauge(name, meaning, labels, registry=OWN, multiprocess_mode="livesum")


def _histogram(name: str, meaning: str, buckets: Iterable[float], *labels: str) -> Histogram:
    name = f"latchkey_{name}_seconds"
    return Histogram(name, meaning, labels, registry=OWN, buckets=tuple(buckets))


_REQUESTS = _histogram("request", "Time to answer.", QUICK, "route", "method", "status")
_UNDER_WAY = _gauge("requests_under_way", "Requests being answered.")
_DEFECTS = _counter("defects", "Requests that ended in what nobody foresaw.")
_DATABASE_AWAY = _counter("database_away", "Requests that found no database.")
_CONNECTIONS = _gauge("database_connections_in_use", "Connections taken from the pools.")
_EVENTS = _counter("events", "What happened, by the name of its event.", "event")
_PARTS = _counter("event_parts", "Of these, by what tells them apart.", "event", "part")
_REFUSED = _counter("throttled", "Times that a limit had no turn left.", "limit")
_WORK = _histogram("work", "Time that heavy work took, without its wait.", SLOW, "kind")
_WAITING = _gauge("work_waiting", "Those who wait for a turn to do it.", "kind")
_HAND_OVERS = _histogram("hand_over", "Time to hand a message over.", SLOW, "channel")
_DELIVERIES = _counter("deliveries", "Tries to send a message.", "channel", "outcome")
_children: dict[tuple[Any, ...], Any] = {}
_served: dict[tuple[str, str, int], Any] = {}

begun, ended = _UNDER_WAY.inc, _UNDER_WAY.dec
connected, disconnected = _CONNECTIONS.inc, _CONNECTIONS.dec
database_away, defect = _DATABASE_AWAY.inc, _DEFECTS.inc


class _Asked:
    """Numbers that are looked up when somebody asks, all by one look."""

    def __init__(self, names: Mapping[str, tuple[str, tuple[str, ...]]], look: Look) -> None:
        self._names, self._look = names, look

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """As `prometheus_client` wants it; nothing where the look fails."""
        try:
            found = self._look()
        except Exception as err:  # noqa: BLE001 - what cannot be had hides nothing else
            log.warning("%s cannot be told: %s", ", ".join(self._names), type(err).__name__)
            return
        for name, (meaning, labels) in self._names.items():
            family = GaugeMetricFamily(f"latchkey_{name}", meaning, labels=labels)
            for values, number in found.get(name, {}).items():
                family.add_metric(values, number)
            yield family

    def describe(self) -> list[GaugeMetricFamily]:
        """Without a look."""
        return []


def at_scrape(app: Flask, names: Mapping[str, tuple[str, tuple[str, ...]]], look: Look) -> None:
    """Numbers of `app` that `look` finds when somebody asks: name -> labels -> number.

    `names`: each name's meaning, and its labels.
    """
    app.extensions.setdefault(EXTENSION, []).append(_Asked(names, look))


def text(app: Flask) -> bytes:
    """All numbers, in Prometheus' text format."""
    looked_up = CollectorRegistry()
    for each in app.extensions.get(EXTENSION, []):
        looked_up.register(each)
    return generate_latest(_counted()) + generate_latest(looked_up)


def _counted() -> CollectorRegistry:
    """What all processes of this machine counted, where they share files; else this one alone."""
    shared = CollectorRegistry()
    try:
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    except ValueError:  # they share none
        return OWN
    return shared


def served(route: str, method: str, status: int, seconds: float) -> None:
    """A request was answered."""
    key = route, method, status // 100
    child = _served.get(key)
    if child is None:
        known = method if method in METHODS else OTHER
        child = _child(_REQUESTS, route, known, f"{status // 100}xx")
        if known == method:  # strangers make up methods, and none is remembered
            _served[key] = child
    child.observe(seconds)


def happened(event: str, parts: Iterable[str]) -> None:
    """An event was kept, and stays so."""
    _child(_EVENTS, event).inc()
    for part in parts:
        if all(each.isalpha() or each in " -" for each in part):  # words: no domain is one
            _child(_PARTS, event, part).inc()


def refused(limit: str) -> None:
    """A limit had no turn left.  Its name may end with a network, which is not told."""
    words = [word for word in limit.replace(",", "").split() if word.isalpha()]
    _child(_REFUSED, " ".join(words)).inc()


@contextmanager
def hand_over(channel: str) -> Iterator[None]:
    """Around one try to send a message: how long, and accepted or why not (an error's `why`)."""
    started, outcome = perf_counter(), "accepted"
    try:
        yield
    except Exception as err:
        outcome = getattr(err, "why", OTHER)
        raise
    finally:
        _child(_HAND_OVERS, channel).observe(perf_counter() - started)
        _child(_DELIVERIES, channel, outcome).inc()


@contextmanager
def work(kind: str, places: BoundedSemaphore) -> Iterator[None]:
    """Waits for one of these places, keeps it for the block, and tells how long either takes."""
    with _child(_WAITING, kind).track_inprogress():
        places.acquire()
    started = perf_counter()
    try:
        yield
    finally:
        places.release()
        _child(_WORK, kind).observe(perf_counter() - started)


def _child(metric: Any, *labels: str) -> Any:
    key = metric, *labels
    if key in _children:
        return _children[key]
    if sum(1 for each in list(_children) if each[0] is metric) >= MOST:
        return metric.labels(*[OTHER] * len(labels))
    return _children.setdefault(key, metric.labels(*labels))
