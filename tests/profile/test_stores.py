"""Pictures in a bucket, or on disk: people cannot tell which, whatever becomes of the store."""

import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from portal.accounts import people
from portal.core.db import db
from portal.core.settings import setting
from portal.profile import bucket, disk, filenames, moving, roads, stores
from tests.conftest import PASSWORD, SETTINGS
from tests.policy.test_page_numbers import plain, upload
from tests.policy.world import ANN, World
from tests.rigs.bucket import NAME, Bucket, dripping_port, silent_port

ROOT = Path(__file__).parents[2]
PICTURE = "/api/v1/profile/picture"
KEY = re.compile(r"([0-9a-f]{2})/\1[0-9a-f]{30}-(96|256|512)\.webp")
AWAY = "Your picture cannot be kept at the moment. Try again in a few minutes."
OLD = datetime(2020, 1, 1, tzinfo=UTC)
KEPT = {512: b"large" * 400, 256: b"middle" * 200, 96: b"small" * 100}


@pytest.fixture(scope="module")
def _store():
    with Bucket() as store:
        yield store


@pytest.fixture
def store(_store):
    """An empty bucket in a good mood, that nobody has asked for anything."""
    _store.clear()
    yield _store
    _store.clear()


@pytest.fixture(autouse=True)
def rested():
    """No test meets a road that another found impassable."""
    yield
    roads._roads.clear()


@pytest.fixture(params=["disk", "bucket"])
def world(request, make_app):
    """The same portal, over each of the two stores."""
    settings = request.getfixturevalue("store").settings() if request.param == "bucket" else {}
    return World(make_app(**settings))


@pytest.fixture
def s3(make_app, store):
    """A portal that keeps pictures in the bucket."""
    return World(make_app(**store.settings()))


def kept(world) -> set[str]:
    """The paths of all files, in whichever store."""
    with world.context():
        there = [disk, bucket] if stores.has_bucket() else [disk]
        return {
            filenames.path(name, side)
            for store in there
            for folder in store.folders()
            for name, sides in store.listed(folder).items()
            for side in sides
        }


def copied(move) -> None:
    for folder in move.folders():
        move.copy(folder)


def inside(world):
    world.account()
    return world.inside()


def shown(browser) -> str:
    """The path of the picture on the profile page."""
    return browser.get("/profile").tree.css_first("img[src^='/pictures/']").attributes["src"]


def program(world) -> tuple[object, dict[str, str]]:
    client = world.app.test_client()
    typed = {"email": ANN, "password": PASSWORD}
    token = client.post("/api/v1/auth/token", json=typed).json["access_token"]
    return client, {"Authorization": f"Bearer {token}"}


def send(world, data=None):
    """Changes the picture as a program does."""
    client, headers = program(world)
    sent = {"picture": (BytesIO(data or plain(300, 300)), "me.png")}
    return client.put(PICTURE, data=sent, headers=headers)


def fill(count: int, store=disk) -> dict[str, dict[int, bytes]]:
    """Pictures that somebody uploaded before."""
    pictures = {}
    for number in range(count):
        name = filenames.new_name()
        pictures[name] = {side: data + str(number).encode() for side, data in KEPT.items()}
        store.save(name, pictures[name])
    return pictures


def whole(store, pictures) -> bool:
    return all(
        store.read(name, side) == data
        for name, files in pictures.items()
        for side, data in files.items()
    )


# ------------------------------------------------------------------ the same, over both stores


def test_a_picture_is_uploaded_shown_replaced_and_removed(world):
    browser = inside(world)
    assert upload(browser, plain(300, 300)).status == 303
    first, path = kept(world), shown(browser)
    assert len(first) == 3
    assert all(KEY.fullmatch(each) for each in first)
    assert world.visitor().get(path).body[8:12] == b"WEBP"
    assert upload(browser, plain(400, 400)).status == 303
    second = kept(world)
    assert len(second) == 3
    assert not first & second
    assert browser.get(path).status == 404
    browser.get("/profile")
    assert browser.submit("/profile/picture/remove").status == 303
    assert kept(world) == set()


