"""A portal that sends through a real mail server, with Ann and Bob in it."""

import re
from collections.abc import Callable, Iterator
from time import monotonic, sleep

import pytest

from portal.delivery import hours, transports
from portal.delivery import service as delivery
from portal.delivery.outcomes import NotAccepted
from tests.conftest import ask
from tests.policy.world import ANN, World
from tests.rigs.smtp import SmtpServer
from tests.rigs.visitor import Visitor

BOB, NOBODY = "bob@example.org", "nobody@example.org"
LATER = "451 4.3.0 Try again later"
NOT_DONE = "SELECT recipe, tries, trouble FROM outbox WHERE done_at IS NULL ORDER BY id"
USABLE = """
    SELECT count(*) FROM otp
    WHERE purpose = 'password_reset' AND user_id > 0 AND consumed_at IS NULL
    UNION ALL SELECT count(*) FROM challenge
    WHERE purpose = 'password_reset' AND user_id > 0 AND link_hash IS NOT NULL
    AND closed_at IS NULL
"""


class Office:
    """The worker's side: what waits, what leaves, and the mail server that takes it."""

    def __init__(self, world: World, smtp: SmtpServer) -> None:
        self.world, self.smtp = world, smtp
        self._networks = iter(range(1, 250))

    def asked(self, *emails: str) -> list[Visitor]:
        """Browsers, each on a network of its own, that asked to get back in."""
        browsers = []
        for email in emails:
            browsers.append(self.world.visitor(address=f"198.51.{next(self._networks)}.1"))
            assert ask(browsers[-1], email).location == "/recover/code"
        return browsers

    def deliver(self) -> int:
        """Sends what may be sent now.  -> how many were tried."""
        with self.world.app.app_context():
            tried = delivery.deliver_due()
            transports.rest()
            return tried

    def waiting(self) -> list[tuple[object, ...]]:
        """(recipe, tries, trouble) of what is not done."""
        return self.world.rows(NOT_DONE)

    def codes(self) -> list[str]:
        """The codes that were accepted, oldest first."""
        found = (re.search(r"^(\d{6})\r?$", each.text, re.MULTILINE) for each in self.smtp.received)
        return [code[1] for code in found if code]

    def usable(self) -> int:
        """How many codes and links of recoveries could be used now."""
        (codes,), (links,) = self.world.rows(USABLE)
        return codes + links

    def until(self, what: Callable[[], bool], seconds: float = 10) -> None:
        """Returns when it has come true.  Raises AssertionError when it does not."""
        end = monotonic() + seconds
        while not what():
            assert monotonic() < end, f"Not within {seconds} s."
            sleep(0.01)


def state(browser: Visitor) -> str:
    """What the asking page is told."""
    return browser.get("/recover/status").json["state"]


@pytest.fixture
def office(make_app, smtp_server) -> Iterator[Office]:
    home = World(make_app())
    home.account(ANN)
    home.account(BOB, "Bob Hill")
    home.post.deliver()
    home.write("DELETE FROM throttle")
    hours._taken.clear()
    yield Office(World(make_app(**smtp_server.settings(), EMAIL_TIMEOUT_SECONDS="1")), smtp_server)
    hours._taken.clear()


@pytest.fixture
def through(make_app):
    """through(EMAIL_HOST="...") -> from now on, messages go this way."""
    contexts = []

    def use(**settings: str) -> None:
        contexts.append(make_app(**settings).app_context())
        contexts[-1].push()

    yield use
    transports.rest()
    while contexts:
        contexts.pop().pop()


def outcome(act: Callable[[], object]) -> tuple[str, str, set[str]]:
    """What came of it: why, the reply, and which of walked, fault, for_good it is."""
    with pytest.raises(NotAccepted) as caught:
        act()
    marks = {name for name in ("walked", "fault", "for_good") if getattr(caught.value, name)}
    return caught.value.why, caught.value.reply, marks
