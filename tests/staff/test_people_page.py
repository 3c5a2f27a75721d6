"""The page of people: searching, and what a search leaves behind."""

import logging
from urllib.parse import quote

import pytest
from sqlalchemy import event, update

from portal.accounts import people
from portal.accounts.models import Person
from portal.core import clock
from portal.core.db import db, transaction
from tests.policy.world import ANN, World

PEOPLE = "/admin/people"


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def viewer(world, agent):
    return agent("viewer")


def write(world, **values):
    """What becomes of Ann."""
    with world.app.app_context():
        db.session.execute(update(Person.__table__).where(Person.email == ANN).values(**values))
        db.session.commit()


def add(world, count):
    """Many called Mona."""
    with world.app.app_context(), transaction():
        for number in range(count):
            people.add(f"mona{number}@example.org", f"Mona Crowd{number}", "user", "x")


def searched(browser, words):
    """Through the form in the top bar."""
    browser.get(PEOPLE)
    return browser.submit(PEOPLE, q=words)


def rows(page):
    return page.find("tbody tr")


def test_nothing_is_listed_before_a_search(viewer, ann):
    page = viewer.get(PEOPLE)
    assert (page.status, page.h1, rows(page)) == (200, "People", [])
    assert "Find a person" in page.text
    assert ANN not in page.text
    for nothing in ("", "   ", "%00", "%20%09"):
        assert rows(viewer.get(f"{PEOPLE}?q={nothing}")) == []


def test_a_search_lists_name_address_state_and_last_sign_in(world, viewer, ann, time):
    world.inside()
    page = searched(viewer, "miller")
    (row,) = rows(page)
    told = (ann.full_name, ANN, "Email confirmed", f"{time.at.day} {time.at:%B %Y}")
    assert [each for each in told if each not in row] == []
    assert page.links[ann.full_name].startswith(f"{PEOPLE}/")
    assert page.form(PEOPLE).fields == {"q": "miller"}
    assert viewer.get(page.links[ann.full_name]).h1 == ann.full_name


TAGS = {
    "blocked_at": "Blocked",
    "held_at": "Waits for a new password",
    "deleted_at": "Deleted",
    "two_step_at": "Two-step sign-in on",
}


def test_states_are_told_at_a_glance(world, viewer, ann):
    for column, tag in TAGS.items():
        write(world, **{column: clock.now()})
        assert tag in searched(viewer, "ann").find("tbody .tag")
    write(world, email_proven_at=None)
    assert "Email not confirmed" in searched(viewer, "ann").find("tbody .tag")
    assert "Viewer" in searched(viewer, viewer.email).find("tbody .tag")


def test_who_never_signed_in_is_told_from_whose_sign_in_is_not_kept_any_more(world, viewer, ann):
    world.write(
        "DELETE FROM session WHERE person_id IN (SELECT id FROM person WHERE role = 'user')"
    )
    assert "Never" in rows(searched(viewer, "ann"))[0]
    world.write("UPDATE person SET created_at = '2020-01-01 00:00:00'")
    assert "Not in the last 30 days" in rows(searched(viewer, "ann"))[0]


def test_two_people_of_one_name_are_told_apart_by_their_addresses(viewer, sign_up):
    for email in ("one@example.org", "two@example.org"):
        sign_up(email, "Noor Same")
    found = rows(searched(viewer, "noor same"))
    assert len(found) == 2
    assert ("one@" in found[0], "two@" in found[1]) == (True, True)


def test_who_is_not_found_is_not_an_end(viewer, ann):
    page = searched(viewer, "zzz")
    assert rows(page) == []
    assert "the beginning of each name is enough" in page.text


def test_too_long_a_search_says_so(viewer, ann):
    page = viewer.get(f"{PEOPLE}?q={'ann+' * 2500}")
    assert page.status == 200
    assert page.summary == ["Search with fewer words: at most 200 characters."]
    assert rows(page) == []


@pytest.mark.parametrize(
    "words",
    ["%", "_", "'", '"', "\\", "a%", "<script>alert(1)</script>", "'; DROP TABLE person; --",
     "\0", "\U0010ffff", "é" * 200, "x" * 10_000, "(" * 150, "1" * 150,
     "a b c d e f g h i j k l m n o p q r s t u v w x y z", "{{7*7}}", "%(q)s", "@", "a@", "@b.c",
     "00000000-0000-0000-0000-000000000000", "-1", "9" * 19, "no. 0", "+", "+4", "+" * 100],
)  # fmt: skip
def test_whatever_is_typed_is_answered_and_finds_nobody_who_is_not_meant(viewer, ann, words):
    page = viewer.get(f"{PEOPLE}?q={quote(words)}")
    assert page.status == 200
    assert [row for row in rows(page) if ANN in row] == []


@pytest.mark.parametrize("words", ["ann\0", "\0ann", "\u202eann", "ann '", "\tANN\n"])
def test_what_no_name_has_counts_as_a_space(viewer, ann, words):
    assert len(rows(viewer.get(f"{PEOPLE}?q={quote(words)}"))) == 1


@pytest.mark.parametrize("after", ["%00", "0.1.%00", "%ff", "x", "0.1.a", "9.9.z" * 100, "'--"])
def test_a_forged_place_is_harmless(viewer, ann, after):
    assert viewer.get(f"{PEOPLE}?q=ann&after={after}").status == 200


def test_bytes_that_are_no_text_are_harmless(viewer, ann):
    for query in ("q=%ff%fe", "q=%ed%a0%80", "q=%F0", "q", "q=a&q=b", "after=1", "q[]=a"):
        assert viewer.get(f"{PEOPLE}?{query}").status == 200


def test_pages_go_on_until_everybody_was_seen_once(world, viewer):
    add(world, 45)
    page, seen = searched(viewer, "mona"), []
    while True:
        seen += [href for words, href in page.links.items() if words.startswith("Mona")]
        if "Next" not in page.links:
            break
        page = viewer.get(page.links["Next"])
    assert (len(seen), len(set(seen))) == (45, 45)
    assert page.links["Back to the first"] == f"{PEOPLE}?q=mona"


def test_the_words_searched_reach_no_log(viewer, ann, caplog):
    caplog.set_level(logging.DEBUG)
    page = searched(viewer, "miller")
    assert rows(page)
    viewer.get(f"{PEOPLE}?q=miller&after=0.1.milk")
    said = [record.getMessage() for record in caplog.records]
    assert [line for line in said if line.startswith(f"GET {PEOPLE} 200 ")]
    assert [line for line in said if "mill" in line.lower() or "milk" in line] == []


def test_one_page_asks_the_database_as_often_for_twenty_as_for_one(world, viewer, ann):
    add(world, 20)
    one, twenty = (_statements(world, viewer, words) for words in ("miller", "mona"))
    assert twenty <= one


def _statements(world, browser, words):
    seen = []
    note = lambda *told: seen.append(told[2])  # noqa: E731
    with world.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    browser.get(f"{PEOPLE}?q={words}")
    event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def test_others_do_not_find_the_page(world, visitor, ann):
    assert visitor.get(PEOPLE).location == f"/sign-in?next={PEOPLE}"
    page = world.inside().get(f"{PEOPLE}?q=ann")
    assert (page.status, "Miller" in page.text) == (404, False)
