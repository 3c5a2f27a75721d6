"""Turning two-step sign-in on, replacing the app, new backup codes, turning it off."""

import re
from contextlib import nullcontext

import pyotp
import pytest
import segno

from portal.accounts import people
from portal.core.audit import By
from portal.core.errors import Forbidden, NotAllowed
from portal.security.service import clearing
from tests.conftest import OTHER_PASSWORD, PASSWORD, sign_in
from tests.policy.world import World
from tests.rigs import authenticator
from tests.rigs.authenticator import APP, BACKUP, CODES, HERE, SET_UP, enter
from tests.rigs.visitor import Visitor

REPLACE, NEW_CODES, OFF = f"{HERE}/replace", f"{HERE}/new-codes", f"{HERE}/off"
FILE, CONFIRM = f"{CODES}.txt", "/security/confirm"
WITH_PROOF = [REPLACE, NEW_CODES, OFF]
ON = "Two-step sign-in is on."


@pytest.fixture
def world(app, time):
    return World(app)


@pytest.fixture
def factor(inside, time):
    return authenticator.set_up(inside)


def key_on(page):
    return "".join(page.find("#key")[0].split())


def proven(browser, path, code, password=PASSWORD):
    browser.get(path)
    return browser.submit(path, password=password, code=code)


def second(app, email):
    """Another browser, in which the password was right."""
    browser = Visitor(app)
    assert sign_in(browser, email).location == APP
    return browser


def newest_kind(world):
    return world.rows("SELECT kind FROM event ORDER BY id DESC LIMIT 1")[0][0]


# ------------------------------------------------------------------ setting it up


def test_it_is_off_at_first_and_the_page_says_what_it_is(inside):
    page = inside.get(HERE)
    assert (page.h1, page.find("#part-state")) == ("Two-step sign-in", ["It is off"])
    assert page.links["Turn on"] == SET_UP


def test_setting_up_shows_the_key_as_picture_and_in_groups_of_four(inside, ann):
    page = inside.get(SET_UP)
    assert re.fullmatch("([A-Z2-7]{4} ){7}[A-Z2-7]{4}", page.find("#key")[0])
    (picture,) = page.tree.css("svg.qr")
    assert picture.attributes["role"] == "img"
    assert [path.attributes["fill"] for path in picture.css("path")] == ["#fff", "#000"]


def test_the_key_stays_through_reloads_and_wrong_codes(inside, time):
    key = key_on(inside.get(SET_UP))
    page = inside.submit(SET_UP, code="000000")
    assert (page.status, key_on(page)) == (422, key)
    assert page.errors == {"code": "That code is not right. Type the one that your app shows now."}
    assert key_on(inside.get(SET_UP)) == key
    for _ in range(9):
        assert inside.submit(SET_UP, code="000000").status == 422
    assert inside.submit(SET_UP, code=authenticator.code(key)).location == CODES


def test_turning_it_on_shows_ten_codes_once(inside, time, world):
    key = key_on(inside.get(SET_UP))
    assert inside.submit(SET_UP, code=authenticator.code(key)).location == CODES
    page = inside.follow()
    assert (page.h1, page.banner) == ("Your backup codes", ON)
    codes = page.find(".backup-codes code")
    assert len(set(codes)) == 10
    assert all(re.fullmatch("[a-hjkmnp-z2-9]{5}-[a-hjkmnp-z2-9]{5}", code) for code in codes)
    assert inside.get(CODES).find(".backup-codes code") == codes
    assert inside.submit(CODES).errors == {"kept": "Tick this once you have kept the codes"}
    assert inside.submit(CODES, kept="y").location == HERE
    assert inside.get(CODES).location == HERE
    assert inside.get(FILE).location == HERE
    assert "10 are left." in inside.get(HERE).text


def test_the_codes_are_gone_after_ten_minutes(inside, time):
    key = key_on(inside.get(SET_UP))
    inside.submit(SET_UP, code=authenticator.code(key))
    time.pass_(seconds=599)
    assert inside.get(CODES).status == 200
    time.pass_(seconds=2)
    assert inside.get(CODES).location == HERE