def test_programs_upload_and_remove_it_too(world):
    world.account()
    answer = send(world)
    assert answer.status_code == 200
    addresses = [answer.json["picture"], *answer.json["picture_sizes"].values()]
    site = world.app.config["PUBLIC_URL"]
    assert all(each.startswith(f"{site}/pictures/") for each in addresses)
    for each in addresses:
        found = world.visitor().get(each.removeprefix(site))
        assert (found.status, found.headers["Content-Type"]) == (200, "image/webp")
    client, headers = program(world)
    assert client.delete(PICTURE, headers=headers).status_code == 204
    assert kept(world) == set()


def test_a_picture_is_answered_with_these_headers_and_no_others(world):
    browser = inside(world)
    upload(browser, plain(300, 300))
    path = shown(browser)
    page = world.visitor().get(path)
    name, size = path.split("/")[2:]
    passing = "Date", "X-Request-ID"
    own = {name: value for name, value in page.headers if name not in passing}
    assert own == {
        "Content-Type": "image/webp",
        "Content-Length": str(len(page.body)),
        "ETag": f'"{name}-{size}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": page.headers["Permissions-Policy"],
        "Referrer-Policy": "same-origin",
    }


def test_whoever_has_it_is_told_so_and_parts_can_be_asked_for(world):
    browser = inside(world)
    upload(browser, plain(300, 300))
    path, visitor = shown(browser), world.visitor()
    first = visitor.get(path)
    tag = first.headers["ETag"]
    for tags in tag, f"W/{tag}", f'"other", {tag}', "*":
        page = visitor.get(path, If_None_Match=tags)
        assert (page.status, page.body, page.headers["ETag"]) == (304, b"", tag)
        assert page.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert visitor.get(path, If_None_Match='"other"').body == first.body
    part = visitor.get(path, Range="bytes=2-9")
    assert (part.status, part.body) == (206, first.body[2:10])
    assert part.headers["Content-Range"] == f"bytes 2-9/{len(first.body)}"
    assert visitor.get(path, Range="bytes=9999999-").status == 416
    assert visitor.get(path, Range="bytes=2-9", If_Range='"other"').body == first.body
    head = visitor.client.head(path)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(first.body))


def test_a_removed_picture_is_gone_for_those_who_have_it_too(world):
    browser = inside(world)
    upload(browser, plain(300, 300))
    path = shown(browser)
    tag = world.visitor().get(path).headers["ETag"]
    browser.get("/profile")
    browser.submit("/profile/picture/remove")
    assert world.visitor().get(path, If_None_Match=tag).status == 404


@pytest.mark.parametrize(
    "name", ["..", "x" * 32, "a" * 31, "A" * 32, "a" * 32, '"', "a" * 32 + "-"]
)
def test_no_other_name_leads_anywhere(world, name):
    for headers in {}, {"If_None_Match": "*"}, {"If_None_Match": f'"{name}-96"'}:
        assert world.visitor().get(f"/pictures/{name}/96", **headers).status == 404
    assert world.visitor().get(f"/pictures/{'a' * 32}/99999999999999999999").status == 404


def test_a_failed_save_leaves_nothing_behind(world, monkeypatch):
    browser = inside(world)
    monkeypatch.setattr(people, "lock", lambda _id: 1 / 0)
    assert upload(browser, plain(300, 300)).status == 500
    assert kept(world) == set()


