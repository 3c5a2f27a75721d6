"""An authenticator app: what its screen shows, and turning two-step sign-in on through the pages.

    factor = set_up(visitor)                   # a browser in which somebody is signed in
    sign_in(other, "ann@example.org")
    enter(other, factor)                       # by its code; or enter(other, factor, backup=True)

A code is good once: the rig types the one before when that is still good, else it goes on to the
next step of a stopped clock (`time`), or waits for it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyotp

from portal.core import clock
from tests.rigs.visitor import Page, Visitor

STEP, ON_ITS_WAY = 30, 8  # seconds: of a code, and at most between reading and judging it
HERE = "/security/two-step"
SET_UP, CODES = f"{HERE}/set-up", f"{HERE}/codes"
APP, BACKUP = "/sign-in/second-step", "/sign-in/backup"


def code(key: str, steps: int = 0) -> str:
    """What an app with this key shows now, or so many steps later."""
    return pyotp.TOTP(key.replace(" ", "")).generate_otp(_step() + steps)


@dataclass
class Factor:
    """The key in somebody's app, and the backup codes that were kept; `used`: its newest step."""

    key: str
    backups: list[str]
    used: int = -1
    spent: list[str] = field(default_factory=list)

    def code(self) -> str:
        """One that was not typed yet."""
        _wait_past(self.used)
        self.used = max(self.used + 1, _oldest_good())
        return code(self.key, self.used - _step())

    def backup(self) -> str:
        """One that was not typed yet."""
        self.spent.append(self.backups.pop(0))
        return self.spent[-1]


def set_up(browser: Visitor) -> Factor:
    """Turns it on in a browser that signed in lately, and keeps the codes.  -> what the app has."""
    page = browser.get(SET_UP)
    assert page.status == 200, f"{page.status} {page.location}: signed in lately?"
    factor = Factor("".join(page.find("#key")[0].split()), [])
    assert browser.submit(SET_UP, code=factor.code()).location == CODES
    factor.backups = browser.follow().find(".backup-codes code")
    browser.submit(CODES, kept="y")
    return factor


def prove(browser: Visitor, change: str, password: str, typed: str) -> Page:
    """Opens the page of a `change` (replace, new-codes, off) and shows password and code."""
    browser.get(f"{HERE}/{change}")
    return browser.submit(f"{HERE}/{change}", password=password, code=typed)


def another(browser: Visitor, factor: Factor) -> Factor:
    """Goes where such a change leads to.  -> what is good from then on."""
    page = browser.follow()
    if page.path == SET_UP:
        return set_up(browser)
    return Factor(factor.key, page.find(".backup-codes code"), factor.used)


def enter(browser: Visitor, factor: Factor, *, backup: bool = False) -> Page:
    """Takes the second step of a sign-in whose password was right."""
    path = BACKUP if backup else APP
    browser.get(path)
    return browser.submit(path, code=factor.backup() if backup else factor.code())


def _oldest_good() -> int:
    """The step before, unless it may be too old by the time that its code arrives."""
    soon_over = clock.now().timestamp() % STEP > STEP - ON_ITS_WAY and not _stopped()
    return _step() if soon_over else _step() - 1


def _step() -> int:
    return int(clock.now().timestamp()) // STEP


def _stopped() -> Any:
    """The clock that a test holds in its hands; None where time passes by itself."""
    held = getattr(clock.now, "__self__", None)
    return held if hasattr(held, "pass_") else None


def _wait_past(used: int) -> None:
    """Until a step that is newer than this one."""
    while _step() <= used:
        if stopped := _stopped():
            stopped.at += timedelta(seconds=STEP)
        else:
            time.sleep(0.2)
