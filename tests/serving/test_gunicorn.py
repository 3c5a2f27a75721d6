"""Gunicorn with the configuration that is shipped: what it survives, and what it leaves behind."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest
from gunicorn.config import Config

from deploy import lines
from tests.rigs.caller import Caller
from tests.rigs.gunicorn import CONF, Gunicorn
from tests.rigs.load import Load
from tests.rigs.server import Server
from tests.rigs.slow import SlowClients

pytestmark = pytest.mark.journey
CORES = sorted(os.sched_getaffinity(0))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Gunicorn(tmp_path_factory.mktemp("gunicorn")) as portal:
        yield portal


def environment_of(pid):
    lines = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(line.partition("=")[::2] for line in lines if line)


def test_what_it_read_is_read_anew_by_processes_that_are_started_later():
    """They are forked from the one that read its configuration, also when new code has come."""
    lines = f"import runpy, sys; runpy.run_path({str(CONF)!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    kept = {name.partition(".")[0] for name in done.stdout.split()}
    assert "gunicorn" in kept
    assert not kept & {"config", "deploy", "dotenv", "portal", "prometheus_client"}


def lines_of(pid):
    """How many sockets it holds."""
    found = 0
    for each in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):  # closed while we look
            found += os.readlink(f"/proc/{pid}/fd/{each}").startswith("socket:")
    return found


def test_clients_that_stay_are_shared_by_the_processes(served):
    """A proxy keeps its connections: one process with all of them would do all the work."""
    until = time.monotonic() + 60  # one of them may still be loading, on a busy machine
    while min(shares := shared_by(served)) < 3:
        assert time.monotonic() < until, shares


def shared_by(served):
    """How many of twelve clients each process has."""
    before = {pid: lines_of(pid) for pid in served.workers()}
    lines = [socket.create_connection(("127.0.0.1", served.port)) for _each in range(12)]
    for line in lines:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    for line in lines:
        assert b" 200 OK" in line.recv(4096)
    shares = [lines_of(pid) - count for pid, count in before.items()]
    for line in lines:
        line.close()
    return shares


ASK = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def answers(line, count):
    """Reads so many answers, all of them alike."""
    got = b""
    while got.count(b"\r\n\r\nok\n") < count:
        part = line.recv(4096)
        assert part, got
        got += part
    return got.count(b"HTTP/1.1 200 OK")


def test_requests_on_one_connection_are_all_answered_soon_or_late_or_at_once(served):
    """A thread stays for the next one; after a while the connection waits elsewhere."""
    with socket.create_connection(("127.0.0.1", served.port)) as line:
        for pause in 0, 0, 0.1, 0, 0.3:
            time.sleep(pause)
            line.sendall(ASK)
            assert answers(line, 1) == 1
        line.sendall(ASK * 3)
        assert answers(line, 3) == 3
        line.sendall(ASK)
        assert answers(line, 1) == 1


def test_busy_connections_leave_a_thread_to_those_who_come(tmp_path):
    """More of them than threads, none of which ever waits for its client."""
    few = {"WEB_CONCURRENCY": "1", "GUNICORN_CMD_ARGS": "--threads 2"}
    over = threading.Event()

    def busy(portal):
        with socket.create_connection(("127.0.0.1", portal.port), timeout=20) as line:
            count = 0
            while not over.is_set():
                line.sendall(ASK)
                count += answers(line, 1)
            return count

    with Gunicorn(tmp_path, **few) as portal, ThreadPoolExecutor(6) as pool:
        clients = [pool.submit(busy, portal) for _each in range(6)]
        try:
            for _each in range(30):
                with socket.create_connection(("127.0.0.1", portal.port), timeout=20) as line:
                    line.sendall(ASK)
                    assert answers(line, 1) == 1
        finally:
            over.set()
        assert min(each.result() for each in clients) > 0


def cores_of(portal):
    return sorted((os.sched_getaffinity(pid) for pid in portal.workers()), key=min)


@pytest.mark.skipif(len(CORES) < 2, reason="takes two processors")
def test_each_process_has_a_core_of_its_own_also_after_a_reload(tmp_path):
    with Gunicorn(tmp_path, WEB_CONCURRENCY=str(len(CORES))) as portal:
        portal.reload()
        until = time.monotonic() + 20
        while (kept := cores_of(portal)) != [{core} for core in CORES]:
            assert time.monotonic() < until, kept
            time.sleep(0.1)


def test_a_process_that_is_killed_is_replaced_and_the_others_serve_on(served):
    victim, other = served.workers()
    with Load(served.url, "/healthz") as load:
        os.kill(victim, signal.SIGKILL)
        until = time.monotonic() + 20
        while len(set(served.workers()) - {victim}) < 2:
            assert time.monotonic() < until, served.log()
            time.sleep(0.05)
        heard = len(load.answers)
        while len(load.answers) < heard + 50:
            assert time.monotonic() < until, served.log()
            time.sleep(0.05)
    assert other in served.workers()
    assert len(load.failed) <= 4, "more than were under way"


def test_a_reload_under_load_fails_no_request(served):
    before = set(served.workers())
    with Load(served.url, "/sign-in") as load:
        served.reload()
    assert load.failed == []
    assert load.answers
    assert set(load.answers) == {200}
    assert not before & set(served.workers())


def test_what_is_under_way_is_answered_before_the_end(tmp_path):
    """Sign-ins wait for their turn to hash; the end comes while most of them do."""
    portal = Gunicorn(tmp_path, WEB_CONCURRENCY="1", BCRYPT_COST="11", HASHES_AT_ONCE="1")
    with portal:
        browsers = [Caller(portal.url) for _ in range(6)]
        for browser in browsers:
            browser.open("/sign-in")
        with ThreadPoolExecutor(len(browsers)) as hands:
            sent = [
                hands.submit(each.send, "/sign-in", email=f"a{n}@example.org", password="wrong one")
                for n, each in enumerate(browsers)
            ]
            next(iter(_done(sent)))
            ending = threading.Thread(target=portal.stop)
            ending.start()
            answers = [each.result().status for each in sent]
            ending.join()
    assert answers == [422] * len(browsers)


def _done(futures):
    until = time.monotonic() + 20
    while not any(each.done() for each in futures):
        assert time.monotonic() < until
        time.sleep(0.01)
    return [each for each in futures if each.done()]


def test_several_processes_send_one_message_once_and_one_takes_over_from_the_other(tmp_path):
    with Gunicorn(tmp_path) as portal:
        for number in range(4):
            address = f"ann{number}@example.org"
            Caller(portal.url).open("/healthz")
            browser = Caller(portal.url)
            browser.open("/sign-up")
            words = {
                "password": "copper lantern tuesday",
                "confirm_password": "copper lantern tuesday",
            }
            assert browser.send("/sign-up", full_name="Ann", email=address, **words).status == 303
            portal.wait_for_mail(address)
            _kept(tmp_path)  # who dies between the two sends it again
            os.kill(portal.workers()[0], signal.SIGKILL)  # the older one, which has the turn
            time.sleep(0.2)
        addresses = [letter.to for letter in portal.mailbox()]
    assert sorted(addresses) == sorted(set(addresses))


def _kept(folder):
    """Returns once every message is known to have been sent."""
    until = time.monotonic() + 20
    with closing(sqlite3.connect(folder / "portal.db")) as database:
        while database.execute("SELECT 1 FROM outbox WHERE done_at IS NULL").fetchone():
            assert time.monotonic() < until
            time.sleep(0.02)


def test_counts_lie_in_a_fresh_folder_of_its_own_that_is_gone_with_it(tmp_path):
    portal = Gunicorn(tmp_path)
    with portal:
        folder = _counts(portal)
        assert list(folder.glob("*.db"))
        portal.reload()
        assert _counts(portal) == folder
    assert not folder.exists()


def test_a_folder_for_counts_that_is_named_is_emptied_at_the_start_and_stays(tmp_path):
    folder = tmp_path / "counts"
    folder.mkdir()
    (folder / "counter_1.db").write_bytes(b"of an earlier start")
    with Gunicorn(tmp_path, PROMETHEUS_MULTIPROC_DIR=str(folder)):
        assert not (folder / "counter_1.db").exists()
        assert list(folder.glob("*.db"))
    assert folder.exists()


def test_what_a_killed_one_left_is_cleared_away_by_the_next(tmp_path):
    first, second = Gunicorn(tmp_path), Gunicorn(tmp_path)
    with first:
        left = _counts(first)
        first.kill()
        assert left.exists()
        with second:
            assert not left.exists()
            assert _counts(second).exists()


def _counts(portal):
    """A child gets the environment of its parent as it was changed, /proc shows the one before."""
    for pid in portal.workers():
        for file in Path(f"/proc/{pid}/map_files").iterdir():
            target = os.readlink(file)
            if "latchkey-metrics-" in target:
                return Path(target).parent
    raise AssertionError("No process counts in a file.")


def test_every_line_of_a_log_for_programs_is_an_object(tmp_path):
    """Gunicorn's own, too, and none of them quotes what somebody sent."""
    with Gunicorn(tmp_path, LOG_FORMAT="json", WEB_CONCURRENCY="1") as portal:
        with socket.create_connection(("127.0.0.1", portal.port)) as line:
            line.sendall(b"GET /S3CRET\r\n\r\n")
            assert b" 400 " in line.recv(4096)
        portal.reload()
        assert Caller(portal.url).open("/healthz").status == 200
        portal.stop()
        said = [json.loads(each) for each in portal.log().splitlines()]
    assert {each["logger"] for each in said} == {"gunicorn.error", "latchkey"}
    assert all({"time", "level", "message"} <= set(each) for each in said)
    quoted = [each for each in said if each["message"] == "Invalid request"]
    assert [each["level"] for each in quoted] == ["warning"]
    assert "S3CRET" not in portal.log()


