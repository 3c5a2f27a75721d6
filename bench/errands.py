"""What is asked of a portal however many people it has, each time for another of them."""

from collections.abc import Callable
from dataclasses import dataclass
from secrets import SystemRandom
from urllib.parse import quote

from bench import lives
from bench.browser import Answer
from bench.grown import PASSWORD, Grown
from bench.townsfolk import BEGIN, SYLLABLES, address, phone, surname
from bench.ways import Expected

chance = SystemRandom()
CALM, SENT = "/healthz", "its message is sent"


@dataclass(frozen=True)
class Errand:
    """One kind of request for one person, and what comes back; `of`: for whom it can be made.

    `words` stand in the answer.  After one that `sends`, its message is waited for.
    """

    name: str
    ask: Callable[[Grown, int], Answer]
    status: int = 200
    place: str = ""
    words: Callable[[int], str] = lambda _number: ""
    of: Callable[[int], bool] = lambda _number: True
    sends: bool = False

    def run(self, grown: Grown, number: int) -> float:
        """-> milliseconds.  Raises RuntimeError for another answer than expected."""
        answer = self.ask(grown, number)
        wanted = Expected(self.status, self.place, self.words(number))
        right = (answer.status, answer.location) == (wanted.status, wanted.place)
        if not right or wanted.words not in answer.text:
            said = f"{answer.status} {answer.location}\n{answer.text[-1500:]}"
            raise RuntimeError(f"{self.name}, person {number}: wanted {wanted}, not {said}")
        return 1000 * answer.seconds

    def whom(self, people: int, count: int) -> list[int]:
        """People drawn for it, each once as far as there are enough."""
        able = [each for each in range(BEGIN, BEGIN + people) if self.of(each)]
        drawn = chance.sample(able, min(count, len(able)))
        return [drawn[each % len(drawn)] for each in range(count)]


def _search(words: str) -> str:
    return f"/admin/people?q={quote(words)}"


def _begin(number: int) -> str:
    """How the surnames of one in twenty begin: more than a page shows, however few there are."""
    return SYLLABLES[number % len(SYLLABLES)]


def _found(number: int) -> str:
    return f"/admin/people/{lives.uuid(number)}"


def _nobody(number: int) -> str:
    return f"nobody.{number}@example.org"


def _recover(name: str, whose: Callable[[int], str]) -> Errand:
    return Errand(
        f"POST /recover, {name}",
        lambda to, n: to.send("/recover", identifier=whose(n)),
        303,
        "/recover/code",
        sends=True,
    )


ERRANDS = (
    Errand(CALM, lambda to, _number: to.get(CALM)),
    Errand("profile page", lambda to, n: to.as_person("/profile", n), words=surname),
    Errand(
        "GET /api/v1/profile",
        lambda to, n: to.as_program("/api/v1/profile", n),
        words=address,
        of=lives.has_program,
    ),
    Errand(
        "desk: a name begins",
        lambda to, n: to.as_agent(_search(_begin(n))),
        words=lambda _number: "after=",
    ),
    Errand("desk: address", lambda to, n: to.as_agent(_search(address(n))), words=_found),
    Errand(
        "desk: phone",
        lambda to, n: to.as_agent(_search(str(phone(n)))),
        words=_found,
        of=lambda number: bool(phone(number)),
    ),
    Errand(
        "POST /sign-in",
        lambda to, n: to.send("/sign-in", email=address(n), password=PASSWORD),
        303,
        "/profile",
        of=lambda number: not lives.has_two_steps(number),
        sends=True,
    ),
    _recover("known", address),
    _recover("unknown", _nobody),
)
