"""Profiles over the wire: read as a whole, changed section by section, all or nothing."""

import pytest
from selectolax.lexbor import LexborHTMLParser

from tests.api.people import events, kept
from tests.attacks.naughty import TEXTS
from tests.rigs.caller import Caller
from tests.rigs.program import Program, Somebody, new_address, somebody
from tests.rigs.server import Server

PROFILE = "/api/v1/profile"
NO_LINKS = dict.fromkeys(
    ("website", "github", "gitlab", "linkedin", "x", "mastodon", "instagram", "youtube")
)
LINKS = {
    "website": "https://ann.example.org/",
    "github": "https://github.com/ann",
    "gitlab": "https://gitlab.com/ann",
    "linkedin": "https://www.linkedin.com/in/ann",
    "x": "https://x.com/ann",
    "mastodon": "https://fosstodon.org/@ann",
    "instagram": "https://instagram.com/ann",
    "youtube": "https://youtube.com/@ann",
}
SECTIONS = {
    "name": {"full_name": "Zoë 李 🦊", "username": None},
    "work": {"job_title": "Bäcker", "organisation": "Brot & <Söhne>"},
    "location": {"city": "Zürich", "country": "CH"},
    "social-links": {"social_links": LINKS},
    "bio": {"bio": 'I bake.\n\n<b>Bread</b> & "rolls" 🥖'},
}
CLEARED = {
    "work": {"job_title": None, "organisation": None},
    "location": {"city": None, "country": None},
    "social-links": {"social_links": NO_LINKS},
    "bio": {"bio": None},
}


@pytest.fixture(scope="module")
def ann(wire: Server) -> Somebody:
    """Somebody whom many tests share; each of them sets first what it looks at."""
    return somebody(wire)


@pytest.fixture
def program(wire: Server, ann: Somebody) -> Program:
    return Program(wire, ann.access)


def test_a_new_profile_has_a_name_and_everything_else_is_null(wire):
    eve = somebody(wire, full_name="Eve Stone")
    assert Program(wire, eve.access).get(PROFILE).json() == {
        "email": eve.email,
        "full_name": "Eve Stone",
        "username": None,
        "job_title": None,
        "organisation": None,
        "city": None,
        "country": None,
        "social_links": NO_LINKS,
        "bio": None,
        "picture": None,
        "picture_sizes": None,
    }


@pytest.mark.parametrize("section, body", SECTIONS.items())
def test_a_section_is_answered_as_it_is_stored_and_the_others_stay(wire, program, section, body):
    before = program.get(PROFILE).json()
    answer = program.put(f"{PROFILE}/{section}", body)
    assert (answer.status_code, answer.json()) == (200, body)
    assert program.get(PROFILE).json() == before | body


@pytest.mark.parametrize("section, body", CLEARED.items())
@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_an_empty_text_clear(program, section, body, nothing):
    program.put(f"{PROFILE}/{section}", SECTIONS[section])
    links = section == "social-links"
    sent = (
        {"social_links": dict.fromkeys(LINKS, nothing)} if links else dict.fromkeys(body, nothing)
    )
    answer = program.put(f"{PROFILE}/{section}", sent)
    assert (answer.status_code, answer.json()) == (200, body)
    assert program.get(PROFILE).json() == program.get(PROFILE).json() | body


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_a_username_is_given_back(wire, program, nothing):
    name = new_address("user").partition("@")[0]
    sent = {"full_name": "Ann Miller", "username": name}
    assert program.put(f"{PROFILE}/name", sent).json() == sent
    answer = program.put(f"{PROFILE}/name", sent | {"username": nothing})
    assert answer.json() == sent | {"username": None}


def test_links_that_are_left_out_are_gone(program):
    program.put(f"{PROFILE}/social-links", {"social_links": LINKS})
    sent = {"social_links": {"github": "@ann"}}
    answer = program.put(f"{PROFILE}/social-links", sent)
    assert answer.json() == {"social_links": NO_LINKS | {"github": "https://github.com/ann"}}
    answer = program.put(f"{PROFILE}/social-links", {"social_links": {}})
    assert answer.json() == {"social_links": NO_LINKS}


def test_what_is_stored_may_be_tidier_than_what_was_sent(program):
    answer = program.put(f"{PROFILE}/location", {"city": "  Bath \t Spa ", "country": "gb"})
    assert answer.json() == {"city": "Bath Spa", "country": "GB"}
    answer = program.put(f"{PROFILE}/bio", {"bio": "one\r\ntwo\n"})
    assert answer.json() == {"bio": "one\ntwo"}


