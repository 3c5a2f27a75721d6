"""The log of what colleagues did: who, to whom, when and why; and the same as a file."""

import csv
import io
import re
import tracemalloc
from datetime import timedelta
from functools import partial
from itertools import islice
from resource import RUSAGE_SELF, getrusage

import pytest
from sqlalchemy import event as events
from sqlalchemy import text

from portal.accounts import people
from portal.core import audit, clock
from portal.core.audit import By, Event
from portal.core.db import db, transaction
from portal.staff import acted, chosen, spreadsheet
from tests.rigs.visitor import Visitor

ROWS = 100_000
FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\u200b=1", "＝1",
    "＋1", "－1", "＠x", "﹦1", "﹢1", "﹣1", "﹫x", "−1", "\u202e=1", "\ufeff=1", "'=1", '"=1',
    "x;=cmd|' /C calc'!A0", "x,=1", "x\t=1", "x\r\n=1", 'x"=1', "x;  =1", "x|@y",
]  # fmt: skip
HOSTILE = [
    "-" + "9" * 40, "'", '"', "<script>alert(1)</script>", "%00", "%ED%A0%80", "9" * 40, "-1", "%",
    "1 OR 1=1",
    "2026-13-45", "0001-01-01", "9999-12-31", "😀", "x" * 10_000, "../..", "00000000-0000-0000",
]  # fmt: skip


@pytest.fixture
def ruth(agent) -> Visitor:
    return agent("support", email="ruth@example.org", full_name="Ruth Lund")


@pytest.fixture
def put(app):
    """put("account:blocked", about="ann@example.org", ...) -> the id of an event of the desk."""

    def make(kind="account:blocked", about="", by="ruth@example.org", **said) -> int:
        with app.app_context():
            actor, person = people.find(by), people.find(about) if about else None
            by_desk = By(actor.id if actor else None, "192.0.2.0/24", "Firefox on Linux", desk=True)
            detail = said.pop("detail", "")
            with transaction():
                who = By(**(vars(by_desk) | said))
                made = audit.record(kind, person.id if person else None, who, detail=detail)
                return made.id

    return make


def uuid_of(app, email: str) -> str:
    with app.app_context():
        return str(people.find(email).uuid)


def titles(page) -> list[str]:
    return page.find("tbody th")


def table(page) -> list[list[str]]:
    assert page.status == 200
    assert page.body.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(page.body.decode("utf-8-sig"), newline=""), strict=True))


def test_a_line_says_who_did_what_to_whom_when_and_why(app, ruth, ann, put):
    said = {"verified_by": "Called back", "reason": "lost phone", "ticket": "HD-20418"}
    put(about=ann.email, request="0123456789abcdef", **said)
    page = ruth.get("/admin/log")
    cells = page.find("tbody tr:first-child > *")
    assert cells[1:4] == ["Account blocked", "Ruth Lund ruth@example.org", "Ann Miller"]
    assert "UTC" in cells[0]
    for words in "Called back", "lost phone", "HD-20418", "0123456789abcdef":
        assert words in cells[4]
    assert page.links["Ann Miller"] == f"/admin/people/{uuid_of(app, ann.email)}"


def test_the_operator_is_called_so(ruth, ann, put):
    put(about=ann.email, by="nobody@example.org")
    assert "The operator" in ruth.get("/admin/log").find("tbody tr:first-child td")


def test_what_people_do_themselves_is_not_in_it(ruth, inside):
    assert "Signed in" not in titles(ruth.get("/admin/log"))


def test_whoever_is_gone_is_shown_by_number_and_can_still_be_chosen(app, ruth, ann, put):
    put(about=ann.email)
    with app.app_context():
        number = people.find(ann.email).id
        with transaction() as session:
            session.execute(text("DELETE FROM profile WHERE person_id = :id"), {"id": number})
            session.execute(text("DELETE FROM person WHERE id = :id"), {"id": number})
    page = ruth.get("/admin/log")
    assert f"account {number} (deleted)" in page.text
    assert len(titles(ruth.get(f"/admin/log?person={number}"))) == 1


def test_it_is_sifted_by_colleague_kind_day_and_person(app, ruth, ann, sign_up, put, time):
    bob = sign_up("bob@example.org", "Bob Hill")
    put("account:blocked", ann.email)
    time.pass_(days=2)
    put("account:unblocked", bob.email)
    put("account:unblocked", ann.email, by="nobody@example.org")
    seen = partial(_found, app)
    today = f"{clock.now():%Y-%m-%d}"
    before = f"{clock.now() - timedelta(days=1):%Y-%m-%d}"
    assert seen("kind=account:blocked") == ["Account blocked"]
    assert seen(f"person={uuid_of(app, bob.email)}") == ["Account unblocked"]
    ours = f"by={uuid_of(app, 'ruth@example.org')}"
    assert seen(ours) == ["Account unblocked", "Account blocked"]
    assert seen("by=operator")[0] == "Account unblocked"
    assert "Account blocked" not in seen("by=operator")
    assert seen(f"{ours}&since={today}&until={today}") == ["Account unblocked"]
    assert seen(f"{ours}&until={before}") == ["Account blocked"]
    assert seen(f"{ours}&kind=account:blocked&since={today}") == []


