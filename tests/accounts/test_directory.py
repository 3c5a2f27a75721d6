"""Whatever changes a name, an address, a username or a number: whoever searches finds it so."""

import importlib.util
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from portal.accounts import directory, people
from portal.accounts.models import Person, SearchTerm
from portal.accounts.search import search
from portal.core import clock
from portal.core.db import db, transaction
from tests.conftest import open_account
from tests.policy.world import ANN, NUMBER, OTHER_NUMBER, World

BOB, NEW = "bob@example.net", "sana@example.com"


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def ann(world):
    return world.account()


def found(world, typed, after=None, most=20):
    """The addresses of those found, after the whole index was seen to be right."""
    with world.app.test_request_context():
        kept = {}
        for row in db.session.scalars(select(SearchTerm)):
            kept.setdefault(row.person_id, set()).add(row.term)
        everybody = db.session.scalars(select(Person)).all()
        assert kept == {each.id: directory.terms(each) for each in everybody}
        return [each.email for each in search(typed, after, most).people]


def change(browser, **said):
    browser.get("/profile")
    assert browser.submit("/profile/name", **said).location == "/profile"


def write(world, email, **values):
    """As an object, the way stories write."""
    with world.app.app_context(), transaction():
        for name, value in values.items():
            setattr(people.find(email), name, value)


def test_who_signs_up_is_found_by_every_word(world, ann):
    for typed in ("ann", "MILLER", "mill a", "Ann  Miller", ANN, "ann@exa", "No. 1", "1"):
        assert found(world, typed) == [ANN], typed


def test_who_signs_up_again_is_found_by_the_newest_name_alone(world):
    open_account(world.visitor(), ANN, "Ann Miller")
    world.post.deliver()
    assert found(world, "miller") == [ANN]
    world.write("DELETE FROM throttle")
    open_account(world.visitor(), ANN, "Anna Brown")
    assert (found(world, "miller"), found(world, "brown")) == ([], [ANN])


def test_a_name_and_a_username_are_followed(world, ann):
    browser = world.inside()
    change(browser, full_name="Zoë O’Brien-Łuć", username="Zo.Luc_7")
    assert found(world, "zoe obrien") == []
    for typed in ("zoe", "ZOË", "brien", "zoe o’brien", "zo.luc", "zo.luc_7", "łuc"):
        assert found(world, typed) == [ANN], typed
    change(browser, full_name="Ann Miller", username="")
    assert found(world, "zo") == found(world, "brien") == []


def test_an_address_is_followed_once_it_is_confirmed(world, ann):
    _old, new = world.wish_for(world.inside(), NEW)
    assert found(world, "sana@") == []
    browser = world.visitor()
    browser.get(new.confirm_email)
    browser.submit(new.confirm_email)
    assert (found(world, "sana@"), found(world, ANN)) == ([NEW], [])


def test_whoever_only_signed_up_with_an_address_gives_way_in_the_index_too(world, ann):
    open_account(world.visitor(), NEW, "Thief Somebody")
    _old, new = world.wish_for(world.inside(), NEW)
    browser = world.visitor()
    browser.get(new.confirm_email)
    browser.submit(new.confirm_email)
    assert (found(world, NEW), found(world, "thief")) == ([NEW], [])


def test_a_number_is_followed_when_it_comes_goes_and_moves_on(world, ann):
    world.add_phone(world.inside())
    assert found(world, NUMBER) == [ANN]
    world.account(BOB, "Bob Brown")
    bob = world.inside(BOB)
    world.write("DELETE FROM throttle")
    world.add_phone(bob)
    assert found(world, NUMBER) == [BOB]
    bob.get("/security/phone")
    bob.submit("/security/phone/remove")
    assert found(world, NUMBER) == []


def test_holding_an_account_takes_its_number_out_of_the_index(world, ann):
    world.add_phone(world.inside())
    notice = next(mail for mail in world.post.deliver() if "/recover/not-you/" in mail.text)
    browser = world.visitor()
    browser.get(notice.not_you)
    browser.submit(notice.not_you)
    assert (found(world, NUMBER), found(world, "ann")) == ([], [ANN])


