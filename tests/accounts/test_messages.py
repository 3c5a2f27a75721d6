"""Every email: text and HTML tell the same, in the words of the settings, and carry no tricks."""

import re

import pytest
from selectolax.lexbor import LexborHTMLParser

from portal.accounts import people
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction
from portal.delivery import outbox
from portal.delivery.recipes import CODE, RECIPES
from tests.conftest import OTHER_PASSWORD, PASSWORD, open_account, sign_in
from tests.policy.emails import SUBJECTS, every_email
from tests.policy.world import ANN, ELSEWHERE, World
from tests.rigs.html import attribute, words
from tests.rigs.memory import told

WITH_CODE = {"confirm_address", "recovery", "step_up_code"}
TO_A_STRANGER = {"confirm_address", "email_change_new"}
URGENT = (
    TO_A_STRANGER
    | WITH_CODE
    | {
        "already_registered",
        "recovery_by_support",
        "staff_invitation",
    }
)
# The first has a button of its own, the second tells of what no button ends.
WITHOUT_NOT_YOU = URGENT | {"email_change_old", "blocked_by_support"}
SIX_DIGITS = re.compile(r"(?<!\d)\d{6}(?!\d)")
ADDRESS = re.compile(r"https?://[^\s\"'<>]+")
FACTS = (
    r"\d+ \w+ \d{4}, \d\d:\d\d UTC", r"\d\d:\d\d UTC", r"\d+ (?:seconds?|minutes?|hours?|days?)",
    r"\d+ (?:tries|wrong passwords|devices?)", r"Firefox on Linux", r"0800 000 000",
    r"\S+@example\.org", r"HD-20418", r"Hello [^.]+\.",
)  # fmt: skip


def tree(mail):
    return LexborHTMLParser(mail.html)


def preheader(mail):
    return words(tree(mail).css_first("body > div"))


def sentences(text):
    return {each.strip() for each in re.split(r"(?<=[.?])\s|\n", text) if each.strip()}


@pytest.fixture
def emails(app):
    return told(app, ("every email",), lambda: every_email(World(app)))


def test_no_email_is_missing_here():
    known = {each.name for each in RECIPES.values() if each.channel == "email"}
    assert set(SUBJECTS) == known


def test_only_what_somebody_waits_for_goes_first():
    urgent = {name for name in SUBJECTS if RECIPES[name].rank == CODE}
    assert urgent == URGENT


def test_every_email_has_its_subject_and_one_heading(emails):
    for name, mail in emails.items():
        assert mail.subject == SUBJECTS[name].format("Latchkey")
        assert words(tree(mail).css_first("title")) == mail.subject, name
        assert len(tree(mail).css("h1")) == 1, name
        assert mail.text.startswith(mail.subject + "\n"), name


def test_text_and_html_tell_the_same_facts(emails):
    for name, mail in emails.items():
        shown = words(tree(mail).css_first("[role=article]"))
        for fact in FACTS:
            there = {" ".join(each.split()) for each in re.findall(fact, mail.text)}
            assert there == set(re.findall(fact, shown)), (name, fact)


def test_text_and_html_tell_it_in_the_same_words(emails):
    """But for what is a button in one and a link in the other."""
    for name, mail in emails.items():
        shown = " ".join(words(tree(mail).css_first("[role=article]")).split())
        for sentence in sentences(mail.text):
            if sentence.endswith(".") and "Helpdesk" not in sentence:
                as_button = sentence.replace("the link.", "the button.")
                assert as_button in shown, name


def test_a_code_stands_once_in_the_body_and_nowhere_before_it(emails):
    for name, mail in emails.items():
        count = 1 if name in WITH_CODE else 0
        assert len(SIX_DIGITS.findall(mail.text)) == count, name
        body = words(tree(mail).css_first("[role=article]"))
        assert len(SIX_DIGITS.findall(ADDRESS.sub("", body))) == count, name
        assert not SIX_DIGITS.search(mail.subject + preheader(mail)), name


def test_an_inbox_shows_the_preheader_and_nothing_of_the_text(emails):
    for name, mail in emails.items():
        line = tree(mail).css_first("body > div")
        assert "display:none" in attribute(line, "style"), name
        assert preheader(mail).rstrip("\u034f\u200c\u00a0 ").endswith("."), name
        assert line.text().count("\u200c") >= 80, name