def _found(app, query: str) -> list[str]:
    """What the page shows, whoever looks: the clock has left every sign-in behind."""
    with app.test_request_context():
        values = dict(each.split("=", 1) for each in query.split("&"))
        return [line.title for line in acted.page(chosen.read(values), None).lines]


def test_the_form_keeps_what_was_chosen(app, ruth, ann, put):
    put(about=ann.email)
    ours = uuid_of(app, "ruth@example.org")
    page = ruth.get(f"/admin/log?by={ours}&kind=account:blocked&since=2026-01-01&opened=no")
    chosen_ = {"by": ours, "kind": "account:blocked", "since": "2026-01-01", "until": ""}
    assert page.form("/admin/log").fields == chosen_ | {"opened": "no"}
    assert len(titles(ruth.submit("/admin/log", kind="staff:invited"))) == 0


def test_opened_pages_are_shown_and_can_be_left_out(app, ruth, ann):
    ruth.get(f"/admin/people/{uuid_of(app, ann.email)}")
    page = ruth.get("/admin/log")
    assert titles(page)[0] == "Account page opened"
    assert "Account page opened" not in titles(ruth.get(page.links["Without pages opened"]))


def test_it_is_read_page_by_page_and_nothing_is_counted(app, ruth, ann, put):
    ids = [put(about=ann.email, ticket=f"T-{number}") for number in range(acted.MOST + 5)]
    statements = []
    with app.app_context():
        events.listen(db.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    page = ruth.get("/admin/log?kind=account:blocked")
    assert not [each for each in statements if "count(" in each.lower()]
    assert len(titles(page)) == acted.MOST
    assert f"before={ids[5]}" in page.links["Older"]
    older = ruth.get(page.links["Older"])
    assert len(titles(older)) == 5
    assert "kind=account" in older.links["Newest"]


def test_reading_is_no_event(app, ruth):
    ruth.get("/admin/log")
    before = _count(app)
    ruth.get("/admin/log?kind=account:blocked")
    assert _count(app) == before


@pytest.mark.parametrize("name", ["by", "person", "kind", "since", "until", "opened", "before"])
def test_no_query_makes_it_fall_over(app, agent, name):
    reader = agent("viewer")
    for value in HOSTILE:
        page = reader.get(f"/admin/log?{name}={value}")
        assert page.status == 200, value
        assert "<script>alert" not in page.html


def test_what_is_no_day_is_said(ruth):
    page = ruth.get("/admin/log?since=2026-02-30")
    assert page.errors == {"since": "Enter a day like 2026-11-21"}
    assert page.title.startswith("Error: ")
    assert ruth.get("/admin/log.csv?since=2026-02-30").location == "/admin/log?since=2026-02-30"


def test_the_file_holds_every_line_and_says_where_it_ends(app, ruth, ann, put):
    said = {"reason": 'said "it hurts", and\nmore', "ticket": "HD-1", "verified_by": "Called back"}
    put(about=ann.email, **said)
    page = ruth.get("/admin/log.csv?kind=account:blocked")
    assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert page.headers["Content-Disposition"].startswith('attachment; filename="log-')
    assert page.headers["Cache-Control"] == "no-store"
    heading, line, end = table(page)
    read = dict(zip(heading, line, strict=True))
    assert (read["Who"], read["To whom"], read["Reason"]) == (
        "Ruth Lund",
        "Ann Miller",
        said["reason"],
    )
    assert read["Mark"]
    assert end[0] == "End of the log: 1 events"
    assert len(end) == len(heading)
    lines = page.body.replace(b"and\nmore", b"").split(b"\r\n")
    assert all(b"\n" not in each for each in lines)


def test_taking_it_out_is_an_event_with_what_was_chosen(app, ruth, put):
    ours = uuid_of(app, "ruth@example.org")
    ruth.get(f"/admin/log.csv?by={ours}&since=2026-01-01")
    for odd in "by=<script>", "kind=<script>", "person={00000000-0000-0000-0000-000000000000}":
        assert len(table(ruth.get(f"/admin/log.csv?{odd}"))) == 2
    page = ruth.get("/admin/log?kind=log:exported")
    assert titles(page) == ["Log taken out as a file"] * 4
    *odd, first = page.find("td.why")
    assert all(each.startswith("Chosen: nothing.") for each in odd)
    assert first.startswith(f"Chosen: by={ours} since=2026-01-01.")
    with app.app_context():
        last = db.session.query(Event).order_by(Event.id.desc()).first()
        assert (last.desk, last.person_id, last.actor_id is not None) == (True, None, True)


def test_who_only_reads_takes_nothing_out(app, agent):
    reader = agent("viewer")
    assert "Take this out as a file (CSV)" not in reader.get("/admin/log").links
    before = _count(app)
    assert reader.get("/admin/log.csv").status == 403
    assert _count(app) == before


def test_for_people_it_is_not_there(inside):
    assert inside.get("/admin/log").status == 404
    assert inside.get("/admin/log.csv").status == 404


@pytest.mark.parametrize("formula", FORMULAS, ids=range(len(FORMULAS)))
def test_no_cell_is_a_formula_wherever_a_spreadsheet_parts_them(formula):
    raw = spreadsheet.row(["1", formula, "2"])
    (cells,) = csv.reader(io.StringIO(raw, newline=""), strict=True)
    pieces = [each for sign in ",;|\t" for each in re.split(rf"[\r\n{sign}]", raw)]
    for shown in (*cells, *pieces):
        assert not re.match(rf'["{spreadsheet.UNSEEN}]*[{spreadsheet.ACTING}]', shown)
    assert cells[1].startswith("'") or cells[1][0] not in "\t\r\n"


def test_what_is_no_formula_stays_as_it_is():
    for plain in (
        "Ann-Marie O'Neil",
        "a, b; c",
        "ann@example.org",
        "2026-11-21T00:00:00Z",
        "李 🦊",
        "",
    ):
        assert next(csv.reader([spreadsheet.row([plain])])) == [plain]


def test_a_hundred_thousand_rows_leave_in_flat_memory(app, ruth):
    """Read in pieces, with no connection in hands between them."""
    with app.app_context():
        row = dict.fromkeys(("network", "device", "verified_by", "reason", "ticket"), "x" * 30)
        row |= {"kind": "account:blocked", "detail": "", "request": "", "mark": "", "person_id": 1}
        row |= {"actor_id": 1, "desk": True, "at": clock.now(), "place": None}
        with transaction() as session:
            for start in range(0, ROWS, 10_000):
                some = [row | {"id": 1000 + start + each} for each in range(10_000)]
                session.execute(Event.__table__.insert(), some)
        pool = db.engine.pool
    path = "/admin/log.csv?kind=account:blocked"
    answer = ruth.client.get(path, base_url=ruth.site, buffered=False)
    pieces, size = answer.iter_encoded(), len(next(answer.iter_encoded()))
    before = getrusage(RUSAGE_SELF).ru_maxrss
    for piece in islice(pieces, 150):
        size += len(piece)
    tracemalloc.start()  # the last quarter, under the glass: nothing is left of any piece
    for piece in pieces:
        size += len(piece)
    left, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    grown = getrusage(RUSAGE_SELF).ru_maxrss - before
    answer.close()
    assert piece.startswith(b'"End of the log: 100000 events"')
    assert size > 20_000_000
    assert left < 1_000_000
    assert peak < 10_000_000
    assert grown < 30_000  # kilobytes
    assert pool.checkedout() == 0


def test_a_file_that_breaks_off_has_no_last_line(app, ruth, ann, put, monkeypatch):
    for _each in range(3):
        put(about=ann.email)
    monkeypatch.setattr(acted, "AT_ONCE", 1)
    answer = ruth.client.get(
        "/admin/log.csv?kind=account:blocked", base_url=ruth.site, buffered=False
    )
    pieces = answer.iter_encoded()
    got = next(pieces) + next(pieces)
    _rename(app, "event", "gone")
    with pytest.raises(Exception, match="event"):
        got += b"".join(pieces)
    answer.close()
    _rename(app, "gone", "event")
    assert b"End of the log" not in got


def _rename(app, table, name) -> None:
    with app.app_context(), transaction() as session:
        session.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


def _count(app) -> int:
    with app.app_context():
        return db.session.scalar(text("SELECT count(*) FROM event"))


def test_a_colleague_with_anothers_name_is_told_apart_by_the_address(app, agent, ann):
    """Anybody can call oneself "The operator"."""
    browser = agent("support")
    browser.get("/profile")
    browser.submit("/profile/name", full_name="The operator")
    with app.app_context():
        person = people.find(ann.email)
    block = f"/admin/people/{person.uuid}"
    browser.get(block)
    why = {"verified_by": "called back", "reason": "stolen", "ticket": "HD-1"}
    assert browser.submit(f"{block}/block", **why).location == block
    assert "The operator (support@example.org) blocked" in browser.get(block).text
    assert "support@example.org" in browser.get("/admin/log").find("tbody tr")[0]