WRITTEN = ["+44 7400 218305", "07400 218305", "(07400) 218-305", "0044 7400 218305", "447400218305",
           "07400 21", "+447400", "+44 (0)7400 218305", "０７４００ 218305"]  # fmt: skip


def test_a_number_is_found_as_people_write_it(world, ann):
    write(world, ANN, phone=NUMBER)
    assert {typed: found(world, typed) for typed in WRITTEN} == {typed: [ANN] for typed in WRITTEN}
    write(world, ANN, phone=OTHER_NUMBER.replace("7400", "7911"))
    assert {typed: found(world, typed) for typed in WRITTEN} == {typed: [] for typed in WRITTEN}


def test_a_username_that_is_freed_is_not_found_any_more(world, ann):
    """In one statement, on somebody whom the session never reads."""
    open_account(world.visitor(), BOB, "Carla Bob")
    write(world, BOB, username="Carla", username_key="carla")
    assert found(world, "carla") == [BOB]
    change(world.inside(), full_name="Ann Miller", username="Carla")
    assert sorted(found(world, "carla")) == [ANN, BOB]  # hers is still her name
    assert found(world, "carla ann") == [ANN]


def test_a_statement_about_many_is_followed(world, ann):
    world.account(BOB, "Bob Brown")
    with world.app.app_context(), transaction() as session:
        session.execute(update(Person).values(full_name="Nobody Special"))
    assert sorted(found(world, "special")) == [ANN, BOB]
    assert found(world, "miller") == found(world, "brown") == []


def test_what_is_undone_is_undone_in_the_index(world, ann):
    class StopIt(Exception):
        pass

    with world.app.app_context(), pytest.raises(StopIt), transaction() as session:
        people.find(ANN).full_name = "Somebody Else"
        session.flush()
        raise StopIt
    assert (found(world, "miller"), found(world, "somebody")) == ([ANN], [])


def test_who_is_purged_is_gone_from_the_index(world, ann):
    world.command("users", "delete", ANN)
    world.write("UPDATE person SET deleted_at = '2001-01-01 00:00:00'")
    assert found(world, "ann") == [ANN]
    world.command("purge")
    assert found(world, "ann") == []


def test_the_migration_and_the_listener_write_the_same(world):
    """The rows of a database that was there before, written by the migration."""
    for number, name in enumerate(("Zoë  O’Brien-Łuć", "王小明", "محمد علي", "Ⅷ ﬁne ß", "")):
        open_account(world.visitor(), f"p{number}@example.org", "Somebody")
        write(world, f"p{number}@example.org", full_name=name, username_key=f"u.{number}_x")
    with world.app.app_context():
        before = {(row.person_id, row.term) for row in db.session.scalars(select(SearchTerm))}
        revision = _migration()
        with transaction() as session:
            session.execute(delete(SearchTerm))
            rows = session.execute(select(Person.__table__)).all()
            terms = [(row.id, term) for row in rows for term in revision._terms(row)]
            session.execute(
                insert(SearchTerm), [{"person_id": who, "term": term} for who, term in terms]
            )
        after = {(row.person_id, row.term) for row in db.session.scalars(select(SearchTerm))}
    assert before == after