def test_purge_sweeps_what_is_nobodys_and_leaves_the_rest(world, request):
    upload(inside(world), plain(300, 300))
    mine = kept(world)
    with world.context():
        lost, fresh = stores.new_name(), stores.new_name()
        for name in lost, fresh:
            stores.save(name, {512: b"x", 96: b"x"})
        old = [*mine, filenames.path(lost, 512), filenames.path(lost, 96)]
        for path in old:
            if stores.has_bucket():
                request.getfixturevalue("store").grow_old(path, OLD.replace(tzinfo=None))
            else:
                os.utime(Path(setting("UPLOAD_FOLDER"), path), (1, 1))
    assert "1 pictures of nobody" in world.command("purge").output
    assert kept(world) == mine | {filenames.path(fresh, 512), filenames.path(fresh, 96)}


def test_an_account_that_is_gone_takes_its_picture_along(world, request):
    upload(inside(world), plain(300, 300))
    for path in kept(world):
        if world.app.config["AWS_STORAGE_BUCKET_NAME"]:
            request.getfixturevalue("store").grow_old(path, OLD.replace(tzinfo=None))
        else:
            os.utime(Path(world.app.config["UPLOAD_FOLDER"], path), (1, 1))
    world.write("DELETE FROM person")
    assert "1 pictures of nobody" in world.command("purge").output
    assert kept(world) == set()


# ------------------------------------------------------------------ what is in the bucket


def test_objects_are_private_named_by_chance_and_say_what_they_are(s3, store):
    upload(inside(s3), plain(300, 300))
    assert len(store.objects()) == 3
    for key in store.objects():
        assert KEY.fullmatch(key)
        told = store.client.head_object(Bucket=NAME, Key=key)
        assert told["ContentType"] == "image/webp"
        assert told["CacheControl"] == "private, max-age=31536000, immutable"
        assert told["Metadata"] == {}
        grants = store.client.get_object_acl(Bucket=NAME, Key=key)["Grants"]
        assert [each["Grantee"]["Type"] for each in grants] == ["CanonicalUser"]
    with s3.context():
        assert not any(Path(setting("UPLOAD_FOLDER")).rglob("*.webp"))


def test_no_page_and_no_answer_names_the_bucket(s3, store):
    browser = inside(s3)
    answer = send(s3)
    path = shown(browser)
    seen = [browser.get("/profile").html, answer.text, str(s3.visitor().get(path).headers)]
    for each in seen:
        assert NAME not in each
        assert str(store.port) not in each
        assert "amz" not in each.lower()


def test_what_is_known_already_is_not_read_from_the_bucket(s3, store):
    browser = inside(s3)
    upload(browser, plain(300, 300))
    path = shown(browser)
    tag = s3.visitor().get(path).headers["ETag"]
    store.requests.clear()
    assert s3.visitor().get(path, If_None_Match=tag).status == 304
    assert [method for method, _path in store.requests] == ["HEAD"]


@pytest.mark.parametrize("data", [b"<script>alert(1)</script>", b"RIFF", b"%PDF-1.7"])
def test_whatever_others_put_into_the_bucket_is_served_as_a_picture(s3, store, data):
    browser = inside(s3)
    upload(browser, plain(300, 300))
    path = shown(browser)
    for key in store.objects():
        store.put(key, data, ContentType="text/html", ContentEncoding="gzip")
    page = s3.visitor().get(path)
    assert (page.status, page.body) == (200, data)
    assert page.headers["Content-Type"] == "image/webp"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "Content-Encoding" not in page.headers


def test_what_is_far_too_big_for_a_picture_is_none(s3, store):
    browser = inside(s3)
    upload(browser, plain(300, 300))
    path = shown(browser)
    for key in store.objects():
        store.put(key, bytes(bucket.LARGEST + 1))
    assert s3.visitor().get(path).status == 404


def test_other_peoples_objects_in_the_bucket_are_left_alone(s3, store):
    foreign = ["ab/notes.txt", "readme", "ab/" + "x" * 32 + "-96.webp"]
    for key in foreign:
        store.put(key, b"x")
        store.grow_old(key, OLD.replace(tzinfo=None))
    assert "0 pictures of nobody" in s3.command("purge").output
    assert store.objects() == sorted(foreign)


