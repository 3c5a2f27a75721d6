"""What happened to an account, as its person reads it."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest

import portal
from portal.accounts.roles import MAY
from portal.core.audit import By, record
from portal.core.db import transaction
from portal.security import activity, kinds
from tests.conftest import OTHER_PASSWORD, PASSWORD, sign_in
from tests.policy.world import ANN, World

PAGE = "/security/activity"
BOB = "bob@example.org"
KIND = re.compile(r"[a-z]+(-[a-z]+)*:[a-z]+(-[a-z]+)*")
# Only counted: no event of an account is called so.
NUMBERS = {
    "recovery:accepted",
    "recovery:opened",
    "recovery:used",
    "recovery:took",
    "sign-in:kept-out",
    "code:throttled",
    "recovery:code-refused",
    "second-step:throttled",
    "send:throttled",
}


@pytest.fixture
def world(app):
    return World(app)


def lines(browser, path=PAGE):
    """What is told, newest first."""
    return browser.get(path).find(".timeline li div > p:first-child")


def happen(world, kind, email=ANN, **by):
    """An event about somebody, as a story would write it.  -> its id."""
    ((person_id,),) = world.rows("SELECT id FROM person WHERE email = :email", email=email)
    with world.context(), transaction():
        return record(kind, person_id, By(**{"person_id": person_id, **by})).id


def written():
    """Every literal in the portal that looks like a kind of event."""
    files = set(Path(portal.__file__).parent.rglob("*.py")) - {Path(kinds.__file__)}
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text())))
    texts = (node.value for node in nodes if isinstance(node, ast.Constant))
    return {text for text in texts if isinstance(text, str) and KIND.fullmatch(text)}


def test_every_kind_that_is_recorded_has_words():
    found = written() - set(MAY) - NUMBERS - {"about:blank"}
    assert len(found) > 40
    assert found - set(kinds.KINDS) == set()


def test_there_are_no_words_for_what_is_never_recorded():
    assert set(kinds.KINDS) - written() == set()
    assert set(kinds.KINDS) & NUMBERS == set()


def test_a_kind_that_nobody_described_has_neutral_words(world, inside):
    happen(world, "moon:eclipsed")
    assert lines(inside)[0] == "Something about the account changed"
    assert lines(inside, f"{PAGE}?show=changes")[0] == "Something about the account changed"


def test_the_story_so_far_is_told_newest_first(inside):
    inside.get("/profile")
    inside.submit("/profile/work", job_title="Baker", organisation="")
    told = lines(inside)
    assert told == [
        "Profile changed", "Signed in", "Signed out", "Signed in", "Email address confirmed",
        "Account created",
    ]  # fmt: skip
    details = inside.get(PAGE).find(".timeline .detail")
    assert details[0] == "Job title, organisation. On Firefox on Linux."


def test_days_are_named_and_so_is_the_time_zone(world, ann, time):
    time.pass_(days=1)
    page = world.inside().get(PAGE)
    today, yesterday = page.find(".day")[0], page.find(".day")[1]
    assert today == f"Today, {time.at.day} {time.at:%B %Y}"
    before = time.at - timedelta(days=1)
    assert yesterday == f"Yesterday, {before.day} {before:%B %Y}"
    assert "Times are in UTC." in page.text


def test_filters_are_links_that_show_one_group(world, inside):
    inside.get("/profile")
    inside.submit("/profile/work", job_title="Baker")
    happen(world, "recovery:asked")
    happen(world, "account:blocked", person_id=None, desk=True)
    links = inside.get(PAGE).links
    shown = {text: lines(inside, links[text]) for text in (
        "Everything", "Signing in", "Getting back in", "Changes", "Helpdesk",
    )}  # fmt: skip
    assert shown["Signing in"] == ["Signed in", "Signed out", "Signed in"]
    assert shown["Getting back in"] == ["Asked for a way back in"]
    assert shown["Changes"] == ["Profile changed", "Email address confirmed", "Account created"]
    assert shown["Helpdesk"] == ["Account blocked by the helpdesk Staff"]
    assert len(shown["Everything"]) == 8


def test_a_colleague_is_named_with_reason_and_ticket_but_not_how_the_caller_was_checked(
    world, inside, sign_up
):
    sign_up(BOB, "Bob Staff")
    ((bob,),) = world.rows("SELECT id FROM person WHERE email = :email", email=BOB)
    happen(
        world, "account:unblocked", person_id=bob, desk=True, verified_by="called back",
        reason="A mistake", ticket="HD-77", network="198.51.100.0/24", device="Bob's Firefox",
    )  # fmt: skip
    page = inside.get(PAGE)
    assert lines(inside)[0] == "Account unblocked by Bob Staff Staff"
    assert page.find(".timeline .detail")[0] == "Reason: A mistake. Ticket HD-77."
    for hidden in "called back", "198.51.100", "Bob's Firefox":
        assert hidden not in page.text


def test_support_reads_network_and_verification_too(world, inside):
    happen(world, "sign-in:refused", network="198.51.100.0/24", device="Opera")
    happen(world, "account:blocked", desk=True, person_id=None, verified_by="called back")
    ((ann,),) = world.rows("SELECT id FROM person WHERE email = :email", email=ANN)
    with world.context():
        desk, own = activity.of_person(ann, "", None, 2, for_desk=True).lines
    assert (desk.detail, desk.staff, desk.tint) == (
        "Checked by: called back.", "the helpdesk", "staff",
    )  # fmt: skip
    assert (own.detail, own.network) == ("On Opera.", "198.51.100.0/24")


def test_older_events_follow_page_by_page_and_none_is_left_out(world, inside):
    for _ in range(60):
        happen(world, "email:asked")
    first = inside.get(PAGE)
    assert len(first.find(".timeline li")) == 50
    second = inside.get(first.links["Show older events"])
    assert len(second.find(".timeline li")) == 60 + 5 - 50
    assert "Show older events" not in second.links
    assert second.links["Back to the newest"] == PAGE
    filtered = inside.get(f"{PAGE}?show=changes").links["Show older events"]
    assert filtered.startswith(f"{PAGE}?show=changes&before=")
    assert len(inside.get(filtered).find(".timeline li")) == 60 + 2 - 50


@pytest.mark.parametrize("query", [
    "before=999999999999999999999999", "before=-5", "before=x", "before=", "show=\0", "before=0",
    "show=x&before=1", "show=" + "x" * 3000,
])  # fmt: skip
def test_whatever_is_asked_for_only_own_events_are_told(world, inside, sign_up, query):
    sign_up(BOB, "Bob Other")
    happen(world, "phone:removed", BOB)
    page = inside.get(f"{PAGE}?{query}")
    assert page.status == 200
    assert "Phone number removed" not in page.text


def test_somebody_elses_event_id_leads_to_own_events_alone(world, inside, sign_up):
    sign_up(BOB, "Bob Other")
    bobs = happen(world, "phone:removed", BOB)
    assert "Phone number removed" not in lines(inside, f"{PAGE}?before={bobs + 1}")
    assert lines(inside, f"{PAGE}?before={bobs + 1}") == lines(inside)


def test_names_and_reasons_are_text_whatever_is_in_them(world, inside):
    happen(
        world, "account:blocked", desk=True, person_id=None,
        reason="<script>alert(1)</script>", ticket='"><b>',
    )  # fmt: skip
    page = inside.get(PAGE)
    assert "<script>alert" not in page.html
    assert "<script>alert(1)</script>" in page.text


def test_strangers_are_sent_to_sign_in(visitor):
    assert visitor.get(PAGE).location == f"/sign-in?next={PAGE}"


def test_failures_of_others_and_changes_are_told(world, inside):
    sign_in(world.visitor(), ANN, "not this one at all")
    world.change_password(inside, PASSWORD, OTHER_PASSWORD)
    assert lines(inside)[:2] == [
        "Password changed", "Sign-in refused: the password was wrong",
    ]  # fmt: skip
    assert "/security/password" in inside.get(PAGE).links.values()