def test_a_portal_that_refuses_its_settings_ends_and_says_why(tmp_path):
    """Not once more every second: who starts it is to see that it does not run."""
    portal = Gunicorn(tmp_path, LOG_FORMAT="json", WEB_CONCURRENCY="1")
    with portal:
        portal.stop()
        portal.environment["DATABASE_URL"] = "nonsense"
        with pytest.raises(AssertionError, match="It did not start"):
            portal.start()
        assert portal.process.wait(1) == 3
    assert portal.log().count("DATABASE_URL: is no address of a database.") == 1
    assert [json.loads(line) for line in portal.log().splitlines()]


def test_a_process_that_is_stopped_while_it_loads_is_replaced(tmp_path):
    """As gunicorn does with one that takes too long: that is no reason to end them all."""
    with Gunicorn(tmp_path, WEB_CONCURRENCY="1") as portal:
        os.kill(portal.process.pid, signal.SIGHUP)
        before, until = set(portal.workers()), time.monotonic() + 20
        while not (loading := set(portal.workers()) - before):
            assert time.monotonic() < until, portal.log()
        time.sleep(0.3)  # it imports, for a second at least
        os.kill(loading.pop(), signal.SIGABRT)
        portal.reload()
        assert Caller(portal.url).open("/healthz").status == 200
    assert "CRITICAL" not in portal.log()


