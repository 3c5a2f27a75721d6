"""Whole recoveries: asked -> mail -> code -> new password -> signed in, as browsers would do it.

The peers' as well: django-allauth by code, Flask-Security by link, which is all that it offers.
"""

import re
import secrets
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count

from bench.browser import Browser
from bench.rivals import Rival
from bench.sink import Sink
from bench.ways import ALLAUTH_WAYS, CONFIRM, OUR_WAYS, Expected
from bench.works import check, person, signed_in

AT_ONCE = 8
WALKERS = range(900, 1000)  # whose passwords change; everybody else's stays
SIX_DIGITS = re.compile(r"(?<!\d)\d{6}(?!\d)")
ALLAUTH_CODE = re.compile(r"^[A-Z]{4}-[A-Z]{4}\s*$", re.M)
RESET_LINK = re.compile(r"http://[^/]+(/reset/\S+)")


@dataclass(frozen=True)
class Walks:
    """How many recoveries were finished a second, and seconds of each."""

    rate: float
    times: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.times)


def walk(rival: Rival, sink: Sink, turns: count, each: int) -> Walks:
    """Eight people at a time, each so often.  Raises RuntimeError when one does not get back in."""
    whose = [person(WALKERS[next(turns) % len(WALKERS)]) for _walk in range(AT_ONCE * each)]
    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        times = list(pool.map(lambda address: _one(rival, sink, address), whose))
    return Walks(len(times) / (time.perf_counter() - began), times)


def _one(rival: Rival, sink: Sink, address: str) -> float:
    began, since, browser = time.perf_counter(), sink.size(), Browser(rival.port)
    password = secrets.token_hex(16)
    browser.open(rival.ways.recover)
    asked = browser.send(rival.ways.recover, **{rival.ways.identifier: address})
    check(rival, asked, rival.ways.asked)
    _through(rival)(browser, rival, sink.wait_for(address, since), password)
    signed_in(rival, address, password)
    return time.perf_counter() - began


def _through(rival: Rival) -> Callable[[Browser, Rival, str, str], None]:
    if rival.ways is OUR_WAYS:
        return _our_code
    return _allauth_code if rival.ways is ALLAUTH_WAYS else _security_link


def _our_code(browser: Browser, rival: Rival, text: str, password: str) -> None:
    browser.open("/recover/code")
    confirmed = browser.send("/recover/code", code=SIX_DIGITS.search(text)[0])
    check(rival, confirmed, Expected(303, "/auth/password-reset"))
    browser.open("/auth/password-reset")
    both = {"password": password, "confirm_password": password}
    check(rival, browser.send("/auth/password-reset", **both), Expected(303, "/sign-in"))


def _allauth_code(browser: Browser, rival: Rival, text: str, password: str) -> None:
    browser.open(CONFIRM)
    confirmed = browser.send(CONFIRM, code=ALLAUTH_CODE.search(text)[0].strip())
    check(rival, confirmed, Expected(302, "/accounts/password/reset/complete/"))
    browser.open(confirmed.location)
    both = {"password1": password, "password2": password}
    done = browser.send(confirmed.location, **both)
    check(rival, done, Expected(302, "/accounts/password/reset/done/"))


def _security_link(browser: Browser, rival: Rival, text: str, password: str) -> None:
    link = RESET_LINK.search(text)[1]
    browser.open(link)
    both = {"password": password, "password_confirm": password}
    check(rival, browser.send(link, **both), Expected(302, "/login"))
