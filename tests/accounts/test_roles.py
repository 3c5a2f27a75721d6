"""Who may do what to whom."""

from itertools import count

import pytest

from portal.accounts import roles
from portal.accounts.models import Person
from portal.core.errors import NotAllowed
from portal.core.settings import Refused
from tests.policy.world import World

LADDER = ["user", "viewer", "support", "admin"]
NEEDED = {
    "people:read": "viewer",
    "numbers:read": "viewer",
    "deliveries:read": "viewer",
    "log:read": "viewer",
    "staff:read": "viewer",
    "log:export": "support",
    "people:recover": "support",
    "people:resend-proof": "support",
    "people:sign-out": "support",
    "people:clear-throttles": "support",
    "people:block": "support",
    "people:clear-factor": "admin",
    "staff:change": "admin",
}
numbers = count(1)


def somebody(role):
    return Person(id=next(numbers), role=role)


def may(actor, permission, over):
    try:
        roles.require(actor, permission, over=over)
    except NotAllowed:
        return False
    return True


@pytest.mark.parametrize("permission", NEEDED)
@pytest.mark.parametrize("mine", LADDER)
@pytest.mark.parametrize("theirs", LADDER)
def test_a_permission_wants_its_role_and_never_reaches_upwards(permission, mine, theirs):
    rank = LADDER.index
    wanted = rank(mine) >= rank(NEEDED[permission]) and rank(theirs) <= rank(mine)
    assert may(somebody(mine), permission, somebody(theirs)) is wanted


def test_every_permission_is_judged_here():
    assert {name: each.role for name, each in roles.MAY.items()} == NEEDED


@pytest.mark.parametrize("role", LADDER)
def test_nobody_acts_on_themselves(role):
    person = somebody(role)
    assert not any(may(person, permission, person) for permission in NEEDED)


def test_the_operator_may_do_everything():
    assert all(may(None, permission, somebody("admin")) for permission in NEEDED)


@pytest.mark.parametrize("role", ["customer", "", "Admin", "root"])
def test_a_role_that_is_none_of_ours_helps_nobody(role):
    assert roles.is_staff(somebody(role)) is False
    assert not may(somebody(role), "people:read", somebody("user"))


@pytest.mark.parametrize("role", LADDER[1:])
def test_nobody_can_sign_up_as_staff(make_app, role):
    with pytest.raises(Refused, match=f"SIGN_UP_ROLES: has {role}"):
        make_app(SIGN_UP_ROLES=f"user,{role}")


def test_who_signs_up_on_the_page_gets_the_first_role(make_app):
    world = World(make_app(SIGN_UP_ROLES="customer, supplier"))
    world.account()
    assert world.rows("SELECT role FROM person") == [("customer",)]
