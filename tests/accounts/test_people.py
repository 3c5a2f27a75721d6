"""One address, one key, one account."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.accounts import people
from portal.core.errors import Rejected
from tests.conftest import open_account
from tests.policy.world import World

SAME = [
    ("Ann@Example.org", "ann@example.org"),
    ("  ann@example.org\t", "ann@example.org"),
    ("ann@bücher.example", "ann@xn--bcher-kva.example"),
    ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
]
NO_ADDRESS = [
    "ann", "@example.org", "ann@", "ann@localhost", "ann@exa mple.org", "a@b@example.org",
    "änn@example.org", "ann@example.org\0", "ann@[127.0.0.1]", "Ann <ann@example.org>",
    "ann@example.org, bob@example.org", "ann@" + "a" * 250 + ".org",
    "аnn@example.org", "ann@exam\u200bple.org", "ann..b@example.org",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _context(app):
    with app.app_context():
        yield


@pytest.mark.parametrize("one, other", SAME)
def test_what_is_one_address_has_one_key(one, other):
    assert people.key(one) == people.key(other) == other


@pytest.mark.parametrize("typed", NO_ADDRESS)
def test_what_is_no_address_is_refused_and_matches_nobody(typed):
    with pytest.raises(Rejected) as refusal:
        people.address(typed)
    assert refusal.value.code == "format"
    assert people.key(typed).startswith("not an address ")
    assert people.find(typed) is None


def test_the_address_keeps_the_case_in_which_it_was_typed_for_its_owner():
    assert people.address(" Ann.Miller@Example.org") == "Ann.Miller@example.org"


@pytest.mark.parametrize("email, shown", [
    ("ann@example.org", "a…@example.org"), ("x@example.org", "x…@example.org"),
])  # fmt: skip
def test_a_stranger_sees_one_letter_of_an_address(email, shown):
    assert people.masked(email) == shown


def test_of_two_who_sign_up_at_once_there_is_one_account(make_app):
    world = World(make_app(SEND_COOLDOWN_SECONDS="0"))
    browsers = [world.visitor(address=f"192.0.{number}.1") for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        pages = list(threads.map(lambda each: open_account(each, "new@example.org"), browsers))
    assert [page.location for page in pages] == ["/sign-up/code"] * 4
    assert world.rows("SELECT count(*) FROM person") == [(1,)]
    open_flows = "SELECT count(*) FROM challenge WHERE closed_at IS NULL"
    assert world.rows(open_flows) == [(1,)]
