"""One test for each row of the requirements that the pages of today fulfil, named by its id."""

import io
import re
import socket
import subprocess
import sys
import tomllib
from base64 import b64decode, b64encode
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import inspect

import config
from portal.codes import challenges, terms
from portal.core import crypto
from portal.core.audit import OPERATOR
from portal.core.db import db
from portal.core.errors import Rejected, TooSoon
from portal.core.settings import Refused, setting
from portal.delivery import service as delivery
from portal.delivery import transports
from portal.recovery import service as recovery
from tests.conftest import OTHER_PASSWORD, PASSWORD, SETTINGS, ask, open_account, sign_in
from tests.policy.test_password_numbers import THIRD_PASSWORD
from tests.policy.world import ANN, World, choose, type_code, wrong
from tests.rigs.smtp import SmtpServer

ROOT = Path(config.__file__).parent
RESET = "/auth/password-reset"
LINK = "/recover/link/{token}"
THREE_PARTS = re.compile(r"\b(eyJ[\w-]+)\.[\w-]+\.[\w-]+")
NAMED = "flask flask-login flask-wtf flask-sqlalchemy flask-migrate email-validator pillow bcrypt"


@pytest.fixture
def world(app):
    return World(app)


def picture(kind: str, size: int = 300) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (size, size), "navy").save(file, kind)
    return file.getvalue()


def jwts(text: str) -> list[str]:
    """What looks like a JSON Web Token: its first part names an algorithm (RFC 7515, 4.1.1)."""
    heads = [b64decode(head + "===", b"-_") for head in THREE_PARTS.findall(text)]
    return [head.decode() for head in heads if b'"alg"' in head]


def test_f01_server_rendered_forms_for_every_step(world, ann):
    forms = {"/recover": "/recover", "/sign-up": "/sign-up", "/sign-in": "/sign-in"}
    browser = world.visitor()
    for path, action in forms.items():
        assert "csrf_token" in browser.get(path).form(action).names
    browser, mail = world.asked()
    assert browser.get("/recover/code").form("/recover/code").names >= {"code"}
    type_code(browser, mail.code)
    assert browser.get(RESET).form(RESET).names >= {"password", "confirm_password"}
    assert "/profile/bio" in world.inside().get("/profile").forms
    assert {"accounts", "recovery", "profile", "security"} <= set(world.app.blueprints)


def test_f02_what_looks_like_a_jwt_would_be_noticed():
    head = b64encode(b'{"typ":"at+jwt","alg":"ES256"}').decode().rstrip("=")
    assert len(jwts(f"value={head}.e30.c2ln")) == 1


def test_f02_browsers_have_a_session_cookie_and_never_a_jwt(world, ann):
    browser = world.visitor()
    answers = [sign_in(browser, ann.email)]
    answers += [browser.get(path) for path in ("/profile", "/security", "/security/password")]
    for page in answers:
        seen = page.html + str(page.headers)
        assert jwts(seen) == []
        assert "Bearer" not in seen
    assert browser.cookie("latchkey")
    stranger = world.visitor()
    token = browser.cookie("latchkey")
    assert stranger.get("/profile", Authorization=f"Bearer {token}").location == "/sign-in"
    typed = {"email": ann.email, "password": PASSWORD}
    access = world.app.test_client().post("/api/v1/auth/token", json=typed).json["access_token"]
    for path in "/profile", "/security", "/security/password":
        page = world.visitor().get(path, Authorization=f"Bearer {access}")
        assert page.location.startswith("/sign-in"), "A page took an access token."


def test_f04_packages_and_top_level_are_those_of_the_card():
    required = (ROOT / "requirements.txt").read_text().lower()
    for name in NAMED.split():
        assert re.search(rf"^{name}==", required, re.MULTILINE), name
    tools = (ROOT / "requirements-dev.txt").read_text().lower()
    assert re.search(r"^pytest==", tools, re.MULTILINE)
    for path in (
        "wsgi.py", "portal/templates", "portal/static/uploads", "migrations", "tests", "config.py",
    ):  # fmt: skip
        assert (ROOT / path).exists(), path