def test_a_bucket_of_more_than_one_page_is_seen_whole(s3, store, monkeypatch):
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "4")
    with s3.context():
        names = {f"{folder}{number:030x}" for folder in ("0a", "ab") for number in range(9)}
        for name in names:
            store.put(filenames.path(name, 96), b"x")
        assert set(bucket.listed("ab")) == {name for name in names if name.startswith("ab")}
        found = set().union(*bucket.kept_before(datetime(2100, 1, 1, tzinfo=UTC)))
    assert found == names


# ------------------------------------------------------------------ a store that is away


def test_with_the_store_away_pages_work_and_pictures_say_when_to_come_again(s3, store):
    browser = inside(s3)
    upload(browser, plain(300, 300))
    path = shown(browser)
    store.stop()
    try:
        page = browser.get("/profile")
        assert page.status == 200
        missing = s3.visitor().get(path)
        assert (missing.status, missing.headers["Retry-After"]) == (503, "10")
        assert missing.headers["Cache-Control"] == "no-store"
        assert s3.visitor().get(path, If_None_Match="*").status == 503
        browser.get("/profile")
        assert browser.submit("/profile/bio", bio="I bake.").status == 303
    finally:
        store.start()
    time.sleep(roads.REST + 0.1)
    assert s3.visitor().get(path).status == 200


def test_with_the_store_away_uploading_says_so_and_changes_nothing(s3, store):
    browser = inside(s3)
    upload(browser, plain(300, 300))
    before, path = store.objects(), shown(browser)
    store.stop()
    try:
        page = upload(browser, plain(400, 400))
        assert (page.status, page.errors) == (503, {"picture": AWAY})
        assert page.headers["Retry-After"] in ("10", "9")
        answer = send(s3)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert AWAY in answer.text
    finally:
        store.start()
    assert store.objects() == before
    assert shown(browser) == path


def test_with_the_store_away_a_picture_can_be_removed_and_purge_finds_its_files(s3, store):
    browser = inside(s3)
    upload(browser, plain(300, 300))
    store.stop()
    browser.get("/profile")
    try:
        assert browser.submit("/profile/picture/remove").status == 303
        assert browser.get("/profile").find(".disc") == ["AM"]
        done = s3.command("purge")
        assert done.exit_code == 1
        assert "Pictures of nobody stay until tomorrow" in done.output
        assert "messages" in done.output
    finally:
        store.start()
    for key in store.objects():
        store.grow_old(key, OLD.replace(tzinfo=None))
    time.sleep(roads.REST + 0.1)
    assert "1 pictures of nobody" in s3.command("purge").output
    assert store.objects() == []


@pytest.mark.parametrize("mood", ["busy", "cut"])
def test_a_store_in_trouble_is_as_good_as_none(s3, store, mood):
    browser = inside(s3)
    upload(browser, plain(300, 300))
    path = shown(browser)
    store.mood = mood
    assert s3.visitor().get(path).status == 503


def test_what_the_store_refuses_is_logged_by_its_code_alone(s3, store, caplog):
    browser = inside(s3)
    store.client.create_bucket(Bucket="another")
    s3.app.config["AWS_STORAGE_BUCKET_NAME"] = "nobodys"
    assert upload(browser, plain(300, 300)).status == 503
    assert "the store of pictures refuses: NoSuchBucket" in caplog.text
    s3.app.config["AWS_STORAGE_BUCKET_NAME"] = NAME
    assert upload(browser, plain(300, 300)).status == 303
    for secret in store.settings()["AWS_SECRET_ACCESS_KEY"], ANN:
        assert secret not in caplog.text


