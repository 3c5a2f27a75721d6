"""Who is staff: reading it, inviting, withdrawing, changing a role; and joining by the link."""

import re

import pytest

from portal.accounts import people, roles
from tests.conftest import OTHER_PASSWORD, PASSWORD, ask, open_account, sign_in
from tests.policy.world import World
from tests.rigs.visitor import Visitor

STAFF = "/admin/staff"
KIM = "kim@example.org"
GONE = "This link no longer works"


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def admin(agent):
    browser = agent("admin")
    browser.get(STAFF)
    return browser


def link_of(post, email=KIM):
    """The path of the newest invitation to this address."""
    found = re.search(r"^\S+(/sign-up/invitation/\S+)$", post.newest(email).text, flags=re.M)
    assert found
    return found[1]


def uuid_of(app, email):
    with app.app_context():
        return people.find(email).uuid


def role_of(app, email):
    with app.app_context():
        return people.find(email).role


def invite(admin, email=KIM, role="support"):
    admin.get(STAFF)
    return admin.submit(STAFF, email=email, role=role)


def press(app, path):
    """Opens the invitation in a browser of its own and presses its button.  -> the browser."""
    browser = Visitor(app, address="203.0.113.77")
    browser.get(path)
    browser.submit(path)
    return browser


def choose(browser, password=OTHER_PASSWORD):
    browser.follow()
    return browser.submit("/auth/password-reset", password=password, confirm_password=password)


def test_an_invitation_leads_a_new_person_to_a_password_and_two_step_sign_in(app, admin, post):
    page = invite(admin)
    assert (page.status, page.location) == (303, STAFF)
    assert admin.follow().banner == f"{KIM} is invited. The email is on its way."
    path = link_of(post)
    browser = Visitor(app)
    opened = browser.get(path)
    assert opened.h1 == "Join the Latchkey helpdesk"
    assert "Ruth Admin invites k…@example.org to join the helpdesk as support." in opened.text
    assert browser.submit(path).location == "/auth/password-reset"
    assert choose(browser).location == "/sign-in"
    assert sign_in(browser, KIM, OTHER_PASSWORD).status == 303
    assert browser.get(STAFF).location == "/security/two-step/set-up"
    assert role_of(app, KIM) == "support"


def test_the_message_says_who_invites_to_what(admin, post):
    invite(admin, role="viewer")
    mail = post.newest(KIM)
    assert mail.subject == "Join the Latchkey helpdesk"
    assert "Ruth Admin invites you to join the Latchkey helpdesk as viewer." in mail.text
    assert "works once, for 24 hours" in mail.text
    assert "Ruth Admin invites you" in mail.html
    assert not mail.has_code


def test_opening_the_invitation_changes_nothing(app, admin, post):
    invite(admin)
    path = link_of(post)
    for _again in range(3):
        assert Visitor(app).get(path).status == 200
    assert role_of(app, KIM) == "user"
    assert press(app, path).page.status == 303


def test_a_person_with_an_account_signs_in_with_the_own_password(app, admin, ann, post, inside):
    invite(admin, ann.email)
    mail = post.newest(ann.email)
    assert mail.text.count("Hello Ann Miller.") == 1
    browser = press(app, link_of(post, ann.email))
    assert browser.page.location == "/sign-in?next=/admin"
    assert browser.follow().banner == "You are support now. Sign in to begin."
    assert inside.get("/profile").location == "/sign-in"  # every sign-in of before is over
    assert sign_in(browser, ann.email, PASSWORD).status == 303
    assert role_of(app, ann.email) == "support"


def test_what_a_stranger_did_with_the_address_opens_nothing(app, admin, post):
    stranger = Visitor(app, address="203.0.113.9")
    open_account(stranger, KIM, "Somebody Else")
    stranger.follow()
    invite(admin)
    browser = press(app, link_of(post))
    assert browser.page.location == "/auth/password-reset"
    code = post.with_code(KIM).code
    refused = stranger.submit("/sign-up/code", code=code)
    assert refused.status == 422
    assert sign_in(stranger, KIM, PASSWORD).status == 422
    assert choose(browser).location == "/sign-in"
    assert sign_in(browser, KIM, OTHER_PASSWORD).status == 303
    admin.get(STAFF)
    assert "Somebody Else" not in admin.page.text


def test_the_account_cannot_be_used_before_the_invitation_is_accepted(app, admin, world):
    invite(admin)
    assert sign_in(Visitor(app), KIM, "").status == 422
    (hashed,) = world.rows("SELECT password_hash FROM person WHERE email = :kim", kim=KIM)[0]
    assert sign_in(Visitor(app), KIM, hashed).status == 422