REFUSED = [
    ("name", {"full_name": ""}, 422, "full_name"),
    ("name", {"full_name": None}, 422, "full_name"),
    ("name", {"full_name": "x" * 101}, 422, "full_name"),
    ("name", {"full_name": "Ann\u202e"}, 422, "full_name"),
    ("name", {"full_name": ["Ann"]}, 422, "full_name"),
    ("name", {"username": "ann"}, 422, "username"),
    ("name", {"username": "1234"}, 422, "username"),
    ("name", {"username": "änne"}, 422, "username"),
    ("name", {"username": 12345}, 422, "username"),
    ("work", {"job_title": "x" * 101}, 422, "job_title"),
    ("work", {"job_title": True}, 422, "job_title"),
    ("work", {"organisation": "a\0b"}, 422, "organisation"),
    ("work", {"organisation": {"name": "Loaf"}}, 422, "organisation"),
    ("location", {"city": "x" * 101}, 422, "city"),
    ("location", {"country": "XX"}, 422, "country"),
    ("location", {"country": "Switzerland"}, 422, "country"),
    ("location", {"country": 41}, 422, "country"),
    ("social-links", {"social_links": None}, 422, "social_links"),
    ("social-links", {"social_links": []}, 422, "social_links"),
    ("social-links", {"social_links": {"github": 1}}, 422, "social_links.github"),
    ("social-links", {"social_links": {"github": "https://a.example"}}, 422, "social_links.github"),
    ("social-links", {"social_links": {"x": "javascript:alert(1)"}}, 422, "social_links.x"),
    ("social-links", {"social_links": {"website": "ftp://a.example"}}, 422, "social_links.website"),
    ("social-links", {"social_links": {"myspace": "ann"}}, 400, "social_links.myspace"),
    ("bio", {"bio": "x" * 501}, 422, "bio"),
    ("bio", {"bio": "a\0b"}, 422, "bio"),
    ("bio", {"bio": 7}, 422, "bio"),
]


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("section, wrong, status, field", REFUSED)
def test_a_bad_value_is_named_and_changes_nothing(
    wire, ann, program, method, section, wrong, status, field
):
    before = kept(wire, ann.email)
    answer = program.call(method, f"{PROFILE}/{section}", SECTIONS[section] | wrong)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert list(problem["errors"]) == [field]
    assert all(problem["errors"][field])
    assert kept(wire, ann.email) == before


def test_all_that_is_wrong_is_told_at_once(program):
    answer = program.put(f"{PROFILE}/location", {"city": "x" * 101, "country": "XX"})
    assert set(answer.json()["errors"]) == {"city", "country"}
    sent = {"social_links": {"github": "ftp://x", "x": "#", "website": "https://ann.example.org"}}
    answer = program.put(f"{PROFILE}/social-links", sent)
    assert set(answer.json()["errors"]) == {"social_links.github", "social_links.x"}


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("section, missing", [(s, m) for s, body in SECTIONS.items() for m in body])
def test_a_section_is_sent_whole(wire, ann, program, method, section, missing):
    before = kept(wire, ann.email)
    rest = {name: value for name, value in SECTIONS[section].items() if name != missing}
    answer = program.call(method, f"{PROFILE}/{section}", rest)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [missing]
    assert kept(wire, ann.email) == before


FOREIGN = [
    {"role": "admin"},
    {"id": 1},
    {"uuid": "0f8fad5b-d9cb-469f-a165-70867728950e"},
    {"email": "eve@example.org"},
    {"email_proven_at": None},
    {"password_hash": "x"},
    {"password": "copper lantern tuesday"},
    {"blocked_at": None},
    {"person": {"role": "admin"}},
    {"person.role": "admin"},
    {"person[role]": "admin"},
    {"fullName": "Eve"},
    {"jobTitle": "Admin"},
    {"person_id": 1},
    {"picture_name": "0" * 32},
    {"__class__": "Person"},
    {"links": {"website": "https://eve.example.org/"}},
]


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("more", FOREIGN, ids=lambda more: next(iter(more)))
def test_nothing_but_the_section_itself_can_be_assigned(wire, ann, program, section, more):
    before = kept(wire, ann.email)
    answer = program.put(f"{PROFILE}/{section}", SECTIONS[section] | more)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == list(more)
    assert kept(wire, ann.email) == before


def test_members_of_another_section_are_unknown(wire, ann, program):
    before = kept(wire, ann.email)
    answer = program.put(f"{PROFILE}/bio", {"bio": "Baker.", "full_name": "Eve"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["full_name"])
    assert kept(wire, ann.email) == before


def test_a_username_is_one_persons_without_regard_to_case(wire, ann, program):
    name = new_address("user").partition("@")[0]
    bob = Program(wire, somebody(wire, full_name="Bob Hill").access)
    sent = {"full_name": "Bob Hill", "username": name.upper()}
    assert bob.put(f"{PROFILE}/name", sent).status_code == 200
    before = kept(wire, ann.email)
    answer = program.put(f"{PROFILE}/name", {"full_name": "Eve", "username": name})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["username"])
    assert kept(wire, ann.email) == before


