"""Codes, links and grants: guessed, replayed, carried elsewhere, revived."""

import hashlib
import json
import re
from itertools import pairwise

import pytest
from sqlalchemy import select

from portal.codes.models import Challenge, Otp
from portal.core.audit import By
from portal.core.db import db
from portal.core.errors import Rejected
from portal.recovery import service as recovery
from tests.attacks.conftest import block, dump
from tests.conftest import OTHER_PASSWORD, PASSWORD, ask, open_account, sign_in
from tests.rigs.visitor import Visitor

NEW = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}


def wrong(code):
    return f"{(int(code) + 1) % 1_000_000:06d}"


def enter(browser, code, path="/recover/code"):
    browser.get(path)
    return browser.submit(path, code=code)


def newest_code(app):
    with app.app_context():
        return db.session.scalars(select(Otp).order_by(Otp.id.desc())).first()


def press(browser, mail):
    browser.get(mail.link)
    return browser.submit(mail.link, action="continue")


# ------------------------------------------------------------------ one-time codes


def test_otp_03_a_used_code_is_refused_and_the_use_is_on_record(app, visitor, post, ann):
    ask(visitor, ann.email)
    code = post.newest().code
    assert enter(visitor, code).location == "/auth/password-reset"
    assert enter(visitor, code).status == 422
    assert [row for row in dump(app)["event"] if "recovery:code-used" in row]


def test_otp_04_otp_06_a_code_is_nothing_in_another_browser_of_the_same_person(app, post, ann):
    first, second = Visitor(app), Visitor(app, address="192.0.2.20")
    ask(first, ann.email)
    code = post.newest().code
    assert second.get("/recover/code").location == "/recover"
    token = second.get("/recover").form("/recover").fields["csrf_token"]
    assert second.post("/recover/code", {"code": code, "csrf_token": token}).location == "/recover"
    assert enter(first, code).status == 303


def test_otp_05_a_code_to_choose_a_password_proves_no_address(app, post):
    browser = Visitor(app)
    open_account(browser, "new@example.org")
    proof = post.newest().code
    ask(browser, "new@example.org")
    recovery = post.newest().code
    assert enter(browser, recovery, "/sign-up/code").status == (303 if recovery == proof else 422)
    assert enter(browser, proof).status == (303 if recovery == proof else 422)
    assert enter(browser, recovery).location == "/auth/password-reset"


def test_otp_05_a_link_of_one_story_is_no_link_of_another(app, post, ann):
    ask(Visitor(app), ann.email)
    recovery = post.newest().link
    open_account(Visitor(app, address="192.0.2.21"), "new@example.org")
    proof = post.newest("new@example.org").link
    browser = Visitor(app)
    assert browser.get(recovery.replace("/recover/", "/sign-up/")).status == 410
    assert browser.get(proof.replace("/sign-up/", "/recover/")).status == 410


def test_otp_08_otp_11_neither_a_resend_nor_another_browser_or_network_gives_new_tries(
    app, visitor, post, time, ann
):
    ask(visitor, ann.email)
    code = post.newest().code
    for _ in range(5):
        assert enter(visitor, wrong(code)).status == 422
    time.pass_(seconds=61)
    other = Visitor(app, address="198.51.105.9")
    ask(other, ann.email)
    fresh = post.newest().code
    assert enter(other, fresh).status == 429
    assert newest_code(app).attempts == 0


def test_otp_08_wrong_codes_are_counted_over_an_hour_and_a_day(app, post, time, ann):
    """By whatever number of requests and networks: 20 in an hour, 50 in a day."""
    tried = []
    for number in range(9):
        time.pass_(minutes=26)
        browser = Visitor(app, address=f"203.0.{number}.4")
        ask(browser, ann.email)
        code = wrong(post.newest().code)
        for _ in range(3):
            tried += [time.at for _ in range(7) if enter(browser, code).status == 422]
            time.pass_(seconds=290)
    assert len(tried) == 50
    for at in tried:
        assert sum(0 <= (later - at).total_seconds() < 3600 for later in tried) <= 40


def test_otp_10_messages_are_capped_per_minute_hour_and_day(app, post, time):
    sent = []
    for _minute in range(0, 26 * 60, 6):
        browser = Visitor(app, address=f"203.{len(sent)}.0.4")
        page = ask(browser, "flooded@example.org")
        sent += [time.at] if page.status == 303 else []
        if page.status == 429:
            assert int(page.headers["Retry-After"]) > 0
            assert page.form("/recover").fields["identifier"] == "flooded@example.org"
        time.pass_(minutes=6)
    assert sum((at - sent[0]).total_seconds() < 86_400 for at in sent) == 10
    assert all((b - a).total_seconds() >= 60 for a, b in pairwise(sent))


@pytest.mark.parametrize(
    "shape",
    [
        "+{}", "-{}.0", "{}.0", "0{}", "{}0", "0x{}", "{}e0", "{}\0", "{},", "['{}']", "1_{}",
    ],
)  # fmt: skip
def test_otp_12_what_only_looks_like_the_code_is_refused_and_costs_no_try(
    app, visitor, post, ann, shape
):
    ask(visitor, ann.email)
    code = post.newest().code
    page = enter(visitor, shape.format(code))
    assert page.status == 422
    assert newest_code(app).attempts == 0
    assert enter(visitor, code).status == 303