def test_the_codes_can_be_taken_home_as_a_file(inside, time, ann):
    key = key_on(inside.get(SET_UP))
    inside.submit(SET_UP, code=authenticator.code(key))
    codes = inside.follow().find(".backup-codes code")
    page = inside.get(FILE)
    assert page.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert page.headers["Content-Disposition"] == 'attachment; filename="backup-codes.txt"'
    assert page.headers["Cache-Control"] == "no-store"
    first, date, empty, *rest = page.body.decode().split("\n")
    assert (first, empty, rest) == (f"Backup codes for {ann.email}", "", [*codes, ""])
    assert date


def test_the_codes_are_kept_where_the_browser_cannot_read_them(app, inside, time):
    key = key_on(inside.get(SET_UP))
    inside.submit(SET_UP, code=authenticator.code(key))
    codes = inside.follow().find(".backup-codes code")
    with inside.client.session_transaction(base_url=inside.site) as kept:
        sealed = kept["backup-codes"]
    assert not any(code in sealed for code in codes)


def test_codes_that_another_sign_in_saw_are_not_shown(app, ann, inside, time, factor):
    proven(inside, NEW_CODES, factor.code())
    with inside.client.session_transaction(base_url=inside.site) as kept:
        sealed = kept["backup-codes"]
    other = second(app, ann.email)
    enter(other, factor)
    with other.client.session_transaction(base_url=other.site) as kept:
        kept["backup-codes"] = sealed
    assert other.get(CODES).location == HERE


def test_what_guards_the_account_is_neither_plain_in_the_database(world, inside, factor):
    secrets = world.rows("SELECT secret FROM authenticator")
    digests = world.rows("SELECT digest FROM backup_code")
    assert len(secrets) == 1
    assert len(digests) == 10
    everything = str(secrets + digests)
    assert factor.key not in everything
    assert not [code for code in factor.backups if code.replace("-", "") in everything]


def test_turning_it_on_ends_the_other_sign_ins_and_is_told(app, ann, inside, world, time):
    other = world.inside()
    secret = inside.cookie("latchkey")
    authenticator.set_up(inside)
    assert other.get("/profile").location == "/sign-in"
    assert inside.get("/profile").status == 200
    assert inside.cookie("latchkey") != secret
    assert newest_kind(world) == "two-step:on"
    mail = world.post.newest(ann.email)
    assert mail.subject == "Two-step sign-in is on"
    assert mail.not_you


def test_the_camera_reads_the_same_key(inside, ann):
    page = inside.get(SET_UP)
    (picture,) = page.tree.css("svg.qr")
    wish = f"secret={key_on(page)}&issuer=Latchkey"
    code = segno.make_qr(f"otpauth://totp/Latchkey:ann%40example.org?{wish}", error="m")
    side = len(code.matrix) + 8
    assert picture.attributes["viewBox"] == f"0 0 {side} {side}"
    paper, ink = (path.attributes["d"] for path in picture.css("path"))
    assert paper == f"M0 0h{side}v{side}h-{side}z"
    assert dark(ink) == dark_modules(code)


def dark(path):
    """The squares that a path of runs covers."""
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path)
    return {(int(x) + step, int(y)) for x, y, length in runs for step in range(int(length))}


def dark_modules(code):
    """The same as the code has them, four modules of white around."""
    rows = enumerate(code.matrix)
    return {(x + 4, y + 4) for y, row in rows for x, each in enumerate(row) if each}


def test_later_setting_up_asks_for_the_password_first(inside, time):
    time.pass_(seconds=601)
    assert inside.get(SET_UP).location == f"{CONFIRM}?next={SET_UP}"
    inside.follow()
    assert inside.submit(f"{CONFIRM}?next={SET_UP}", password=PASSWORD).location == SET_UP
    assert inside.follow().status == 200
    time.pass_(seconds=601)
    assert inside.submit(SET_UP, code="000000").location == f"{CONFIRM}?next={SET_UP}"


