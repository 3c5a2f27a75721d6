"""What is measured by wrk: for each rival its requests and its right answers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import psycopg

from bench.browser import Answer, Browser
from bench.rivals import BARE, COUNTING, NAME, PASSWORD, TERMS, WRONG, Rival
from bench.ways import OUR_WAYS, Expected
from bench.wrk import Request, Work
from portal.core import crypto

VIEWERS = range(8)  # whose pages are looked at
CALLERS = range(8, 900)  # who sign in and ask for a way back
PAGE, ENTER, REFUSED = "sign-in page", "sign-in", "sign-in, wrong password"
AGAIN, DEVICE = "sign-in, known browser", "latchkey-device"
PROFILE, JSON = "profile page", "JSON of the person"
REMEMBER = """
    INSERT INTO known_device (digest, person_id, seen_at)
    SELECT %s, id, now() FROM person WHERE email = %s ON CONFLICT DO NOTHING"""
KNOWN, UNKNOWN, MISTYPED = "recover, known", "recover, unknown", "recover, mistyped"
MEASURES = PAGE, PROFILE, JSON, ENTER, AGAIN, REFUSED, KNOWN, UNKNOWN, MISTYPED
HASHING = ENTER, AGAIN, REFUSED
WRITING = ENTER, AGAIN, REFUSED, KNOWN, UNKNOWN  # what may leave work behind
SENDING = ENTER, KNOWN, UNKNOWN  # and messages


def works(rival: Rival) -> dict[str, Work]:
    """By name; signs people in where that is needed, and looks at it."""
    if rival.name == BARE:
        return {PAGE: _get("/words", NAME), JSON: _rows()}
    forms = _forms(rival)
    if rival.name == COUNTING or rival.name.endswith(TERMS):
        return forms
    pages = {PAGE: _get(rival.ways.sign_in, "<form"), PROFILE: _profile(rival)}
    return pages | {JSON: _json(rival)} | forms


def person(number: int) -> str:
    """The address of somebody who is there."""
    return f"person{number}@example.org"


def nobody(number: int) -> str:
    """The address of nobody, as long as another's."""
    return f"nobody{number}@example.org"


def signed_in(rival: Rival, address: str, password: str = PASSWORD) -> Browser:
    """A browser in which this person is signed in.  Raises RuntimeError when that failed."""
    browser = Browser(rival.port)
    browser.open(rival.ways.sign_in)
    answer = browser.send(rival.ways.sign_in, **{rival.ways.login: address, "password": password})
    check(rival, answer, rival.ways.entered)
    check(rival, browser.open("/profile"), Expected(200, words=NAME))
    return browser


def check(rival: Rival, answer: Answer, expected: Expected) -> None:
    """Raises RuntimeError when an answer is another one."""
    wanted = expected.status, expected.place
    if (answer.status, answer.location) != wanted or expected.words not in answer.text:
        said = f"{answer.status} {answer.location}\n{answer.text[-1500:]}"
        raise RuntimeError(f"{rival.name}: wanted {expected}, and was answered {said}")


def _get(path: str, words: str) -> Work:
    return Work("GET", (Request(path),), Expected(200, words=words))


def _rows() -> Work:
    every = tuple(Request(f"/person/{number}") for number in CALLERS)
    return Work("GET", every, Expected(200, words=NAME))


def _profile(rival: Rival) -> Work:
    browsers = [signed_in(rival, person(number)) for number in VIEWERS]
    every = tuple(Request("/profile", headers=each.cookies()) for each in browsers)
    return Work("GET", every, Expected(200, words=NAME))


def _json(rival: Rival) -> Work:
    of = _bearer if rival.ways is OUR_WAYS else _cookie
    every = tuple(Request(rival.ways.json, headers=of(rival, person(each))) for each in VIEWERS)
    return Work("GET", every, Expected(200, words=NAME))


def _cookie(rival: Rival, address: str) -> dict[str, str]:
    return signed_in(rival, address).cookies()


def _bearer(rival: Rival, address: str) -> dict[str, str]:
    wish = json.dumps({"email": address, "password": PASSWORD})
    headers = {"Content-Type": "application/json"}
    answer = Browser(rival.port).ask("POST", "/api/v1/auth/token", wish, headers)
    check(rival, answer, Expected(200, words="access_token"))
    return {"Authorization": f"Bearer {json.loads(answer.text)['access_token']}"}


def _forms(rival: Rival) -> dict[str, Work]:
    ways = rival.ways
    enter = _typed(ways.login, PASSWORD)
    mistake = _typed(ways.login, WRONG)
    known = [person(number) for number in CALLERS]
    ask = [{ways.identifier: address} for address in known]
    ask_nobody = [{ways.identifier: nobody(number)} for number in CALLERS]
    return {
        ENTER: _form(rival, ways.sign_in, map(enter, known), ways.entered),
        REFUSED: _form(rival, ways.sign_in, map(mistake, known), ways.wrong),
        KNOWN: _form(rival, ways.recover, ask, ways.asked),
        UNKNOWN: _form(rival, ways.recover, ask_nobody, ways.unknown),
    }


def ours_alone(rival: Rival) -> dict[str, Work]:
    """What is asked of ours alone.

    Sign-ins of which nobody is told, as the portal knows the browsers: peers tell of none.  And
    what is refused before anything is read or written: a form alone, and the page that answers it.
    """
    if rival.ways is not OUR_WAYS:
        return {}
    nothing = Expected(422, words="<form")
    mistyped = _form(rival, rival.ways.recover, [{rival.ways.identifier: "nobody"}], nothing)
    whole = _forms(rival)[ENTER]
    every = zip(whole.requests, map(_device, CALLERS), strict=True)
    kept = tuple(replace(each, headers=_with(each.headers, token)) for each, token in every)
    return {AGAIN: replace(whole, requests=kept), MISTYPED: mistyped}


def make_ready(rival: Rival, what: str) -> None:
    """The browsers of `again` have signed in before; what says so is good for one more time."""
    if what != AGAIN:
        return
    rows = [(crypto.digest(_device(number)), person(number)) for number in CALLERS]
    with psycopg.connect(rival.database) as connection:
        connection.cursor().executemany(REMEMBER, rows)


def _device(number: int) -> str:
    return f"the browser of person {number}".replace(" ", "-")


def _with(headers: Mapping[str, str], token: str) -> dict[str, str]:
    return {**headers, "Cookie": f"{headers['Cookie']}; {DEVICE}={token}"}


def _typed(login: str, password: str) -> Callable[[str], dict[str, str]]:
    return lambda address: {login: address, "password": password}


def _form(rival: Rival, path: str, fields, expected: Expected) -> Work:
    """The same form again and again, as fresh browsers send it that fetched the page before."""
    browser = Browser(rival.port)
    browser.open(path)
    headers = browser.headers()
    every = tuple(Request(path, browser.body(**each), headers) for each in fields)
    browser.close()
    return Work("POST", every, expected)