def test_f05_the_plain_way_works(tmp_path):
    settings = SETTINGS | {"DATABASE_URL": f"sqlite:///{tmp_path / 'plain.db'}", "PATH": "/usr/bin"}
    flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
    run = {"cwd": ROOT, "env": settings, "capture_output": True, "text": True, "check": True}
    subprocess.run([*flask, "db", "upgrade"], **run)
    script = (
        "from wsgi import app;print(app.test_client().get('/sign-in').status_code, callable(app))"
    )
    assert subprocess.run([sys.executable, "-c", script], **run).stdout.split() == ["200", "True"]
    listed = subprocess.run([*flask, "--help"], **run).stdout
    for command in "run", "db", "users", "deliver", "purge", "check":
        assert re.search(rf"^  {command}\b", listed, re.MULTILINE), command
    python = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["target-version"]
    assert python == "py311"


def test_a01_mail_goes_out_through_smtplib_over_ssl(make_app, monkeypatch):
    opened, real = [], socket.create_connection

    def refuse(where, *how, **more):
        if where[0] == "127.0.0.1":  # the tests' database
            return real(where, *how, **more)
        opened.append(where)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", refuse)
    world = World(make_app(EMAIL_BACKEND="smtp", EMAIL_HOST_USER="me@gmail.com"))
    ask(world.visitor(), "nobody@example.org")
    with world.app.app_context():
        delivery.deliver_due()
        assert setting("EMAIL_FROM") == "me@gmail.com"
        assert setting("EMAIL_USE_SSL")
    assert opened == [("smtp.gmail.com", 465)]


@pytest.mark.parametrize("known", [True, False])
def test_a01_the_server_gets_sender_and_application_password(make_app, smtp_server, known):
    world = World(make_app(**smtp_server.settings()))
    open_account(world.visitor(), "new@example.org")
    with world.app.app_context():
        delivery.deliver_due()
    [letter] = smtp_server.wait_for(1)
    assert (letter.user, letter.to) == ("portal@example.org", ("new@example.org",))
    assert letter.sender == "portal@example.org"
    assert letter.tls
    if not known:
        smtp_server.clear()
        ask(world.visitor(), "nobody@example.org")
        with world.app.app_context():
            delivery.deliver_due()
        assert smtp_server.commands == ["NOOP", "MAIL portal@example.org", "RSET"]