def test_a_key_that_another_sign_in_saw_is_not_the_accounts(world, inside, time):
    """Somebody else who is in reads a key and waits for the owner to use it."""
    eve = world.inside()
    seen = key_on(eve.get(SET_UP))
    key = key_on(inside.get(SET_UP))
    assert key != seen
    assert inside.submit(SET_UP, code=authenticator.code(seen)).status == 422
    assert inside.submit(SET_UP, code=authenticator.code(key)).location == CODES


def test_while_it_is_on_nobody_sets_up_another_app_without_proof(inside, factor):
    assert inside.get(SET_UP).location == HERE
    assert inside.post(SET_UP, {"code": "123456"}).location == HERE


@pytest.mark.parametrize("path", [HERE, SET_UP, CODES, FILE, *WITH_PROOF])
def test_the_pages_are_for_those_who_are_signed_in(visitor, path):
    assert visitor.get(path).location == f"/sign-in?next={path}"


@pytest.mark.parametrize("path", WITH_PROOF)
def test_where_it_is_off_there_is_nothing_to_change(inside, path):
    assert inside.get(path).location == HERE
    assert inside.post(path, {"password": PASSWORD, "code": "123456"}).location == HERE


# ------------------------------------------------------------------ changing it


@pytest.mark.parametrize("path", WITH_PROOF)
def test_password_and_code_are_both_asked_for(inside, factor, path):
    page = proven(inside, path, "", password="")
    assert page.errors == {
        "password": "Enter your current password",
        "code": "Enter a code from your app, or a backup code",
    }
    assert proven(inside, path, factor.code(), OTHER_PASSWORD).errors == {
        "password": "That is not your current password"
    }
    assert proven(inside, path, "000000").errors.keys() == {"code"}


@pytest.mark.parametrize("path", WITH_PROOF)
@pytest.mark.parametrize("kind", ["code", "backup"])
def test_a_code_of_either_kind_will_do(inside, factor, path, kind):
    assert proven(inside, path, getattr(factor, kind)()).status == 303


@pytest.mark.parametrize("path", WITH_PROOF)
def test_a_wrong_password_uses_no_code_up(inside, factor, path):
    code = factor.code()
    proven(inside, path, code, OTHER_PASSWORD)
    assert proven(inside, path, code).status == 303


@pytest.mark.parametrize("path", WITH_PROOF)
@pytest.mark.parametrize("code", ["\0", "x" * 10_000, "１２３４５６", "1", "-" * 50])
def test_hostile_codes_are_refused(inside, factor, path, code):
    assert proven(inside, path, code).status == 422


def test_wrong_codes_share_their_limit_with_signing_in(app, ann, inside, factor):
    for path in (*WITH_PROOF, REPLACE, OFF):
        assert proven(inside, path, "000000").status == 422
    page = proven(inside, OFF, factor.code())
    assert (page.status, page.headers["Retry-After"]) == (429, "900")
    inside.get("/profile")
    inside.submit("/sign-out")
    sign_in(inside, ann.email)
    assert enter(inside, factor).status == 429


def test_the_old_app_works_until_the_new_one_is_confirmed(app, ann, inside, world, factor, time):
    assert proven(inside, REPLACE, factor.code()).location == SET_UP
    page = inside.follow()
    assert page.h1 == "Set up another app"
    other = second(app, ann.email)
    assert enter(other, factor).location == "/profile"
    key = key_on(inside.get(SET_UP))
    assert key != factor.key
    assert inside.submit(SET_UP, code=authenticator.code(key)).location == CODES
    fresh = authenticator.Factor(key, inside.follow().find(".backup-codes code"))
    assert inside.page.banner == "The app is replaced."
    assert other.get("/profile").location == "/sign-in"
    assert newest_kind(world) == "two-step:replaced"
    assert world.post.newest(ann.email).subject == "Your authenticator app is replaced"
    time.pass_(seconds=90)
    other = second(app, ann.email)
    assert enter(other, factor).status == 422
    assert enter(other, factor, backup=True).status == 422
    assert enter(other, fresh).location == "/profile"
    assert enter(second(app, ann.email), fresh, backup=True).location == "/profile"


