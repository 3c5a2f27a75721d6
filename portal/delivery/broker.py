"""Celery, which Redis brings the news that something waits.  Sole owner of celery.

Dear to load, and loaded where REDIS_URL is set alone.
"""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from celery import Celery
from celery.app.amqp import AMQP
from celery.signals import worker_process_init
from kombu.connection import Connection

from portal.delivery.queue import PUBLISH, SWEEP, SWEEP_SECONDS

LONGEST_PAUSE = 2.0  # seconds between tries to reach a broker that is away
A_LINE_EACH = "celery.worker.strategy", "celery.app.trace", "celery.beat"  # loggers, per task
ANSWER_SECONDS = 2


def answer(url: str) -> str:
    """ "ok" when the broker answers.  Raises when it does not, within a few seconds."""
    patience = {"socket_connect_timeout": ANSWER_SECONDS, "socket_timeout": ANSWER_SECONDS}
    with application(url).connection_for_read(transport_options=patience) as line:
        line.ensure_connection(max_retries=1, interval_start=0)
        line.default_channel.client.ping()
    return "ok"


@cache
def application(url: str) -> Celery:
    """Celery on this Redis: no results, no arguments, nothing kept beside the outbox."""
    for name in A_LINE_EACH:
        logging.getLogger(name).setLevel(logging.WARNING)
    made = Celery("latchkey", broker=url, set_as_current=False, amqp=_Amqp)
    made.conf.update(
        task_ignore_result=True,
        task_default_queue="latchkey",
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"socket_connect_timeout": 2, "socket_keepalive": True},
        beat_scheduler="celery.beat:Scheduler",  # nothing to remember between two starts
        beat_schedule={
            SWEEP: {
                "task": SWEEP,
                "schedule": SWEEP_SECONDS,
                "options": {"expires": SWEEP_SECONDS, **PUBLISH},
            }
        },
    )
    return made


def in_each_process(begin: Callable[[], object]) -> None:
    """Runs `begin` in every process of a Celery worker's pool, once it is forked."""
    worker_process_init.connect(lambda **_: begin(), weak=False)


class _Persistent(Connection):
    """Celery would wait up to 30 s between two tries to reach its broker again."""

    def ensure_connection(self, *args: Any, **options: Any) -> Connection:
        pauses = {"interval_start": 0.5, "interval_max": LONGEST_PAUSE}
        return super().ensure_connection(*args, **pauses | options)  # type: ignore[no-untyped-call]


class _Amqp(AMQP):
    Connection = _Persistent