def test_a02_the_configuration_file_is_overridden_by_the_environment(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("EMAIL_HOST_USER=file@example.org\nEMAIL_HOST_PASSWORD=file\n")
    monkeypatch.setattr(config, "ROOT", tmp_path)
    monkeypatch.delenv("EMAIL_HOST_USER", raising=False)
    monkeypatch.setenv("EMAIL_HOST_PASSWORD", "environment")
    values, _problems = config.read(config.environment())
    assert values["EMAIL_HOST_USER"] == "file@example.org"
    assert values["EMAIL_HOST_PASSWORD"] == "environment"
    assert (ROOT / ".env.example").exists()
    assert ".env" in (ROOT / ".gitignore").read_text().split()


@pytest.mark.parametrize("seconds, status", [(29, 303), (31, 422)])
def test_a03_reset_code_lives_thirty_seconds(world, ann, time, seconds, status):
    browser = world.visitor()
    ask(browser, ann.email)
    time.pass_(minutes=10)
    code = world.post.newest().code
    time.pass_(seconds=seconds)
    assert type_code(browser, code).status == status


def test_a04_the_table_of_codes_has_exactly_these_columns(app):
    with app.app_context():
        columns = {each["name"]: each for each in inspect(db.engine).get_columns("otp")}
    assert list(columns) == [
        "id", "user_id", "otp_hash", "purpose", "channel", "expires_at", "consumed_at",
        "attempts", "max_attempts", "created_at", "updated_at",
    ]  # fmt: skip
    assert [name for name, each in columns.items() if each["nullable"]] == ["consumed_at"]
    lengths = {name: getattr(each["type"], "length", None) for name, each in columns.items()}
    assert (lengths["otp_hash"], lengths["purpose"], lengths["channel"]) == (255, 50, 20)
    assert columns["attempts"]["default"].partition("::")[0].strip("'") == "0"
    assert columns["max_attempts"]["default"].partition("::")[0].strip("'") == "5"


def test_a05_a_code_is_kept_keyed_counts_wrong_tries_and_works_once(world, ann):
    browser, mail = world.asked()
    rows = "SELECT otp_hash, attempts FROM otp WHERE purpose = 'password_reset'"
    for tries in range(3):
        [(kept, counted)] = world.rows(rows)
        assert counted == tries
        type_code(browser, wrong(mail.code, tries + 1))
    assert re.fullmatch("[0-9a-f]{64}", kept)
    assert kept != crypto.digest(mail.code)
    assert type_code(browser, mail.code).status == 303
    assert type_code(browser, mail.code).status == 422


def test_a05_with_every_try_spent_the_right_code_is_refused_too(world, ann):
    browser, mail = world.asked()
    for step in range(5):
        assert type_code(browser, wrong(mail.code, step + 1)).status == 422
    assert type_code(browser, mail.code).status == 429


def test_a05_a_code_is_good_for_its_own_user_and_purpose_only(world, ann, time):
    world.account("bob@example.org", "Bob Hill")
    anns, mail = world.asked()
    bobs, _mail = world.asked("bob@example.org")
    assert type_code(bobs, mail.code).status == 422
    signing_up = world.visitor()
    open_account(signing_up, "new@example.org")
    assert type_code(signing_up, mail.code, "/sign-up/code").status in (303, 422)
    assert signing_up.get("/profile").location == "/sign-in"
    assert type_code(anns, mail.code).status == 303


def test_a06_passwords_are_kept_by_sha_256_and_bcrypt(world, ann):
    [(kept,)] = world.rows("SELECT password_hash FROM person")
    assert re.fullmatch(r"v1\$[0-9a-f]{8}\$\$2b\$04\$.{53}", kept)
    assert PASSWORD not in kept
    assert setting_default("BCRYPT_COST") == 12


def setting_default(name: str) -> object:
    return next(each.default for each in config.SETTINGS if each.name == name)


def test_a07_address_then_code_then_new_password_then_sign_in(world, ann):
    browser = world.visitor()
    assert ask(browser, ann.email).location == "/recover/code"
    code = world.post.newest(ann.email).code
    browser.follow()
    assert browser.submit("/recover/code", code=code).location == RESET
    page = browser.follow()
    assert {"password", "confirm_password"} <= page.form(RESET).names
    both = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
    assert browser.submit(RESET, **both).location == "/sign-in"
    assert browser.follow().h1 == "Sign in"


def test_a08_password_reset_answers_with_a_redirect_to_sign_in(world, ann):
    browser, mail = world.asked()
    type_code(browser, mail.code)
    page = choose(browser, OTHER_PASSWORD)
    assert (page.status, page.location) == (303, "/sign-in")


@pytest.mark.parametrize("password", [
    "Ab1!xyz", "alllower-7", "ALLUPPER-7", "No-digits!", "NoSigns77x",
    "Password1!", "Summer2026!", "Miller-77-xq", "Ann-7-qzxkvw-Ann",
])  # fmt: skip
def test_a10_weak_common_and_personal_passwords_are_refused(world, ann, password):
    page = world.change_password(world.inside(), PASSWORD, password)
    assert page.status == 422
    assert set(page.errors) == {"password"}


def test_a10_passphrases_stay_possible_and_earlier_passwords_do_not(world, ann):
    browser = world.inside()
    assert world.change_password(browser, PASSWORD, OTHER_PASSWORD).status == 303
    assert world.change_password(browser, OTHER_PASSWORD, THIRD_PASSWORD).status == 303
    assert world.change_password(browser, THIRD_PASSWORD, PASSWORD).status == 422
    assert "14 or more is better" in browser.get("/security/password").text


@pytest.mark.parametrize("section, field, typed", [
    ("name", "username", "1234"), ("work", "job_title", "x" * 101), ("location", "country", "ZZ"),
    ("social-links", "github", "https://example.org"), ("bio", "bio", "x" * 501),
])  # fmt: skip
def test_a11_profile_fields_are_validated(inside, section, field, typed):
    inside.get("/profile")
    page = inside.submit(f"/profile/{section}", **{field: typed})
    assert (page.status, set(page.errors)) == (422, {field})


def test_a12_pictures_are_kept_in_files_inside_the_project(app, inside):
    inside.get("/profile")
    inside.submit("/profile/picture", picture=(picture("PNG"), "me.png"))
    assert len(list(Path(app.config["UPLOAD_FOLDER"]).rglob("*.webp"))) == 3
    assert str(setting_default("UPLOAD_FOLDER")) == str(ROOT / "portal" / "static" / "uploads")


def test_b03_codes_are_six_digits_with_leading_zeros_from_a_secure_source(monkeypatch):
    drawn = {crypto.new_code() for _ in range(2000)}
    assert all(re.fullmatch("[0-9]{6}", code) for code in drawn)
    assert len(drawn) > 1900
    assert any(code.startswith("0") for code in drawn)
    monkeypatch.setattr(crypto.secrets, "randbelow", lambda most: most - 999_993)
    assert crypto.new_code() == "000007"


def test_b03_codes_asked_for_by_programs_live_ten_minutes_and_allow_three_tries(world, ann, time):
    def start():
        with world.context():
            flow = recovery.start(ann.email, None, terms.api(LINK), OPERATOR)
        return flow, world.post.newest().code

    flow, code = start()
    time.pass_(seconds=599)
    with world.context():
        assert recovery.confirm_code(flow, code, OPERATOR)
    flow, code = start()
    for step in range(3):
        with world.context(), pytest.raises(Rejected):
            recovery.confirm_code(flow, wrong(code, step + 1), OPERATOR)
    with world.context(), pytest.raises(TooSoon):
        recovery.confirm_code(flow, code, OPERATOR)


def test_b05_one_use_and_a_newer_request_ends_the_older_code(world, ann, time):
    browser, old = world.asked()
    time.pass_(seconds=61)
    ask(browser, ann.email)
    new = world.post.newest()
    assert type_code(browser, old.code).status == 422
    assert type_code(browser, new.code).status == 303
    assert type_code(browser, new.code).status == 422
    kept = world.rows("SELECT consumed_at FROM otp WHERE purpose = 'password_reset'")
    assert len(kept) == 2
    assert all(consumed for (consumed,) in kept)


def test_b06_the_letter_is_html_and_text_with_warnings_and_their_numbers(make_app):
    world = World(make_app(CODE_LIFETIME_SECONDS="45", CODE_MAX_ATTEMPTS="4"))
    world.account()
    _browser, mail = world.asked()
    assert mail.html.lstrip().startswith("<!doctype html>")
    for part in mail.text, mail.html:
        assert "The code lasts 45 seconds" in part
        assert "takes 4 tries" in part
        assert "You can ignore this email." in part
        assert "Nobody at Latchkey will ask you for this code." in part
        assert mail.code in part
    assert mail.code not in mail.subject


def test_b08_what_could_not_be_sent_leaves_no_usable_code(world, ann, make_app, smtp_server):
    ask(world.visitor(), ann.email)
    smtp_server.refuse(at="DATA")
    with make_app(**smtp_server.settings()).app_context():
        delivery.deliver_due()
        transports.rest()
    codes = "SELECT count(*) FROM otp WHERE purpose = 'password_reset' AND consumed_at IS NULL"
    assert world.rows(codes) == [(0,)]


def test_b08_change_and_consumption_are_one(world, ann, monkeypatch):
    browser, mail = world.asked()
    type_code(browser, mail.code)
    monkeypatch.setattr(challenges, "end_all", lambda _id: 1 / 0)
    assert choose(browser, OTHER_PASSWORD).status == 500
    monkeypatch.undo()
    assert sign_in(world.visitor(), ann.email).location == "/profile"
    assert choose(browser, OTHER_PASSWORD).location == "/sign-in"


def test_b09_codes_are_indexed_and_purged_by_age(world, ann, time):
    with world.app.app_context():
        indexes = {tuple(each["column_names"]) for each in inspect(db.engine).get_indexes("otp")}
    assert {("user_id", "purpose"), ("expires_at",)} <= indexes
    time.pass_(days=29)
    world.command("purge")
    assert world.rows("SELECT count(*) FROM otp") == [(1,)]
    time.pass_(days=2)
    world.command("purge")
    assert world.rows("SELECT count(*) FROM otp") == [(0,)]


def test_b10_addresses_are_compared_trimmed_and_case_folded(world, ann):
    assert sign_in(world.visitor(), "  ANN@example.ORG ").location == "/profile"
    browser = world.visitor()
    ask(browser, "Ann@Example.Org ")
    assert type_code(browser, world.post.newest(ann.email).code).status == 303


def test_b10_all_times_are_time_zone_aware(world, ann):
    sent = world.app.test_client().get("/dev/mailbox.json").json[0]["sent_at"]
    assert datetime.fromisoformat(sent).utcoffset().total_seconds() == 0
    world.asked()
    with world.app.app_context():
        for mapper in db.Model.registry.mappers:
            row = db.session.query(mapper.class_).first()
            times = [getattr(row, each.key, None) for each in mapper.column_attrs]
            assert all(t.tzinfo for t in times if isinstance(t, datetime)), mapper


def test_c01_the_password_page_verifies_the_old_one_and_ends_other_sessions(world, ann):
    browser, other = world.inside(), world.inside()
    assert world.change_password(browser, "wrong", OTHER_PASSWORD).status == 422
    assert other.get("/profile").status == 200
    assert world.change_password(browser, PASSWORD, OTHER_PASSWORD).status == 303
    assert "Your password is changed." in browser.follow().banner
    assert other.get("/profile").location == "/sign-in"


def test_c03_a_get_of_the_link_consumes_nothing(world, ann):
    _browser, mail = world.asked()
    phone = world.visitor()
    for _ in range(3):
        assert phone.get(mail.link).status == 200
    assert phone.submit(mail.link, action="continue").location == RESET
    assert phone.follow().form(RESET)


@pytest.mark.parametrize("seconds, status", [(899, 200), (901, 410)])
def test_c08_reset_links_live_fifteen_minutes(world, ann, time, seconds, status):
    _browser, mail = world.asked()
    time.pass_(seconds=seconds)
    assert world.visitor().get(mail.link).status == status


def test_c08_other_lives_than_ten_to_fifteen_minutes_are_refused(make_app):
    for seconds in "600", "900":
        make_app(LINK_LIFETIME_SECONDS=seconds)
    for seconds in "599", "901":
        with pytest.raises(Refused, match="LINK_LIFETIME_SECONDS"):
            make_app(LINK_LIFETIME_SECONDS=seconds)


@pytest.mark.parametrize("email", [ANN, "nobody@example.org"])
def test_c09_reset_requests_are_limited_alike_for_known_and_unknown(world, ann, time, email):
    time.pass_(days=2)
    ask(world.visitor(), email)
    page = ask(world.visitor(), email)
    assert (page.status, page.headers["Retry-After"]) == (429, "60")
    for status in 303, 303, 303, 303, 429:
        time.pass_(seconds=61)
        page = ask(world.visitor(), email)
        assert page.status == status
    assert 3000 < int(page.headers["Retry-After"]) < 3600
    assert page.form("/recover").fields["identifier"] == email


def test_c10_after_a_reset_every_session_is_dead_at_once(world, ann):
    sessions = [world.inside(), world.inside(remember=True), world.inside()]
    browser, mail = world.asked()
    type_code(browser, mail.code)
    choose(browser, OTHER_PASSWORD)
    assert {each.get("/profile").location for each in sessions} == {"/sign-in"}


def test_d12_settings_by_environment_each_have_an_effect(make_app):
    one, other = World(make_app()), World(make_app(SECRET_KEY="k" * 5 + SETTINGS["SECRET_KEY"]))
    browser = one.visitor()
    token = browser.get("/sign-in").form("/sign-in").fields["csrf_token"]
    browser.client.application = other.app
    assert browser.post("/sign-in", {"csrf_token": token}).status == 400
    hosts = World(make_app(ALLOWED_HOSTS="a.example")).app.test_client()
    assert hosts.get("/help", base_url="http://a.example").status_code == 200
    assert hosts.get("/help", base_url="http://127.0.0.1").status_code == 400
    mail = {"EMAIL_HOST": "mx.example", "EMAIL_PORT": "587", "EMAIL_USE_TLS": "1"}
    app = make_app(EMAIL_HOST_USER="me@x.example", EMAIL_HOST_PASSWORD="secret", **mail)
    with app.app_context():
        assert (setting("EMAIL_HOST"), setting("EMAIL_PORT")) == ("mx.example", 587)
        assert setting("EMAIL_USE_SSL") is False
        assert setting("EMAIL_FROM") == "me@x.example"


def test_d12_starttls_is_used_when_it_is_asked_for(make_app, monkeypatch):
    with SmtpServer("starttls") as smtp:
        monkeypatch.setenv("SSL_CERT_FILE", smtp.ca_file)
        world = World(make_app(**smtp.settings()))
        open_account(world.visitor(), "new@example.org")
        with world.app.app_context():
            delivery.deliver_due()
            transports.rest()
        assert smtp.received[0].tls


def test_d12_djangos_name_of_the_backend_is_understood(make_app):
    app = make_app(EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend")
    assert app.config["EMAIL_BACKEND"] == "smtp"
    with pytest.raises(Refused, match="EMAIL_BACKEND"):
        make_app(EMAIL_BACKEND="django.core.mail.backends.pigeon.EmailBackend")


def test_d12_debug_shows_a_defect_to_developers(make_app, monkeypatch):
    monkeypatch.setattr(crypto, "same", lambda *_: 1 / 0)
    page = sign_in(World(make_app()).visitor(), ANN)
    assert page.status == 500
    assert "give this number" in page.text
    with pytest.raises(ZeroDivisionError):
        sign_in(World(make_app(DEBUG="1")).visitor(), ANN)


def test_d13_one_url_chooses_the_database(make_app, tmp_path):
    app = make_app(DATABASE_URL=f"sqlite:///{tmp_path / 'other.db'}")
    with app.app_context():
        assert db.engine.url.database == str(tmp_path / "other.db")


def test_d15_a_plain_notice_follows_a_reset_and_resets_nothing(world, ann):
    browser, mail = world.asked()
    type_code(browser, mail.code)
    choose(browser, OTHER_PASSWORD)
    notice = world.post.newest()
    assert (notice.to, notice.subject) == (ann.email, "Your Latchkey password is changed")
    for part in notice.text, notice.html:
        assert "/link/" not in part
        assert not re.search(r"(?<![#\w])\d{6}(?!\w)", part)


def test_e07_pictures_up_to_five_megabytes_by_decoded_content(app, inside):
    def upload(data):
        inside.get("/profile")
        return inside.submit("/profile/picture", picture=(data, "me.png")).status

    assert upload(picture("PNG")) == 303
    assert upload(picture("JPEG")) == 303
    assert upload(picture("GIF")) == 415
    assert upload(b"%PDF-1.7 " + bytes(300)) == 415


def test_e07_more_than_five_megabytes_is_413(inside):
    token = inside.get("/profile").form("/profile/picture").fields["csrf_token"]
    line = b"--edge\r\nContent-Disposition: form-data; name="
    body = line + b'"csrf_token"\r\n\r\n' + token.encode() + b"\r\n"
    body += line + b'"picture"; filename="me.png"\r\n\r\n' + bytes(5 * 1024 * 1024 + 1)
    kind = "multipart/form-data; boundary=edge"
    page = inside.post("/profile/picture", body + b"\r\n--edge--\r\n", kind=kind)
    assert page.status == 413


def test_e09_every_html_form_wants_its_token(world, ann):
    browser = world.inside()
    seen = 0
    for path in "/profile", "/security/password", "/sign-in", "/sign-up", "/recover":
        page = browser.get(path)
        for action in page.forms:
            assert page.form(action).fields["csrf_token"]
            assert browser.post(action, {"csrf_token": "forged"}).status == 400, action
            seen += 1
    assert seen > 10