def test_a_replacement_that_was_left_lying_cannot_be_finished_by_the_password_alone(
    inside, factor, time
):
    proven(inside, REPLACE, factor.code())
    key = key_on(inside.follow())
    time.pass_(seconds=601)
    inside.get(f"{CONFIRM}?next={SET_UP}")
    assert inside.submit(f"{CONFIRM}?next={SET_UP}", password=PASSWORD).location == SET_UP
    assert inside.follow().location == HERE
    assert inside.post(SET_UP, {"code": authenticator.code(key)}).location == HERE


def test_nobody_finishes_a_replacement_that_was_begun_in_another_browser(app, ann, inside, factor):
    other = second(app, ann.email)
    enter(other, factor)
    proven(inside, REPLACE, factor.code())
    assert other.get(SET_UP).location == HERE


def test_new_backup_codes_kill_the_old_ones(app, ann, inside, world, factor):
    assert proven(inside, NEW_CODES, factor.code()).location == CODES
    fresh = inside.follow().find(".backup-codes code")
    assert not set(fresh) & set(factor.backups)
    other = second(app, ann.email)
    assert enter(other, factor, backup=True).status == 422
    other.get(BACKUP)
    assert other.submit(BACKUP, code=fresh[0]).location == "/profile"
    kinds = world.rows("SELECT kind FROM event WHERE kind = 'two-step:new-codes'")
    assert len(kinds) == 1
    found = [mail.subject for mail in world.post.deliver()]
    assert "New backup codes for your Latchkey account" in found


def test_turning_it_off_leaves_the_password_alone(app, ann, inside, world, factor):
    other = second(app, ann.email)
    enter(other, factor)
    assert proven(inside, OFF, factor.code()).location == HERE
    assert inside.follow().banner == "Two-step sign-in is off."
    assert newest_kind(world) == "two-step:off"
    assert world.post.newest(ann.email).subject == "Two-step sign-in is off"
    assert world.rows("SELECT COUNT(*) FROM authenticator") == [(0,)]
    assert world.rows("SELECT COUNT(*) FROM backup_code") == [(0,)]
    assert sign_in(Visitor(app), ann.email).location == "/profile"


def test_half_a_sign_in_of_before_is_worth_nothing_once_it_is_off(app, ann, inside, factor):
    half = second(app, ann.email)
    proven(inside, OFF, factor.code())
    assert enter(half, factor).location == "/sign-in"


def test_the_page_warns_when_few_backup_codes_are_left(app, ann, inside, factor):
    for _ in range(7):
        enter(second(app, ann.email), factor, backup=True)
    assert "3 are left. Make new ones before they run out." in inside.get(HERE).text


# ------------------------------------------------------------------ confirming by code


def test_later_a_code_of_the_app_confirms_as_well_as_the_password(inside, factor, time):
    time.pass_(seconds=601)
    inside.get(CONFIRM)
    page = inside.submit(CONFIRM)
    assert page.errors == {"password": "Enter your current password, or a code from your app"}
    assert inside.submit(CONFIRM, code="000000").errors.keys() == {"code"}
    assert inside.submit(CONFIRM, code=factor.backups[0]).errors.keys() == {"code"}
    form = f"{CONFIRM}?next=/security/phone"
    inside.get(form)
    assert inside.submit(form, code=factor.code()).location == "/security/phone"
    inside.get("/security/phone")
    page = inside.submit("/security/phone", phone="+44 7400 218305")
    assert page.location == "/security/phone/code"


def test_without_an_app_only_the_password_is_asked_for(inside):
    assert "code" not in inside.get(CONFIRM).form(CONFIRM).names
    forged = inside.page.form(CONFIRM).fields | {"code": "123456"}
    assert inside.post(CONFIRM, forged).status == 422


# ------------------------------------------------------------------ staff