def test_otp_12_digits_of_other_scripts_are_no_digits(app, visitor, post, ann):
    ask(visitor, ann.email)
    code = post.newest().code
    for zero in "٠０०𝟎߀":
        other = "".join(chr(ord(zero) + int(digit)) for digit in code)
        assert enter(visitor, other).status == 422
    assert newest_code(app).attempts == 0


@pytest.mark.parametrize("shape", [" {} ", "{}\n", "{}\t", "{0:.3} {1}", "{0:.3}-{1}", "\u00a0{}"])
def test_otp_12_what_a_person_types_around_the_code_is_left_out(visitor, post, ann, shape):
    ask(visitor, ann.email)
    code = post.newest().code
    assert enter(visitor, shape.format(code, code[3:])).status == 303


def test_otp_14_the_code_stands_in_the_message_and_nowhere_else(visitor, post, ann, caplog):
    caplog.set_level("INFO")
    pages = [ask(visitor, ann.email), visitor.follow()]
    mail = post.newest()
    pages += [visitor.get("/recover/code"), visitor.get("/recover/status")]
    pages += [enter(visitor, wrong(mail.code)), enter(visitor, mail.code), visitor.follow()]
    secrets = (mail.code, mail.link.rpartition("/")[2])
    for secret in secrets:
        assert secret not in mail.subject
        assert secret not in caplog.text
        for page in pages:
            assert secret not in page.html.replace(wrong(mail.code), "")
            assert secret not in str(page.headers)
            assert secret not in (page.location or "")
    assert mail.code not in mail.link
    assert mail.html.count(mail.code) <= 1


def test_otp_14_the_status_has_four_facts(visitor, post, ann):
    ask(visitor, ann.email)
    post.deliver()
    body = visitor.get("/recover/status").body
    assert set(json.loads(body)) == {"state", "seconds_left", "total", "resend_in"}


def test_otp_16_a_stolen_database_does_not_tell_the_codes(app, visitor, post, ann):
    """A million digests of any unkeyed kind find nothing; the same code twice looks different."""
    ask(visitor, ann.email)
    code = post.newest().code
    kept = newest_code(app)
    assert re.fullmatch("[0-9a-f]{64}", kept.otp_hash)
    with app.app_context():
        flow = db.session.scalars(select(Challenge)).all()[-1]
    salts = ["", str(kept.id), str(kept.user_id), flow.id, kept.purpose]
    for name in ("md5", "sha1", "sha256", "sha512"):
        for salt in salts:
            for text in (salt + code, code + salt, f"{salt}:{code}", f"{salt}\0{code}"):
                assert hashlib.new(name, text.encode()).hexdigest()[:64] != kept.otp_hash


# ------------------------------------------------------------------ links and grants


def test_reset_03_neither_get_nor_head_nor_a_scanner_uses_a_link(app, visitor, post, ann):
    ask(visitor, ann.email)
    mail, scanner = post.newest(), Visitor(app, address="192.0.2.30", agent="LinkScanner/1.0")
    before = dump(app)
    for _ in range(3):
        assert scanner.get(mail.link).status == 200
        assert scanner.client.head(mail.link, base_url=scanner.site).status_code == 200
        scanner.client.options(mail.link, base_url=scanner.site)
    assert dump(app) == before
    assert press(Visitor(app), mail).location == "/auth/password-reset"


def test_reset_04_every_way_a_link_ends(app, post, ann, time):
    def asked():
        time.pass_(minutes=20)
        ask(Visitor(app), ann.email)
        return post.with_code(ann.email)

    old = asked()
    new = asked()
    assert Visitor(app).get(old.link).status == 410  # a newer one was asked for
    assert press(Visitor(app), new).status == 303
    assert Visitor(app).get(new.link).status == 410  # it was used
    late = asked()
    time.pass_(seconds=901)
    assert Visitor(app).get(late.link).status == 410  # its time is over
    changed = asked()
    browser = Visitor(app)
    sign_in(browser, ann.email)
    browser.get("/security/password")
    assert browser.submit("/security/password", old_password=PASSWORD, **NEW).status == 303
    assert Visitor(app).get(changed.link).status == 410  # the password was changed
    time.pass_(hours=2)
    blocked = asked()
    block(app, ann.email)
    assert Visitor(app).get(blocked.link).status == 410


def test_reset_04_a_grant_is_good_for_one_password_in_one_browser(app, visitor, post, ann):
    ask(visitor, ann.email)
    owner = Visitor(app)
    press(owner, post.newest())
    for other in (visitor, Visitor(app)):
        assert other.get("/auth/password-reset").location == "/recover"
    owner.follow()
    before = owner.cookie("latchkey-form")
    assert owner.submit("/auth/password-reset", **NEW).location == "/sign-in"
    owner.client.set_cookie("latchkey-form", before, domain="127.0.0.1")
    assert owner.get("/auth/password-reset").location == "/recover"