@pytest.mark.parametrize("last", ["the button", "the page"])
def test_a_used_link_says_so(app, admin, post, last):
    invite(admin)
    path = link_of(post)
    second = Visitor(app)
    second.get(path)
    press(app, path)
    page = second.submit(path) if last == "the button" else second.get(path)
    assert (page.status, page.h1) == (410, GONE)
    assert "This invitation was accepted. Sign in to go on, or choose a new" in page.text
    assert page.links["Sign in"] == "/sign-in"


def test_who_joined_and_closed_the_page_still_comes_to_a_password(app, admin, post, time):
    invite(admin)
    path = link_of(post)
    press(app, path)
    time.pass_(minutes=11)
    browser = Visitor(app, address="203.0.113.78")
    ways = browser.get(path).links
    assert ways["Choose a new password"] == "/recover"
    assert ask(browser, KIM).location == "/recover/code"
    browser.follow()
    assert browser.submit("/recover/code", code=post.newest(KIM).code).status == 303
    assert choose(browser).location == "/sign-in"
    assert sign_in(browser, KIM, OTHER_PASSWORD).status == 303
    assert browser.get(STAFF).location == "/security/two-step/set-up"


def test_a_link_that_was_not_accepted_offers_no_new_password(app, admin, post):
    invite(admin)
    older = link_of(post)
    invite(admin)
    assert "Choose a new password" not in Visitor(app).get(older).links


def test_a_withdrawn_link_says_so(app, admin, post):
    invite(admin)
    path = link_of(post)
    admin.get(STAFF)
    (action,) = [each for each in admin.page.forms if each.endswith("/withdraw")]
    assert admin.submit(action).location == STAFF
    assert admin.follow().banner == f"The invitation of {KIM} is withdrawn."
    assert "Withdraw" not in admin.page.find("caption + *")
    assert "This invitation was withdrawn." in Visitor(app).get(path).text
    assert role_of(app, KIM) == "user"


def test_withdrawing_twice_changes_nothing(app, admin, post):
    invite(admin)
    admin.get(STAFF)
    (action,) = [each for each in admin.page.forms if each.endswith("/withdraw")]
    token = admin.page.form(action).fields
    admin.submit(action)
    again = admin.post(action, token)
    assert again.status == 422
    assert again.summary == ["This invitation is not open any more."]


def test_a_run_out_link_says_so(app, admin, post, time):
    invite(admin)
    path = link_of(post)
    time.pass_(hours=24, seconds=1)
    assert "This invitation has run out." in Visitor(app).get(path).text
    assert KIM not in admin.get(STAFF).text


def test_a_newer_invitation_takes_the_place_of_the_older(app, admin, post):
    invite(admin)
    older = link_of(post)
    invite(admin, role="admin")
    newer = link_of(post)
    assert "A newer invitation was sent." in Visitor(app).get(older).text
    press(app, newer)
    assert role_of(app, KIM) == "admin"


def test_an_invitation_dies_with_the_rights_of_who_sent_it(app, admin, post, world):
    invite(admin, role="admin")
    path = link_of(post)
    open_page = Visitor(app)
    open_page.get(path)
    world.command("staff", "role", "admin@example.org", "support")
    page = open_page.submit(path)
    assert page.status == 410
    assert "Whoever invited you can no longer do so." in page.text
    assert role_of(app, KIM) == "user"


def test_another_role_ends_an_open_invitation(app, admin, ann, post, world):
    invite(admin, ann.email, "admin")
    path = link_of(post, ann.email)
    world.command("staff", "role", ann.email, "viewer")
    assert Visitor(app).get(path).status == 410
    assert role_of(app, ann.email) == "viewer"


def test_a_blocked_person_joins_nothing(app, admin, ann, post, world):
    invite(admin, ann.email)
    path = link_of(post, ann.email)
    world.command("users", "block", ann.email)
    assert Visitor(app).get(path).status == 410
    refused = invite(admin, ann.email)
    words = "This account is blocked, deleted or on hold. That has to end first."
    assert refused.errors["email"] == words


def test_who_is_staff_already_is_not_invited(admin, agent):
    agent("viewer")
    refused = invite(admin, "viewer@example.org", "admin")
    assert refused.status == 422
    words = "This person is staff already. Change the role instead."
    assert refused.errors["email"] == words
    assert refused.form(STAFF).fields["email"] == "viewer@example.org"


def test_many_invitations_wait(admin):
    for number in range(20):
        assert invite(admin, f"new{number}@example.org").status == 303
    page = invite(admin, "one.more@example.org")
    assert page.status == 429
    assert page.summary == ["Many invitations were sent. Wait 1 hour."]


def test_one_mailbox_is_not_filled(admin):
    for _time in range(5):
        assert invite(admin).status == 303
    assert invite(admin).status == 429