def test_staff_set_it_up_before_anything_else(world, ann, time):
    assert world.command("staff", "role", ann.email, "support").exit_code == 0
    ruth = world.inside()
    for path in ("/profile", "/security", HERE, "/admin/people"):
        assert ruth.get(path).location == SET_UP
    time.pass_(seconds=601)  # and whoever takes long confirms first, and gets there
    assert ruth.get(SET_UP).location == f"{CONFIRM}?next={SET_UP}"
    ruth.follow()
    ruth.submit(f"{CONFIRM}?next={SET_UP}", password=PASSWORD)
    page = ruth.get(SET_UP)
    assert "Your role needs two-step sign-in." in page.text
    ruth.submit(SET_UP, code=authenticator.code(key_on(page)))
    ruth.follow()
    assert ruth.submit(CODES, kept="y").location == "/admin"


@pytest.mark.parametrize("path, steps", [(NEW_CODES, 0), (REPLACE, 1)])
def test_staff_who_change_it_later_come_back_to_its_page(agent, time, path, steps):
    ruth = agent("support")
    proven(ruth, path, ruth.factor.code())
    ruth.follow()
    if steps:
        ruth.submit(SET_UP, code=authenticator.code(key_on(ruth.page)))
        ruth.follow()
    assert ruth.submit(CODES, kept="y").location == HERE


def test_staff_cannot_turn_it_off(agent, time):
    ruth = agent("viewer")
    assert "Turn off" not in ruth.get(HERE).links
    page = ruth.get(OFF)
    assert "Your role needs two-step sign-in, so it stays on." in page.text
    token = page.tree.css_first("[name=csrf_token]").attributes["value"]
    forged = {"csrf_token": token, "password": PASSWORD, "code": ruth.factor.code()}
    page = ruth.post(OFF, forged)
    assert (page.status, ruth.get(HERE).find("#part-state")) == (422, ["It is on"])
    assert proven(ruth, REPLACE, ruth.factor.code()).location == SET_UP


# ------------------------------------------------------------------ cleared by the operator


def test_the_operator_can_turn_it_off_for_who_is_locked_out(app, ann, inside, world, factor):
    done = world.command("users", "clear-factor", ann.email)
    assert (done.exit_code, inside.get("/profile").location) == (0, "/sign-in")
    assert newest_kind(world) == "two-step:cleared"
    mail = world.post.newest(ann.email)
    assert mail.subject == "Two-step sign-in is off"
    assert "The Latchkey helpdesk turned two-step sign-in off" in mail.text
    assert sign_in(Visitor(app), ann.email).location == "/profile"
    again = world.command("users", "clear-factor", ann.email)
    assert (again.exit_code, again.output) == (1, "Error: Two-step sign-in is off already.\n")


@pytest.mark.parametrize("actor, over, refused", [
    ("admin", "ann", None), ("admin", "support", None), ("support", "ann", Forbidden),
    ("viewer", "ann", Forbidden), ("admin", "admin", Forbidden), ("ann", "admin", NotAllowed),
])  # fmt: skip
def test_an_admin_alone_turns_it_off_for_others(
    app, inside, factor, agent, world, actor, over, refused
):
    for role in {actor, over} - {"ann"}:
        agent(role)
    before = world.rows("SELECT COUNT(*) FROM authenticator")
    with app.test_request_context("/"):
        who, whom = (people.find(f"{name}@example.org") for name in (actor, over))
        why = {"verified_by": "called back", "reason": "Phone lost", "ticket": "HD-1"}
        by = By(who.id, "192.0.2.0/24", desk=True, **why)
        with pytest.raises(refused) if refused else nullcontext():
            clearing.clear_factor(whom, who, by)
    if refused:
        assert world.rows("SELECT COUNT(*) FROM authenticator") == before
        return
    mail = world.post.newest(f"{over}@example.org")
    assert "Ruth Admin at the Latchkey helpdesk turned two-step sign-in off" in mail.text
    assert "Reason: Phone lost. Ticket HD-1. Every device was signed out." in mail.text


def test_the_clock_of_the_app_is_the_standards(inside):
    key = key_on(inside.get(SET_UP))
    totp = pyotp.TOTP(key)
    assert (totp.interval, totp.digits, len(key)) == (30, 6, 32)