@pytest.mark.parametrize("port", [silent_port, dripping_port])
def test_a_store_that_hangs_holds_nobody_for_longer_than_five_seconds(make_app, port):
    with port() as url:
        settings = {"AWS_STORAGE_BUCKET_NAME": NAME, "AWS_S3_ENDPOINT_URL": url}
        keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
        world = World(make_app(**settings, **keys))
        browser = inside(world)
        path = f"/pictures/{'a' * 32}/96"
        with world.context():
            roads.to(bucket.place())  # made once, and not what is measured
        began = time.monotonic()
        assert world.visitor().get(path).status == 503
        assert time.monotonic() - began < roads.PATIENCE + 1.5
        began = time.monotonic()
        assert {world.visitor().get(path).status for _ in range(5)} == {503}
        assert upload(browser, plain(300, 300)).status == 503
        assert time.monotonic() - began < 2, "While it rests nobody waits."


def test_a_slow_store_holds_no_connection_to_the_database(s3, store):
    browser = inside(s3)
    upload(browser, plain(300, 300))
    path, pool, seen = shown(browser), None, []
    with s3.app.app_context():
        pool = db.engine.pool
    store.delay = 0.5
    for work in (lambda: s3.visitor().get(path), lambda: upload(browser, plain(400, 400))):
        store.requests.clear()
        thread = threading.Thread(target=work)
        thread.start()
        while not store.requests:
            time.sleep(0.01)
        seen.append(pool.checkedout())
        thread.join()
    assert seen == [0, 0]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_of_a_fork_has_a_road_of_its_own(s3, store):
    with s3.context():
        pictures = fill(1, bucket)
        assert whole(bucket, pictures)
        child = os.fork()
        if child == 0:
            ours = roads._roads == {} and whole(bucket, pictures)
            os._exit(0 if ours else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert whole(bucket, pictures)


def test_boto3_is_loaded_where_a_bucket_is_set_alone(tmp_path):
    settings = SETTINGS | {"DATABASE_URL": f"sqlite:///{tmp_path / 'plain.db'}"}
    script = (
        "import sys;from portal import create_app;app = create_app();"
        f"app.test_client().get('/pictures/{'a' * 32}/96');print('boto3' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=settings, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["False"]


# ------------------------------------------------------------------ moving


def test_pictures_move_there_and_back(s3, store):
    with s3.context():
        pictures = fill(5)
        done = s3.command("pictures", "move", "--to", "s3")
        assert done.exit_code == 0, done.output
        assert re.search(r"5 moved\n +0 were there already\n +0 failed\n", done.output)
        assert whole(bucket, pictures)
        assert not any(Path(setting("UPLOAD_FOLDER")).rglob("*.webp"))
        assert s3.command("pictures", "move", "--to", "local").exit_code == 0
        assert whole(disk, pictures)
    assert store.objects() == []


def test_keep_leaves_them_where_they_were_too(s3, store):
    with s3.context():
        pictures = fill(3)
        for said in "3 moved", "3 were there already":
            done = s3.command("pictures", "move", "--to", "s3", "--keep")
            assert (done.exit_code, said in done.output) == (0, True), done.output
        assert whole(disk, pictures)
        assert whole(bucket, pictures)


def test_readers_find_a_picture_wherever_it_is_while_it_moves(s3, store):
    browser = inside(s3)
    upload(browser, plain(300, 300))
    path, failed, over = shown(browser), [], threading.Event()

    def read():
        while not over.is_set():
            if s3.visitor().get(path).status != 200:
                failed.append(path)

    with s3.context():
        fill(3)
    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for to in "local", "s3", "local":
            assert s3.command("pictures", "move", "--to", to).exit_code == 0
        over.set()
    assert [each.result() for each in readers] == [None] * 3
    assert failed == []


def test_a_move_that_was_killed_goes_on_where_it_was(tmp_path, s3, store):
    with s3.context():
        pictures = fill(40)
        uploads = setting("UPLOAD_FOLDER")
    given = {"UPLOAD_FOLDER": uploads, "DATABASE_URL": s3.app.config["DATABASE_URL"]}
    settings = SETTINGS | store.settings() | given | {"PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "pictures", "move", "--to", "s3"]
    store.delay = 0.01
    run = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=-3, stderr=-3)
    until = time.monotonic() + 60
    while len(store.asked("PUT")) < 30 and run.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    run.kill()
    assert run.wait() == -9, "It was too fast to be killed half way."
    store.delay = 0
    there = len(store.objects())
    assert 0 < there < 120
    with s3.context():
        assert whole(disk, pictures), "Nothing is removed before everything has arrived."
        assert whole(stores, pictures)
        store.requests.clear()
        done = s3.command("pictures", "move", "--to", "s3")
        assert done.exit_code == 0, done.output
        assert len(store.asked("PUT")) == 120 - there
        assert whole(bucket, pictures)
        assert not any(Path(uploads).rglob("*.webp"))


def test_a_move_that_was_killed_while_removing_ends_the_next_time(s3, store):
    with s3.context():
        pictures = fill(6)
        move = moving.Move("s3")
        copied(move)
        for folder in move.folders()[:3]:
            move.let_go(folder, keep=False)
        assert 0 < len([*Path(setting("UPLOAD_FOLDER")).rglob("*.webp")]) < 18
        assert whole(stores, pictures)
        assert s3.command("pictures", "move", "--to", "s3").exit_code == 0
        assert whole(bucket, pictures)
        assert not any(Path(setting("UPLOAD_FOLDER")).rglob("*.webp"))


def test_a_copy_that_differs_fails_and_the_original_stays(s3, store):
    with s3.context():
        pictures = fill(2)
        assert s3.command("pictures", "move", "--to", "s3", "--keep").exit_code == 0
        name = min(pictures)
        store.put(filenames.path(name, 96), bytes(len(pictures[name][96])))
        done = s3.command("pictures", "move", "--to", "s3")
        assert done.exit_code == 1
        assert "1 failed" in done.output
        assert disk.read(name, 96) == pictures[name][96]
        assert disk.exists(max(pictures), 96) is False


def test_what_was_half_there_is_carried_anew(s3, store):
    with s3.context():
        pictures = fill(1)
        [name] = pictures
        store.put(filenames.path(name, 96), b"half")
        assert s3.command("pictures", "move", "--to", "s3").exit_code == 0
        assert whole(bucket, pictures)


@pytest.mark.parametrize("to, source", [("s3", disk), ("local", bucket)])
def test_a_picture_that_its_owner_removes_while_it_is_carried_does_not_come_back(
    s3, store, to, source
):
    with s3.context():
        [name] = fill(1, source)
        move = moving.Move(to)
        read = source.read

        def read_and_removed(*which):
            found = read(*which)
            if which[1] == min(KEPT):
                stores.remove(name)
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(source, "read", read_and_removed)
            copied(move)
        assert move.failed == 0
        assert not any(stores.exists(name, side) for side in KEPT)
    assert store.objects() == []


def test_with_the_store_away_a_move_ends_with_words_and_loses_nothing(s3, store, monkeypatch):
    monkeypatch.setattr(roads, "REST", 0.1)
    with s3.context():
        pictures = fill(2)
        store.stop()
        try:
            done = s3.command("pictures", "move", "--to", "s3")
        finally:
            store.start()
        assert done.exit_code == 1
        assert "Nothing is lost" in done.output
        assert whole(disk, pictures)
        time.sleep(0.2)
        assert s3.command("pictures", "move", "--to", "s3").exit_code == 0


def test_two_moves_at_once_are_one_too_many(s3, store):
    with s3.context():
        pictures = fill(1)
        with moving.alone() as alone:
            assert alone
            done = s3.command("pictures", "move", "--to", "local")
            assert (done.exit_code, "Another move is under way." in done.output) == (1, True)
        assert whole(disk, pictures)


def test_without_a_bucket_there_is_nowhere_to_move_to(app):
    done = World(app).command("pictures", "move", "--to", "s3")
    assert done.exit_code == 1
    assert "set AWS_STORAGE_BUCKET_NAME first" in done.output