def _migration():
    file = Path(__file__).parents[2] / "migrations/versions/0012_desk.py"
    spec = importlib.util.spec_from_file_location("desk", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ------------------------------------------------------------------ what is typed


@pytest.fixture
def crowd(world):
    """Many people, written at once."""
    names = "Ann Miller,Ann Miller,Anna-Lena O'Brien,Sean O'Brien,100% Real,A_B Under,"
    names += "王小明,محمد علي,Иван Петров,Müller Strauß,Zed Ann"
    now = clock.now()
    with world.app.app_context(), transaction() as session:
        for number, name in enumerate(names.split(","), 1):
            email = f"p{number}@example.org"
            session.add(invented(email, name, now))
    return world


def invented(email, name, now, **more):
    times = {"password_changed_at": now, "created_at": now}
    kept = {"email": email, "email_key": email, "full_name": name}
    return Person(role="user", password_hash="", **kept, **times, **more)


def numbers(world, typed):
    return sorted(int(each[1:].partition("@")[0]) for each in found(world, typed))


FINDS = [
    ("ann", [1, 2, 3, 11]),
    ("ann miller", [1, 2]),
    ("miller ann", [1, 2]),
    ("ann ann", [1, 2, 3, 11]),
    ("o'brien", [3, 4]),
    ("o’brien sean", [4]),
    ("anna-lena", [3]),
    ("lena anna", [3]),
    ("100%", [5]),
    ("%", []),
    ("_", []),
    ("a_b", [6]),
    ("axb", []),
    ("a%", []),
    ("王", [7]),
    ("王小明", [7]),
    ("小", []),
    ("محمد", [8]),
    ("علي محمد", [8]),
    ("иван", [9]),
    ("ИВАН пет", [9]),
    ("muller", [10]),
    ("MÜLLER STRAUSS", [10]),
    ("p1@example.org", [1]),
    (" p1@EXAMPLE.org ", [1]),
    ("p1@", [1]),
    ("'", []),
    ('" OR 1=1 --', []),
    ("'; DROP TABLE person; --", []),
    ("\\", []),
    ("a\0nn", []),
    ("\0", []),
    ("\ud800", []),
    ("ann\udfff", [1, 2, 3, 11]),
    ("\U0010ffff", []),
    ("ann \U0010ffff\U0010ffff", [1, 2, 3, 11]),
    ("\ud7ff", []),
    ("\u202eann", [1, 2, 3, 11]),
    ("", []),
    ("   ", []),
    ("no. 4", [4]),
    ("#4", [4]),
    ("No 999999999999999999", []),
    ("account 4", [4]),
    ("-1", [5]),
    ("ann %", []),
    ("miller, ann", [1, 2]),
    ("10_", []),
    ("٤", []),
    ("nobody", []),
    ("ann " * 30, [1, 2, 3, 11]),
    ("a n", []),
]


def test_what_is_typed_finds_those_and_no_others(crowd):
    told = {typed: numbers(crowd, typed) for typed, _expected in FINDS}
    assert told == dict(FINDS)


def test_more_than_anybody_types_is_refused_in_words(crowd):
    with crowd.app.test_request_context():
        refused = search("ann " * 2500, None, 20)
        assert (refused.people, refused.older) == ((), None)
        assert refused.refused == "Search with fewer words: at most 200 characters."
        assert search("x" * 200, None, 20).refused == ""


def test_somebody_is_found_by_the_long_number_in_any_case(crowd):
    with crowd.app.test_request_context():
        uuid = people.get(5).uuid
        for typed in (str(uuid), str(uuid).upper(), uuid.hex):
            assert [each.id for each in search(typed, None, 20).people] == [5]


def test_pages_are_complete_and_repeat_nobody(world):
    now = clock.now()
    with world.app.app_context(), transaction() as session:
        for number in range(1, 120):
            email = f"ann{number % 7}.p{number}@example.org"
            name = f"Ann Annabel O'Brien{number % 3} Eve"
            more = {"phone": f"+1{number:06}", "username_key": f"p{number}"}
            session.add(invented(email, name, now, **more))
    with world.app.test_request_context():
        for typed, count in (("ann", 119), ("p", 119), ("o'brien", 119), ("an e", 119), ("1", 1)):
            seen = walked(typed)
            assert seen == [each.id for each in search(typed, None, 500).people], typed
            assert (len(seen), len(set(seen))) == (count, count), typed


def walked(typed):
    """The ids on all pages, one after the other."""
    page, seen = search(typed, None, 7), []
    while True:
        assert len(page.people) == 7 or page.older is None
        seen += [each.id for each in page.people]
        if page.older is None:
            return seen
        page = search(typed, page.older, 7)


FORGED = ["", "0.0.", "9.1.ann", "0.999999999999999999.ann", "0.1.\0", "0.1.\ud800", "x", "0.1",
          "-1.1.a", "0.1." + "z" * 300, "0." + "9" * 30 + ".a", "%s%n", "0.1.'--"]  # fmt: skip


def test_a_forged_place_does_no_harm(crowd):
    with crowd.app.test_request_context():
        for after in FORGED:
            page = search("ann", after, 20)
            assert {each.id for each in page.people} <= {1, 2, 3, 11}, after