def test_links_lead_to_the_portal_and_stand_alone_in_the_text(make_app):
    world = World(make_app(PUBLIC_URL="http://account.localhost"))
    for name, mail in every_email(world).items():
        for link in tree(mail).css("a"):
            assert attribute(link, "href").startswith("http://account.localhost/"), name
        for line in mail.text.splitlines():
            assert "://" not in line or ADDRESS.fullmatch(line), (name, line)
        in_text = set(ADDRESS.findall(mail.text))
        assert in_text == {attribute(link, "href") for link in tree(mail).css("a")}, name


def test_every_notice_has_its_own_link_for_those_who_it_was_not(emails):
    links = {name: mail.not_you for name, mail in emails.items() if name not in WITHOUT_NOT_YOU}
    assert len(set(links.values())) == len(links) == len(SUBJECTS) - len(WITHOUT_NOT_YOU)
    for name in WITHOUT_NOT_YOU:
        assert "not-you" not in emails[name].text + emails[name].html, name


def test_nothing_is_fetched_and_nothing_counts_who_reads(emails):
    for name, mail in emails.items():
        assert tree(mail).css("img, link, script, iframe, video, [src], [background]") == [], name
        assert "url(" not in mail.html, name
        assert "?" not in "".join(ADDRESS.findall(mail.html)), name


def test_the_layout_turns_with_the_language_and_follows_the_dark(emails):
    for name, mail in emails.items():
        html = tree(mail).css_first("html")
        assert (attribute(html, "lang"), attribute(html, "dir")) == ("en", "ltr"), name
        assert not re.search(
            r"(text-align|float|margin|padding|border)[-:]\s*(left|right)", mail.html
        )
        assert "max-width:560px" in mail.html, name
        assert "prefers-color-scheme: dark" in mail.html, name


NUMBERS = {
    "CODE_LIFETIME_SECONDS": ("45", "45 seconds", "30 seconds"),
    "CODE_MAX_ATTEMPTS": ("4", "takes 4 tries", "takes 5 tries"),
    "PROOF_CODE_MAX_ATTEMPTS": ("4", "takes 4 tries", "takes 5 tries"),
    "LINK_LIFETIME_SECONDS": ("660", "11 minutes", "15 minutes"),
    "PROOF_CODE_LIFETIME_SECONDS": ("480", "8 minutes", "10 minutes"),
    "PROOF_LINK_LIFETIME_SECONDS": ("7200", "2 hours", "24 hours"),
    "WRONG_PASSWORDS_PER_ACCOUNT": ("3", "3 wrong passwords", "10 wrong passwords"),
    "WRONG_PASSWORDS_PER_ACCOUNT_SECONDS": ("240", "4 minutes", "5 minutes"),
    "NOTICE_LINK_LIFETIME_DAYS": ("9", "9 days", "7 days"),
    "HELP_PHONE": ("0161 234 567", "0161 234 567", "0800 000 000"),
}


def test_numbers_come_from_the_settings(make_app):
    changed = {name: value for name, (value, _new, _default) in NUMBERS.items()}
    emails = every_email(World(make_app(**changed)))
    for part in "text", "html":
        everything = "\n".join(getattr(mail, part) for mail in emails.values())
        for name, (_value, new, default) in NUMBERS.items():
            assert new in everything, name
            assert default not in everything, name


def test_without_a_helpdesk_nobody_is_told_to_call(make_app):
    for name, mail in every_email(World(make_app(HELP_PHONE=""))).items():
        for part in mail.text, mail.html:
            assert "Helpdesk:" not in part, name
            assert not re.search(r"\b[Cc]all( the helpdesk)?( on)? *[.<]", part), name