def test_one_event_tells_what_was_changed(wire):
    eve = somebody(wire)
    Program(wire, eve.access).put(f"{PROFILE}/work", SECTIONS["work"])
    Program(wire, eve.access).put(f"{PROFILE}/bio", {"bio": "x" * 501})
    found = events(wire, eve.email, "profile:changed")
    assert [each["detail"] for each in found] == ["job_title, organisation"]
    assert found[0]["person_id"] == found[0]["actor_id"]


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
def test_a_section_is_put_or_posted_and_nothing_else(program, section, method):
    answer = program.call(method, f"{PROFILE}/{section}")
    assert answer.status_code == 405
    assert {"PUT", "POST"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_a_section_is_sent_as_json(wire, ann, program, kind):
    before = kept(wire, ann.email)
    headers = {"Content-Type": kind}
    answer = program.put(f"{PROFILE}/bio", data=b'{"bio": "x"}', headers=headers)
    assert answer.status_code == 415
    assert kept(wire, ann.email) == before


@pytest.mark.parametrize("path", ["", *(f"/{section}" for section in SECTIONS), "/picture"])
def test_without_a_token_there_is_nothing(wire, path):
    answer = Program(wire).call("PUT" if path else "GET", PROFILE + path, {} if path else None)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_the_token_of_an_address_that_is_not_proven_reads_and_changes_nothing(wire):
    email = new_address("new")
    wish = {"full_name": "New One", "email": email, "password": "copper lantern tuesday"}
    registered = Program(wire).post("/register", wish)
    assert registered.status_code == 201
    program = Program(wire, registered.json()["access_token"])
    assert program.get(PROFILE).json()["full_name"] == "New One"
    before = kept(wire, email)
    for section, body in SECTIONS.items():
        answer = program.put(f"{PROFILE}/{section}", body)
        assert (answer.status_code, answer.json()["code"]) == (403, "unproven")
    assert program.delete(f"{PROFILE}/picture").status_code == 403
    assert kept(wire, email) == before


def test_page_and_program_show_each_others_changes(wire):
    eve = somebody(wire, full_name="Eve Stone")
    program, browser = Program(wire, eve.access), Caller(wire.url)
    browser.open("/sign-in")
    browser.send("/sign-in", email=eve.email, password=eve.password)
    for section in ("work", "location", "social-links", "bio"):
        assert program.put(f"{PROFILE}/{section}", SECTIONS[section]).status_code == 200
    page = LexborHTMLParser(browser.open("/profile").text)
    assert [_typed(page, name) for name in ("job_title", "organisation", "city")] == [
        "Bäcker", "Brot & <Söhne>", "Zürich",
    ]  # fmt: skip
    assert {name: _typed(page, name) for name in LINKS} == LINKS
    assert page.css_first("option[selected]").attributes["value"] == "CH"
    assert page.css_first("textarea").text().strip() == SECTIONS["bio"]["bio"]
    assert browser.send("/profile/name", full_name="Eve Hill", username="").status == 303
    assert program.get(PROFILE).json()["full_name"] == "Eve Hill"
    assert browser.send("/profile/social-links", github="eve").status == 303
    assert program.get(PROFILE).json()["social_links"] == NO_LINKS | {
        "github": "https://github.com/eve"
    }


def _typed(page: LexborHTMLParser, name: str) -> str | None:
    return page.css_first(f"input[name={name}]").attributes["value"]


@pytest.mark.parametrize("section, body", SECTIONS.items())
def test_odd_texts_are_stored_as_they_are_answered_or_refused(wire, program, section, body):
    if section == "social-links":
        bodies = [{"social_links": dict.fromkeys(LINKS, each)} for each in TEXTS]
        bodies += [{"social_links": {each: "ann"}} for each in TEXTS]
    else:
        bodies = [dict.fromkeys(body, each) for each in TEXTS]
    for each in bodies:
        before = program.get(PROFILE).json()
        answer = program.put(f"{PROFILE}/{section}", each)
        now = program.get(PROFILE).json()
        assert answer.status_code in (200, 400, 422), (each, answer.text)
        assert now == (before | answer.json() if answer.status_code == 200 else before)


def test_half_a_character_is_no_text(wire, ann, program):
    before = kept(wire, ann.email)
    headers = {"Content-Type": "application/json"}
    answer = program.put(f"{PROFILE}/bio", data=b'{"bio": "\\ud800"}', headers=headers)
    assert answer.status_code == 400
    assert kept(wire, ann.email) == before
