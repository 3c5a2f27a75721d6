"""What people type and are sent is nowhere in the log; its lines name routes, never paths."""

import re
import sqlite3
from urllib.parse import quote, quote_plus

import pytest

from tests.journeys import steps
from tests.journeys.steps import Mouse
from tests.rigs.server import Server

pytestmark = pytest.mark.journey

EMAIL, NAME = "canary.bird@example.org", "Ophelia Quartermaine"
PASSWORD, NEXT_PASSWORD = "yellow feather tuesday", "hollow branch friday"
WRONG_PASSWORD, WRONG_CODE = "broken eggshell monday", "000000"
ACCESS = re.compile(r"(?:GET|POST|HEAD) (\S+) \d{3} \d+ ms [0-9a-f]{16}$")
ROUTE = re.compile(r"-|/|(/([a-z._-]+|<[a-z]+:[a-z_]+>))+(\.json)?")
SECRET_ROUTES = {"/recover/link/<string:token>", "/sign-up/link/<string:token>"}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("trace")) as server:
        yield server


def test_a_story_leaves_no_secret_in_the_log(chromium_browser, served):
    with chromium_browser.open(served.url) as tab:
        bird = Mouse(tab)
        secrets = [*_opens_an_account(bird, served), *_makes_mistakes(bird)]
        secrets += _gets_back_in(bird, served)
        _meets_a_defect(bird, served)
    log = served.log()
    assert "defect" in log
    typed = [EMAIL, NAME, PASSWORD, NEXT_PASSWORD, WRONG_PASSWORD, WRONG_CODE]
    spelled = [form for text in typed for form in (text, quote(text), quote_plus(text))]
    assert [secret for secret in [*spelled, *secrets] if secret in log] == []
    _names_routes_only(log)


def _opens_an_account(bird, served):
    steps.sign_up(bird, NAME, EMAIL, PASSWORD)
    letter = served.wait_for_mail(EMAIL)
    (link,) = letter.links
    bird.tab.goto(link)
    bird.send("Confirm this address")
    bird.sees("Your profile")
    bird.send("Sign out")
    return [letter.code, _token(link)]


def _makes_mistakes(bird):
    """Wrong passwords and codes, addresses in places where none belongs, links that are dead."""
    steps.sign_in(bird, EMAIL, WRONG_PASSWORD)
    bird.sees("Sign in")
    bird.tab.goto(f"/recover?email={EMAIL}")
    bird.tab.goto(f"/sign-in?next=/security?of={EMAIL}")
    bird.tab.goto(f"/no-such-page/{EMAIL}")
    bird.tab.goto("/recover/link/of-a-canary")
    return ["of-a-canary"]


def _gets_back_in(bird, served):
    steps.ask_to_get_back_in(bird, EMAIL)
    letter = served.wait_for_mail(EMAIL, 2)
    steps.type_code(bird, WRONG_CODE)
    (link,) = letter.links
    bird.tab.goto(link)
    bird.send("I am on another device, show me a code")
    shown = bird.page.locator(".shown-code").inner_text()
    bird.send("Continue on this device")
    steps.choose_password(bird, NEXT_PASSWORD)
    bird.sees("Sign in")
    steps.sign_in(bird, EMAIL, NEXT_PASSWORD)
    bird.sees("Your profile")
    return [letter.code, shown, _token(link)]


def _meets_a_defect(bird, served):
    """A row is broken: the trace tells where it happened, not what was on its way there."""
    with sqlite3.connect(served.folder / "portal.db", timeout=30) as database:
        database.execute(
            "INSERT OR REPLACE INTO profile"
            " (person_id, job_title, organisation, city, country, bio, links)"
            " SELECT id, '', '', '', '', '', '{' FROM person"
        )
    database.close()
    bird.fill("Full name", f"{NAME} the Second")
    bird.send("Save name")
    bird.sees("Something went wrong here")


def _token(link):
    return link.rpartition("/")[2]


def _names_routes_only(log):
    routes = {found[1] for line in log.splitlines() if (found := ACCESS.search(line))}
    assert routes >= {"/sign-in", "/recover/code", "-"} | SECRET_ROUTES
    assert [route for route in routes if not ROUTE.fullmatch(route)] == []