@pytest.mark.parametrize("kind", [lines.QuietLogger, lines.JsonLogger])
def test_of_a_request_that_fails_only_kind_and_place_are_told(kind, capfd):
    try:
        raise LookupError("S3CRET words")
    except LookupError:
        kind(Config()).exception("Error handling request %s", "/S3CRET")
    [said] = capfd.readouterr().err.splitlines()
    assert "Error handling request: LookupError at " in said
    assert __file__ in said
    assert "S3CRET" not in said


def test_why_gunicorn_fails_is_told_in_one_line(capfd):
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        lines.JsonLogger(Config()).exception("Exception in %s", "worker")
    [said] = map(json.loads, capfd.readouterr().err.splitlines())
    assert (said["level"], said["message"]) == ("error", "Exception in worker")
    assert said["exception"].endswith("ZeroDivisionError: division by zero")


@pytest.mark.parametrize("kind", [Server, Gunicorn])
def test_dos_02_sixty_slow_clients_keep_nobody_from_being_served(kind, tmp_path):
    with kind(tmp_path) as portal, SlowClients(portal.port) as slow:
        browsers = [Caller(portal.url) for _ in range(40)]
        assert [each.open("/sign-in").status for each in browsers] == [200] * 40
        assert slow.waiting() >= 40, "they were done before"
