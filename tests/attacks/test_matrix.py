"""Every path, every method, whoever asks: who gets in where, over the whole map of URLs."""

from uuid import uuid4

import pytest

from portal.accounts import people
from portal.accounts.service import staffing
from portal.api import routes
from portal.api.bearer import Reach
from portal.core import shapes
from portal.core.audit import OPERATOR
from tests.architecture.test_shape import LOCAL, PUBLIC
from tests.conftest import sign_in
from tests.rigs import authenticator
from tests.rigs.visitor import Visitor

ROLES = ["nobody", "person", "half", "viewer", "support", "admin"]
NOT_IN = {"nobody", "half"}
# The lowest role that a path of the helpdesk lets in; whoever adds one adds it here, on purpose.
DESK = {
    ("desk_numbers.numbers", "GET"): "viewer",
    ("desk_people.people", "GET"): "viewer",
    ("desk_people.person", "GET"): "viewer",
    ("desk_log.log", "GET"): "viewer",
    ("desk_log.log_csv", "GET"): "support",
    ("desk_deliveries.deliveries", "GET"): "viewer",
    ("desk_team.show", "GET"): "viewer",
    ("desk_team.role", "GET"): "admin",
    ("desk_team.role", "POST"): "admin",
    ("desk_team.invite", "POST"): "admin",
    ("desk_team.withdraw", "POST"): "admin",
    ("desk_acts.recovery", "POST"): "support",
    ("desk_acts.resend_proof", "POST"): "support",
    ("desk_acts.sign_out", "POST"): "support",
    ("desk_acts.clear_throttles", "POST"): "support",
    ("desk_acts.block", "POST"): "support",
    ("desk_acts.unblock", "POST"): "support",
    ("desk_acts.clear_factor", "POST"): "admin",
}
# They end the sign-in that the others are asked by, and have tests of their own.
ENDING = {"accounts.sign_out"}


def pages(app):
    """-> (endpoint, method, rule) of everything that is no door for programs."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in shapes.doors(app) or rule.endpoint == "static":
            continue
        for method in sorted(rule.methods & {"GET", "POST"}):
            yield rule.endpoint, method, rule


@pytest.fixture
def somebody(app, sign_up):
    """Whom it is done to: the least of the staff, so that they are on every page."""
    account = sign_up("target@example.org", "Tara Target")
    with app.app_context():
        person = people.find(account.email)
        staffing.change_role(person, "viewer", None, OPERATOR)
        return person.uuid


@pytest.fixture
def browser(app, agent, sign_up, role):
    """A browser of somebody of this role."""
    if role in DESK.values():
        return agent(role)
    made = Visitor(app)
    if role != "nobody":
        account = sign_up("person@example.org", "Paul Person")
        sign_in(made, account.email)
    if role == "half":
        authenticator.set_up(made)
        made = Visitor(app)
        assert sign_in(made, account.email).location == "/sign-in/second-step"
    return made


def token(browser):
    page = browser.get("/profile")
    page = browser.get("/sign-in") if page.status != 200 else page
    return page.form(page.forms[0]).fields["csrf_token"]


def path(rule, uuid):
    values = {"uuid": uuid, "sid": uuid4(), "token": "x" * 43, "name": "x", "size": 96}
    given = {name: values.get(name, 1) for name in rule.arguments}
    return rule.build(given, append_unknown=False)[1]


def ask(browser, method, where):
    if method == "GET":
        return browser.get(where)
    return browser.post(where, {"csrf_token": token(browser)})


def leads_to_sign_in(page):
    return page.status == 303 and page.location.partition("?")[0] == "/sign-in"


def judged(page):
    """What came of it, in one word."""
    if leads_to_sign_in(page):
        return "sign in first"
    return {404: "not there", 403: "no right"}.get(page.status, "in")


def wanted(endpoint, method, role):
    if role in NOT_IN:
        return "sign in first"
    least = DESK.get((endpoint, method), "person")
    if role == "person" and least != "person":
        return "not there"
    return "in" if ROLES.index(role) >= ROLES.index(least) else "no right"


@pytest.mark.parametrize("role", ROLES)
def test_authz_03_who_gets_in_where_over_the_whole_map(app, browser, somebody, role):
    odd = []
    for endpoint, method, rule in pages(app):
        if endpoint in ENDING | PUBLIC | LOCAL:
            continue
        expected = wanted(endpoint, method, role)
        page = ask(browser, method, path(rule, somebody))
        assert page.status < 500, (endpoint, method)
        # Another's sign-in, or an invitation that is not there: these know the person, not the row.
        missing = expected == "in" and page.status == 404 and {"sid", "invitation"} & rule.arguments
        if judged(page) != expected and not missing:
            odd.append((endpoint, method, page.status, page.location, expected))
    assert odd == []


@pytest.mark.parametrize("role", ["nobody", "half", "admin"])
def test_public_pages_answer_everybody(app, browser, somebody, role):
    for endpoint, method, rule in pages(app):
        if endpoint in PUBLIC - ENDING and method == "GET":
            assert ask(browser, method, path(rule, somebody)).status < 500, endpoint


def test_every_path_of_the_desk_has_its_lowest_role(app):
    there = {(end, method) for end, method, rule in pages(app) if rule.rule.startswith("/admin")}
    assert there == set(DESK)


@pytest.mark.parametrize("role", ["half", "admin"])
def test_2fa_01_no_cookie_opens_a_door_for_programs(app, browser, somebody, role):
    families = [routes.V1, *routes.DIALECTS.values()]
    asked = 0
    for family in families:
        closed = {n: o for n, o in family.operations.items() if o.reach is not Reach.EVERYBODY}
        for rule in app.url_map.iter_rules():
            blueprint, _dot, name = rule.endpoint.partition(".")
            if not blueprint.startswith(family.blueprint.name) or name not in closed:
                continue
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                answer = browser.client.open(path(rule, somebody), method=method, json={})
                assert answer.status_code == 401, (rule, method)
                asked += 1
    assert asked > 25
