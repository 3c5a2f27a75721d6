"""What people do on a portal in a day, as requests in fixed shares, and right answers to each."""

import re
from urllib.parse import quote

from bench import agents, town, townsfolk
from bench.browser import Browser
from bench.plans import Kind
from bench.rivals import NAME, OURS, PASSWORD, PEOPLE, Rival
from bench.site import Site
from bench.ways import OUR_WAYS, Expected
from bench.works import ENTER, JSON, KNOWN, PAGE, PROFILE, check, person, works
from bench.works import signed_in as entered
from bench.wrk import Request, Work
from portal import create_app
from portal.accounts import hashing
from portal.core.db import db
from tests.rigs import crowd

STATIC, EDIT, DESK = "static file", "profile edit", "desk search"
ASK_PAGE, CODE_PAGE, STATUS = "recover page", "code page", "recover status"
SHARES = {  # of a thousand
    PAGE: 150, PROFILE: 220, JSON: 200, STATIC: 180, ASK_PAGE: 50, KNOWN: 30, CODE_PAGE: 30,
    STATUS: 80, EDIT: 37, DESK: 20, ENTER: 3,
}  # fmt: skip
PAGES = PAGE, PROFILE  # what a client asks for beside floods and slow clients
FOUND = Expected(200, words='href="/admin/people/')  # somebody
FLOWS = range(300, 340)  # recoveries that are looked at
EDITORS = range(340, 380)  # who change their profile; fewer would wait for themselves
STYLE = re.compile(r'(?:href|src)="(/static/[^"]+)"')


def fill(site: Site, people: int) -> str:
    """Migrates; people with a password, a town of others for the desk.  -> an agent's cookie."""
    site.flask("db", "upgrade")
    app = create_app(site.environment | {"EMAIL_BACKEND": "mailbox"})
    with app.app_context():
        kept = hashing.make(PASSWORD)
    cookie = agents.signed_in(app)
    crowd.settle(app, PEOPLE - 100, kept)
    with app.app_context():
        town.fill(people, people)
        db.engine.dispose()
    return cookie


def kinds(site: Site, cookie: str) -> tuple[Kind, ...]:
    """Everything, with people signed in and recoveries under way."""
    rival = Rival(OURS, OUR_WAYS, site, "")
    every = works(rival) | _looked_at(rival, cookie)
    return tuple(Kind(name, share, every[name]) for name, share in SHARES.items())


def pages(every: tuple[Kind, ...]) -> tuple[Kind, ...]:
    """Those that a client asks for while others flood."""
    return tuple(each for each in every if each.name in PAGES)


def _looked_at(rival: Rival, cookie: str) -> dict[str, Work]:
    browser = Browser(rival.port)
    paths = sorted(set(STYLE.findall(browser.open("/sign-in").text)))
    asked = [_asked(rival, number).cookies() for number in FLOWS]
    return {
        STATIC: Work("GET", tuple(map(Request, paths)), Expected(200)),
        ASK_PAGE: _seen("/recover", [{}]),
        CODE_PAGE: _seen("/recover/code", asked),
        STATUS: Work("GET", _each("/recover/status", asked), Expected(200, words="seconds_left")),
        EDIT: _edits(rival),
        DESK: _searches(cookie),
    }


def _each(path: str, cookies: list[dict[str, str]]) -> tuple[Request, ...]:
    return tuple(Request(path, headers=each) for each in cookies)


def _seen(path: str, cookies: list[dict[str, str]]) -> Work:
    return Work("GET", _each(path, cookies), Expected(200, words="<form"))


def _asked(rival: Rival, number: int) -> Browser:
    """A browser that has asked for a way back."""
    browser = Browser(rival.port)
    browser.open("/recover")
    check(rival, browser.send("/recover", identifier=person(number)), rival.ways.asked)
    browser.close()
    return browser


def _edits(rival: Rival) -> Work:
    made = []
    for number in EDITORS:
        browser = entered(rival, person(number))
        browser.open("/profile")
        body = browser.body(bio=f"{NAME}, baker, number {number}.")
        made.append(Request("/profile/bio", body, browser.headers()))
        browser.close()
    return Work("POST", tuple(made), Expected(303, "/profile"))


def _searches(cookie: str) -> Work:
    words = [
        townsfolk.FIRST[n] if n % 2 else townsfolk.surname(townsfolk.BEGIN + n)
        for n in range(len(townsfolk.FIRST))
    ]
    paths = [f"/admin/people?q={quote(each)}" for each in words]
    return Work("GET", tuple(Request(p, headers={"Cookie": cookie}) for p in paths), FOUND)