HOSTILE = [
    "http://evil.example", "evil.example", "Visit www.evil", "evil\u3002example", "eve@evil",
    "You won! Call 0900 123 456", "418205", "４１８２０５", "<b>evil</b>", "e" * 100, "Ann/evil",
    "Ann\\evil", "It is urgent: your account will be closed today unless you act evil",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_brings_no_link_and_no_text_of_its_own(app, name):
    for recipe, mail in every_email(World(app), name).items():
        for part in mail.subject, mail.text, mail.html:
            assert name not in part, recipe
            assert "evil" not in part, recipe
        assert len(SIX_DIGITS.findall(mail.text)) == (recipe in WITH_CODE), recipe


HARMLESS = ['O\'Brien & Sons "Ann"', "J. R. Müller 3rd", "林美玲", "{{ 7*7 }} %(code)s %s", "X"]


@pytest.mark.parametrize("name", HARMLESS)
def test_other_names_are_greeted_as_they_are(app, name):
    emails = every_email(World(app), name)
    for recipe in set(SUBJECTS) - TO_A_STRANGER:
        mail = emails[recipe]
        assert f"Hello {name}. " in mail.text, recipe
        assert f"Hello {name}. " in words(tree(mail).css_first("[role=article]")), recipe


@pytest.mark.parametrize("name", ["أمل حداد", "נועה כהן"])
def test_a_name_from_right_to_left_turns_nothing_around_it(make_app, name):
    emails = every_email(World(make_app(PORTAL_NAME=name[::-1])), name)
    for recipe in set(SUBJECTS) - TO_A_STRANGER:
        assert f"Hello \u2068{name}\u2069. " in emails[recipe].text, recipe
        assert f"Hello \u2068{name}\u2069. " in emails[recipe].html, recipe
    assert "\u2068" in emails["new_device"].subject
    assert emails["unlocked_by_support"].subject.startswith("\u200e\u2068")


def test_a_name_typed_by_a_stranger_is_not_repeated_to_the_owner(app, time):
    """Whoever signs somebody else up chooses the name, and the owner may well press the button."""
    world = World(app)
    open_account(world.visitor(address=ELSEWHERE), ANN, "Claim at evil.example")
    mail = world.post.newest(ANN)
    assert "evil" not in mail.text + mail.html
    owner = world.visitor()
    owner.get(mail.link)
    owner.submit(mail.link)
    owner.follow()
    both = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
    assert owner.submit("/auth/password-reset", **both).location == "/sign-in"
    assert sign_in(owner, ANN, OTHER_PASSWORD).location == "/profile"
    world.asked()
    subjects = [mail.subject for mail in world.post.deliver()]
    assert len(subjects) == 4
    assert "evil" not in "".join(mail.text + mail.html for mail in world.post.deliver())


def test_a_program_that_signs_in_is_not_called_a_browser(app, ann):
    world = World(app)
    typed = {"email": ann.email, "password": PASSWORD}
    app.test_client().post("/api/v1/auth/token", json=typed)
    [mail] = world.post.alerts(ann.email)
    for part in mail.text, words(tree(mail).css_first("[role=article]")):
        assert f"A program, probably one that you use, signed in as {ann.email} on " in part
        assert "browser" not in part.partition("Not you?")[0]


def test_staff_who_helped_are_named_with_reason_and_ticket(emails):
    mail = emails["recovery_by_support"]
    told = "Ruth Lund at the Latchkey helpdesk sent this because you asked for help."
    assert f"{told} Reason: called back. Ticket HD-20418." in mail.text
    assert "Firefox" not in mail.text
    assert "Chrome" not in mail.text
    assert "The Latchkey helpdesk unlocked the account" in emails["unlocked_by_support"].text


def test_a_block_is_told_without_anything_to_press(emails):
    mail = emails["blocked_by_support"]
    assert "Ruth Lund at the Latchkey helpdesk blocked the account of ann@example.org" in mail.text
    assert "The block lasts until the helpdesk ends it. Reason: called back." in mail.text
    assert "Call 0800 000 000." in mail.text
    assert tree(mail).css("a") == []


def test_what_staff_typed_brings_no_link_either(app):
    world = World(app)
    world.account()
    with world.context(), transaction():
        ann = people.find(ANN)
        by = By(ann.id, reason="see http://evil.example", ticket="evil.example")
        event = audit.record("account:unblocked", ann.id, by)
        outbox.put(RECIPES["unlocked_by_support"], event.id, ann.id)
    mail = world.post.newest(ANN)
    assert mail.subject == "Latchkey support unlocked your account"
    assert "You can sign in again, with the password you had." in mail.text
    assert "evil" not in mail.text + mail.html
