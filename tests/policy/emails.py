"""Every email that the portal writes to one person, and what causes it.

emails = every_email(World(make_app(SMS_URL="...")))
assert "10 wrong passwords" in emails["many_wrong_passwords"].text
"""

import re

from portal.accounts import people
from portal.accounts.models import Person
from portal.accounts.service import helping, standing
from portal.codes import terms
from portal.core.audit import OPERATOR, By
from portal.recovery.service import support
from tests.conftest import OTHER_PASSWORD, PASSWORD, Mail, ask, open_account, sign_in
from tests.policy.world import ANN, ELSEWHERE, World
from tests.rigs import authenticator

SUBJECTS = {
    "confirm_address": "Confirm your email address",
    "already_registered": "You already have a {} account",
    "recovery": "Get back into your {} account",
    "recovery_by_support": "{} support sent you a way back in",
    "password_changed": "Your {} password is changed",
    "new_device": "New sign-in to your {} account",
    "many_wrong_passwords": "Someone is trying to sign in to your {} account",
    "unlocked_by_support": "{} support unlocked your account",
    "signed_out_by_support": "{} support signed you out everywhere",
    "blocked_by_support": "{} support blocked your account",
    "phone_changed": "A phone number was added to your {} account",
    "email_change_old": "Your {} email address is being changed",
    "email_change_new": "Confirm your new {} email address",
    "refresh_reused": "A program was signed out of your {} account",
    "two_step_on": "Two-step sign-in is on",
    "two_step_off": "Two-step sign-in is off",
    "two_step_replaced": "Your authenticator app is replaced",
    "backup_codes_new": "New backup codes for your {} account",
    "backup_code_used": "A backup code of your {} account was used",
    "staff_invitation": "Join the {} helpdesk",
    "role_changed": "Your role at {} is changed",
    "step_up_code": "Confirm that it is you",
    "account_deleted": "Your {} account is deleted",
    "second_step_refused": "Someone knows the password of your {} account",
}
RUTH, WANTED = "ruth@example.org", "new.address@example.net"
NETWORK, TICKET = "192.0.2.0/24", "HD-20418"


def every_email(world: World, name: str = "Ann Miller", email: str = ANN) -> dict[str, Mail]:
    """All that is written to somebody who is called `name` in the end.  -> by recipe."""
    world.account(email)
    world.account(RUTH, "Ruth Lund")
    world.write("UPDATE person SET role = 'support' WHERE email = :ruth", ruth=RUTH)
    _at_home(world, name, email)
    _second_factor(world, email)
    _by_staff(world, email)
    world.post.deliver()
    _leaving(world, email)
    ask(world.visitor(), email)
    return _found(world, email)


def _at_home(world: World, name: str, email: str) -> None:
    _with_a_program(world, email)
    browser = world.inside(email)
    browser.get("/profile")
    assert browser.submit("/profile/name", full_name=name).status == 303
    for number in range(12):
        sign_in(world.visitor(), email, f"wrong {number}")
    world.command("users", "clear-throttles", email)
    open_account(world.visitor(address=ELSEWHERE), email)
    world.add_phone(browser)
    world.wish_for(browser, WANTED)
    assert world.change_password(browser, PASSWORD, OTHER_PASSWORD).status == 303


def _with_a_program(world: World, email: str) -> None:
    """Before the browser, whose mail is the newest of those about a new sign-in."""
    program = world.app.test_client()
    typed = {"email": email, "password": PASSWORD}
    key = program.post("/api/v1/auth/token", json=typed).json["refresh_token"]
    for status in 200, 401:
        again = program.post("/api/v1/auth/refresh", json={"refresh_token": key})
        assert again.status_code == status


def _by_staff(world: World, email: str) -> None:
    """Signed out, blocked, helped back in."""
    with world.context():
        person, ruth = _person(email), _person(RUTH)
        why = {"verified_by": "called back", "reason": "called back", "ticket": TICKET}
        by = By(ruth.id, NETWORK, "Chrome on Windows", desk=True, **why)
        helping.sign_out(person, ruth, by)
        standing.block(person, ruth, by)
        standing.unblock(person, None, OPERATOR)
        support.start_for(person, ruth, terms.desk("/recover/link/{token}"), by)


def _second_factor(world: World, email: str) -> None:
    """On, a backup code, too many wrong codes, another app, other backup codes, off."""
    browser = world.inside(email, OTHER_PASSWORD)
    factor = authenticator.set_up(browser)
    for address in "192.0.2.91", ELSEWHERE:
        other = world.visitor(address=address)
        sign_in(other, email, OTHER_PASSWORD)
        for _ in range(5 if address == ELSEWHERE else 0):
            other.get(authenticator.APP)
            other.submit(authenticator.APP, code=authenticator.code(factor.key, 9))
        authenticator.enter(other, factor, backup=True)
    for change in "replace", "new-codes", "off":
        authenticator.prove(browser, change, OTHER_PASSWORD, factor.backup())
        factor = authenticator.another(browser, factor)


def _leaving(world: World, email: str) -> None:
    """A code before a new password; invited, made staff and back; deleted in the end."""
    browser = world.inside(email, OTHER_PASSWORD)
    world.app.config["REQUIRE_CODE_FOR_PASSWORD_CHANGE"] = True
    browser.get("/security/password")
    assert browser.submit("/security/password/code").status == 303
    world.app.config["REQUIRE_CODE_FOR_PASSWORD_CHANGE"] = False
    world.command("staff", "invite", email, "--role", "viewer")
    world.post.deliver()
    for role in "viewer", "user":
        world.command("staff", "role", email, role)
    browser = world.inside(email, OTHER_PASSWORD)
    browser.get("/security/delete")
    assert browser.submit("/security/delete", password=OTHER_PASSWORD).location == "/sign-in"
    world.post.deliver()


def _person(email: str) -> Person:
    found = people.find(email)
    assert found is not None, email
    return found


def _found(world: World, email: str) -> dict[str, Mail]:
    portal = world.app.config["PORTAL_NAME"]
    mails = [mail for mail in world.post.deliver() if mail.to in (email, WANTED)]
    return {
        recipe: next(mail for mail in mails if _plain(mail.subject) == subject.format(portal))
        for recipe, subject in SUBJECTS.items()
    }


def _plain(subject: str) -> str:
    """Without the marks that keep the direction of a name to itself."""
    return re.sub("[\u200e\u200f\u2066-\u2069]", "", subject)