def test_reset_04_a_grant_ends_with_its_time_with_a_block_and_with_another_grant(
    app, post, ann, time
):
    def granted():
        time.pass_(hours=6)
        browser = Visitor(app)
        ask(browser, ann.email)
        press(browser, post.newest())
        assert browser.get("/auth/password-reset").status == 200
        return browser

    late = granted()
    time.pass_(seconds=601)
    assert late.get("/auth/password-reset").location == "/recover"
    first = granted()
    time.pass_(seconds=61)
    second = Visitor(app)
    ask(second, ann.email)
    press(second, post.newest())
    assert first.get("/auth/password-reset").location == "/recover"
    block(app, ann.email)
    assert second.get("/auth/password-reset").location == "/recover"


def test_reset_08_a_reset_ends_sign_ins_devices_codes_and_links(app, post, ann, time):
    thief = Visitor(app, address="192.0.2.40")
    sign_in(thief, ann.email, remember=True)
    time.pass_(minutes=2)
    owner, other = Visitor(app), Visitor(app)
    ask(other, ann.email)
    mail = post.newest()
    press(owner, mail)
    owner.follow()
    owner.submit("/auth/password-reset", **NEW)
    assert thief.get("/profile").location == "/sign-in"
    assert not dump(app)["known_device"]
    with app.app_context():
        assert not db.session.scalars(select(Otp).where(Otp.consumed_at.is_(None))).all()
        assert not db.session.scalars(select(Challenge).where(Challenge.closed_at.is_(None))).all()


def test_reset_09_choosing_a_password_signs_nobody_in(app, visitor, post, ann):
    ask(visitor, ann.email)
    press(visitor, post.newest())
    visitor.follow()
    visitor.submit("/auth/password-reset", **NEW)
    assert visitor.cookie("latchkey") is None
    assert visitor.get("/profile").location == "/sign-in"


def test_reset_10_until_a_proof_nothing_of_the_account_changes(app, inside, post, ann):
    account = dump(app)["person"], dump(app)["session"], dump(app)["known_device"]
    stranger = Visitor(app, address="192.0.2.41")
    ask(stranger, ann.email)
    mail = post.newest()
    for _ in range(7):
        enter(stranger, wrong(mail.code))
    stranger.get(mail.link)
    assert (dump(app)["person"], dump(app)["session"], dump(app)["known_device"]) == account
    assert inside.get("/profile").status == 200
    assert sign_in(Visitor(app), ann.email).location == "/profile"


TWINS = [
    "ann@examp\N{LATIN SMALL LETTER DOTLESS I}e.org",
    "\N{CYRILLIC SMALL LETTER A}nn@example.org",
    "\N{FULLWIDTH LATIN SMALL LETTER A}nn@example.org",
    "an\N{SUPERSCRIPT LATIN SMALL LETTER N}@example.org",
    "ann@ex\N{CYRILLIC SMALL LETTER A}mple.org",
    "ann\u200b@example.org",
    "ann@example.org\u200b.evil.example",
    "ann@example.org@evil.example",
    "ann@example.org,eve@evil.example",
    "ann@example.org eve@evil.example",
    "ann@example.org\neve@evil.example",
    "ann@example.org%0aeve@evil.example",
]


@pytest.mark.parametrize("twin", TWINS, ids=ascii)
def test_reset_12_no_look_alike_gets_or_causes_anybodys_message(app, visitor, post, ann, twin):
    before = len(post.deliver())
    ask(visitor, twin)
    assert len(post.deliver()) == before


def test_reset_12_messages_go_to_the_address_that_is_kept(visitor, post, sign_up):
    sign_up("Ann.Miller@example.org")
    ask(visitor, "ANN.MILLER@example.org")
    assert post.newest().to == "Ann.Miller@example.org"


# ------------------------------------------------------------------ the clock is set back


def test_time_01_a_clock_set_back_revives_no_code_and_no_link(app, visitor, post, ann, time):
    ask(visitor, ann.email)
    mail = post.newest()
    time.pass_(seconds=1_000)
    time.pass_(hours=-1)
    assert visitor.get("/recover/code").location == "/recover"
    assert Visitor(app).get(mail.link).status == 410
    with app.app_context(), app.test_request_context():
        flow = db.session.scalars(select(Challenge)).all()[-1]
        with pytest.raises(Rejected):
            recovery.confirm_code(flow.id, mail.code, By())


def test_time_01_a_clock_set_back_revives_no_grant(visitor, post, ann, time):
    ask(visitor, ann.email)
    enter(visitor, post.newest().code)
    time.pass_(seconds=700)
    assert visitor.get("/auth/password-reset").location == "/recover"
    time.pass_(hours=-1)
    assert visitor.get("/auth/password-reset").location == "/recover"


def test_time_01_a_clock_set_back_keeps_nobody_out_for_long(app, visitor, post, ann, time):
    ask(visitor, ann.email)
    post.deliver()
    for _ in range(12):
        sign_in(visitor, ann.email, OTHER_PASSWORD)
    time.pass_(hours=-1)
    assert sign_in(visitor, ann.email).location == "/profile"
    assert ask(Visitor(app), ann.email).status == 303
    assert post.newest().code