@pytest.mark.parametrize("role", ["viewer", "support"])
def test_others_read_who_is_staff_and_change_nothing(agent, role, admin):
    browser = agent(role)
    page = browser.get(STAFF)
    assert page.h1 == "Staff"
    assert "admin@example.org" in page.text
    assert "Turn off somebody's two-step sign-in" in page.text
    assert [form for form in page.forms if form.startswith(STAFF)] == []
    assert not [link for link in page.links.values() if link.endswith("/role")]


def test_the_table_of_rights_is_the_one_that_is_checked(admin):
    rows = set(admin.page.find("table:last-of-type tbody tr"))
    from_role = {"viewer": "YesYesYes", "support": "NoYesYes", "admin": "NoNoYes"}
    assert rows == {f"{each.words}{from_role[each.role]}" for each in roles.MAY.values()}


def test_an_admin_gives_a_colleague_another_role(app, admin, agent, post):
    colleague = agent("viewer")
    path = f"{STAFF}/{uuid_of(app, 'viewer@example.org')}/role"
    assert admin.get(path).h1 == "Change the role of Ruth Viewer"
    page = admin.submit(path, role="support", reason="Ends  training", ticket="HD-7")
    assert (page.status, page.location) == (303, STAFF)
    assert role_of(app, "viewer@example.org") == "support"
    assert colleague.get(STAFF).location.startswith("/sign-in")
    mail = post.newest("viewer@example.org")
    assert mail.subject == "Your role at Latchkey is changed"
    gave = "Ruth Admin gave the account viewer@example.org the role of support on "
    assert gave in mail.text
    assert "Before, it had the role of viewer. Reason: Ends training. Ticket HD-7." in mail.text


def test_who_leaves_is_no_staff_any_more(app, admin, agent, post):
    agent("support")
    path = f"{STAFF}/{uuid_of(app, 'support@example.org')}/role"
    admin.get(path)
    assert admin.submit(path, role="user", reason="Moves on").location == STAFF
    assert "support@example.org" not in admin.follow().text
    assert role_of(app, "support@example.org") == "user"
    assert "took the account support@example.org out of the helpdesk" in post.newest().text


@pytest.mark.parametrize(
    "typed, field, words",
    [
        ({"reason": ""}, "reason", "Say why, in a few words"),
        ({"reason": "x" * 201}, "reason", "Shorten this to 200 characters. It has 201."),
        ({"ticket": "x" * 51}, "ticket", "Shorten this to 50 characters. It has 51."),
        ({"reason": "a\x00b"}, "reason", "Take out the characters that cannot be seen."),
        ({"role": "viewer"}, "role", "This is the role already."),
    ],
)
def test_a_change_that_says_too_little_or_nothing_new(app, admin, agent, typed, field, words):
    agent("viewer")
    path = f"{STAFF}/{uuid_of(app, 'viewer@example.org')}/role"
    admin.get(path)
    page = admin.submit(path, **{"role": "support", "reason": "Because"} | typed)
    assert (page.status, page.errors[field]) == (422, words)
    assert role_of(app, "viewer@example.org") == "viewer"


def test_what_happened_is_on_record(app, admin, post, world):
    invite(admin)
    press(app, link_of(post))
    found = world.rows("SELECT kind, detail, desk FROM event WHERE kind LIKE 'staff:%' ORDER BY id")
    assert found == [("staff:invited", "support", 1), ("staff:joined", "user to support", 0)]


def test_the_operator_invites_the_first_admin(app, world, post):
    said = world.command("staff", "invite", KIM, "--role", "admin")
    assert said.exit_code == 0, said.output
    assert said.output == (
        f"The message to {KIM} is on its way. Whoever reads it there can join.\n"
    )
    assert "The operator of Latchkey invites you" in post.newest(KIM).text
    path = link_of(post)
    assert "The operator of Latchkey invites" in Visitor(app).get(path).text
    press(app, path)
    assert role_of(app, KIM) == "admin"


@pytest.mark.parametrize(
    "words, said",
    [
        ((KIM, "--role", "user"), "Invalid value for '--role'"),
        (("nobody", "--role", "admin"), "Enter an email address in the correct format"),
    ],
)
def test_the_operator_is_told_what_is_wrong(world, words, said):
    result = world.command("staff", "invite", *words)
    assert result.exit_code != 0
    assert said in result.output
    assert "Traceback" not in result.output


def test_nobody_accepts_and_the_account_goes(admin, world, time):
    invite(admin)
    time.pass_(days=33)
    assert world.command("purge").exit_code == 0
    assert world.rows("SELECT id FROM invitation") == []
    assert world.rows("SELECT id FROM person WHERE email = :kim", kim=KIM) == []


def test_an_admin_types_the_password_again_after_a_while(admin, time):
    time.pass_(minutes=11)
    page = invite(admin)
    assert page.location == f"/security/confirm?next={STAFF}"
