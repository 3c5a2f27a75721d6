"""Configuration: where it comes from, and with what the portal does not start."""

import re
from pathlib import Path

import pytest

import config
from portal import create_app
from portal.core.safety import dangers
from portal.core.settings import Refused
from tests.conftest import SETTINGS
from tests.policy.world import World

ROOT = Path(config.__file__).parent
PUBLIC = {
    "PUBLIC_URL": "https://account.example.org",
    "EMAIL_BACKEND": "smtp",
    "BCRYPT_COST": "12",
}
BUCKET = {"AWS_STORAGE_BUCKET_NAME": "people-pictures"}
AWS_KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "its secret"}
SENDGRID = {"EMAIL_BACKEND": "sendgrid", "SENDGRID_API_KEY": "SG.key"}
WEAK = "abcabcabcabcabcabcabcabcabcabcabcabc"


def refusals(make_app, **settings: str) -> list[str]:
    """The names of the settings that keep it from starting."""
    try:
        make_app(**settings)
    except Refused as refused:
        lines = str(refused).splitlines()
        assert lines[0] == "Latchkey does not start like this:"
        assert all(
            re.match(r"  [A-Z0-9_]+(: |=| cannot).+\. ?.*\.$|  .+give .+\.$", line)
            for line in lines[1:]
        )
        return [re.match(r"  ([A-Z0-9_]+)", line)[1] for line in lines[1:]]
    return []


def test_a_safe_production_starts(make_app):
    assert refusals(make_app, **PUBLIC) == []


@pytest.mark.parametrize("settings, names", [
    ({"SECRET_KEY": "short"}, ["SECRET_KEY"]),
    ({"SECRET_KEY": WEAK}, ["SECRET_KEY"]),
    ({"PASSWORD_PEPPER": "short"}, ["PASSWORD_PEPPER"]),
    ({"PASSWORD_PEPPER": SETTINGS["SECRET_KEY"]}, ["PASSWORD_PEPPER"]),
    ({"PUBLIC_URL": "http://account.example.org"}, ["PUBLIC_URL"]),
    ({"ALLOWED_HOSTS": "*"}, ["ALLOWED_HOSTS"]),
    ({"DEBUG": "1"}, ["DEBUG"]),
    ({"EMAIL_BACKEND": "mailbox"}, ["EMAIL_BACKEND"]),
    ({"EMAIL_BACKEND": "console"}, ["EMAIL_BACKEND"]),
    ({"SMS_URL": "http://key@gateway.example.org/sms"}, ["SMS_URL"]),
    (SENDGRID | {"SENDGRID_API_URL": "http://api.example.org"}, ["SENDGRID_API_URL"]),
    (BUCKET | {"AWS_S3_ENDPOINT_URL": "http://s3.example.org"}, ["AWS_S3_ENDPOINT_URL"]),
    ({"THROTTLES": "off"}, ["THROTTLES"]),
    ({"BCRYPT_COST": "9"}, ["BCRYPT_COST"]),
    ({"DEBUG": "1", "THROTTLES": "0"}, ["DEBUG", "THROTTLES"]),
])  # fmt: skip
def test_what_is_unsafe_is_refused_in_production_only(make_app, settings, names):
    assert refusals(make_app, **PUBLIC | settings) == names
    at_home = {key: value for key, value in settings.items() if key != "PUBLIC_URL"}
    assert refusals(make_app, **at_home) == []


@pytest.mark.parametrize("settings, name", [
    ({"SECRET_KEY": ""}, "SECRET_KEY"),
    ({"PASSWORD_PEPPER": ""}, "PASSWORD_PEPPER"),
    ({"PUBLIC_URL": "account.example.org"}, "PUBLIC_URL"),
    ({"PUBLIC_URL": "https://example.org/account"}, "PUBLIC_URL"),
    ({"PUBLIC_URL": "ftp://example.org"}, "PUBLIC_URL"),
    ({"TRUSTED_PROXIES": "10.0.0.0/8, here"}, "TRUSTED_PROXIES"),
    ({"EMAIL_BACKEND": "pigeon"}, "EMAIL_BACKEND"),
    ({"EMAIL_FROM": "the portal"}, "EMAIL_FROM"),
    ({"EMAIL_FROM": "pörtal@example.org"}, "EMAIL_FROM"),
    ({"EMAIL_BACKEND": "sendgrid"}, "SENDGRID_API_KEY"),
    (SENDGRID | {"SENDGRID_API_URL": "api.example.org"}, "SENDGRID_API_URL"),
    (SENDGRID | {"SENDGRID_API_URL": "ftp://api.example.org"}, "SENDGRID_API_URL"),
    ({"SMS_URL": "gateway.example.org"}, "SMS_URL"),
    ({"SMS_URL": "https://"}, "SMS_URL"),
    ({"SMS_URL": "https:///sms"}, "SMS_URL"),
    ({"SMS_URL": "http://gateway.example.org:99999/"}, "SMS_URL"),
    ({"SMS_URL": "twilio://with spaces"}, "SMS_URL"),
    ({"SMS_COUNTRIES": "DE, de"}, "SMS_COUNTRIES"),
    ({"SMS_COUNTRIES": "DEU"}, "SMS_COUNTRIES"),
    ({"SMS_COUNTRIES": "+49"}, "SMS_COUNTRIES"),
    ({"AWS_STORAGE_BUCKET_NAME": "people/pictures"}, "AWS_STORAGE_BUCKET_NAME"),
    ({"AWS_STORAGE_BUCKET_NAME": "x"}, "AWS_STORAGE_BUCKET_NAME"),
    (BUCKET | {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE"}, "AWS_SECRET_ACCESS_KEY"),
    (BUCKET | {"AWS_SECRET_ACCESS_KEY": "its secret"}, "AWS_ACCESS_KEY_ID"),
    (BUCKET | {"AWS_S3_REGION_NAME": "eu west"}, "AWS_S3_REGION_NAME"),
    (BUCKET | {"AWS_S3_ENDPOINT_URL": "s3.example.org"}, "AWS_S3_ENDPOINT_URL"),
    (BUCKET | {"AWS_S3_ENDPOINT_URL": "ftp://s3.example.org"}, "AWS_S3_ENDPOINT_URL"),
    (BUCKET | {"AWS_S3_ENDPOINT_URL": "https://key@s3.example.org"}, "AWS_S3_ENDPOINT_URL"),
    (BUCKET | {"AWS_S3_ENDPOINT_URL": "https://s3.example.org:99999"}, "AWS_S3_ENDPOINT_URL"),
    ({"EMAIL_PORT": "0"}, "EMAIL_PORT"),
    ({"EMAIL_PORT": "smtp"}, "EMAIL_PORT"),
    ({"DEBUG": "maybe"}, "DEBUG"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused_everywhere(make_app, settings, name):
    for mode in {}, PUBLIC:
        assert name in refusals(make_app, **mode | settings)


@pytest.mark.parametrize("settings", [
    SENDGRID,
    SENDGRID | {"SENDGRID_API_URL": "http://127.0.0.1:9000/v3"},
    {"SENDGRID_API_URL": "http://api.example.org"},  # not used
    {"SMS_URL": "https://key@gateway.example.org/sms"},
    {"SMS_URL": "http://key@127.0.0.1:9000/sms"},
    {"SMS_URL": "smseagle://key@127.0.0.1:8080"},
    {"SMS_COUNTRIES": "DE,AT"},
])  # fmt: skip
def test_ways_to_send_that_are_safe_are_used(make_app, settings):
    assert refusals(make_app, **PUBLIC | settings) == []


@pytest.mark.parametrize("settings", [
    BUCKET,  # the machine has a role
    BUCKET | AWS_KEYS | {"AWS_S3_REGION_NAME": "eu-west-1"},
    BUCKET | AWS_KEYS | {"AWS_S3_ENDPOINT_URL": "https://s3.example.org:9000"},
    BUCKET | AWS_KEYS | {"AWS_S3_ENDPOINT_URL": "http://127.0.0.1:9000"},
    {"AWS_S3_ENDPOINT_URL": "http://s3.example.org", "AWS_ACCESS_KEY_ID": "half"},  # not used
])  # fmt: skip
def test_buckets_that_are_reached_safely_are_used(make_app, settings):
    assert refusals(make_app, **PUBLIC | settings) == []


@pytest.mark.parametrize("backend", ["smtp", "console"])
def test_the_names_that_django_gives_to_backends_are_understood(make_app, backend):
    app = make_app(EMAIL_BACKEND=f"django.core.mail.backends.{backend}.EmailBackend")
    assert app.config["EMAIL_BACKEND"] == backend


def test_each_refusal_names_its_cure(make_app):
    with pytest.raises(Refused) as refused:
        make_app(SECRET_KEY="", CODE_LIFETIME_SECONDS="601", EMAIL_PORT="x")
    text = str(refused.value)
    assert "SECRET_KEY: is missing. Set it to 32 random bytes or more" in text
    assert (
        "CODE_LIFETIME_SECONDS=601 is out of bounds: give a whole number from 10 to 600 s." in text
    )
    assert "EMAIL_PORT cannot be understood: give a whole number from 1 to 65535." in text


def test_the_environment_lies_above_the_env_file(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text(
        "PORTAL_NAME=From the file\nHELP_PHONE=0800 111\nSENDS_PER_DAY=\n"
    )
    monkeypatch.setattr(config, "ROOT", tmp_path)
    for each in config.SETTINGS:
        monkeypatch.delenv(each.name, raising=False)
    monkeypatch.setenv("PORTAL_NAME", "From the environment")
    values, problems = config.read(config.environment())
    assert problems == []
    assert values["PORTAL_NAME"] == "From the environment"
    assert values["HELP_PHONE"] == "0800 111"
    assert values["SENDS_PER_DAY"] == 10


def test_an_empty_variable_counts_as_unset_even_above_the_file(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("SENDS_PER_DAY=7\n")
    monkeypatch.setattr(config, "ROOT", tmp_path)
    monkeypatch.setenv("SENDS_PER_DAY", "")
    values, _problems = config.read(config.environment())
    assert values["SENDS_PER_DAY"] == 10


@pytest.mark.parametrize("each", config.SETTINGS, ids=lambda each: each.name)
def test_empty_means_unset(each):
    values, problems = config.read({each.name: "  "})
    assert (values[each.name], problems) == (each.default, [])


@pytest.mark.parametrize("raw, read", [
    ("1", True), ("true", True), ("YES", True), ("on", True),
    ("0", False), ("False", False), ("no", False), ("OFF", False),
])  # fmt: skip
def test_switches_are_read_in_the_usual_words(raw, read):
    assert config.read({"DEBUG": raw})[0]["DEBUG"] is read


def test_lists_are_separated_by_commas():
    values, _problems = config.read({"ALLOWED_HOSTS": " a.example , b.example,"})
    assert values["ALLOWED_HOSTS"] == ("a.example", "b.example")


def test_every_setting_has_a_name_of_its_own_and_a_meaning():
    names = [each.name for each in config.SETTINGS]
    assert len(names) == len(set(names))
    assert all(each.meaning.strip().endswith(".") for each in config.SETTINGS)


@pytest.mark.parametrize("file", [".env.example", "docs/settings.md"])
def test_every_setting_is_listed_where_people_look_for_it(file):
    text = (ROOT / file).read_text()
    missing = [each.name for each in config.SETTINGS if not re.search(rf"\b{each.name}\b", text)]
    assert missing == []


def test_the_example_is_committed_and_the_real_file_is_not():
    ignored = (ROOT / ".gitignore").read_text().split()
    assert any(line in (".env", "/.env") for line in ignored)
    assert not any(line in (".env*", ".env.example") for line in ignored)


def test_the_example_alone_holds_no_secret():
    lines = (ROOT / ".env.example").read_text().splitlines()
    held = [
        line
        for line in lines
        if re.match(r"(SECRET_KEY|PASSWORD_PEPPER|EMAIL_HOST_PASSWORD)=.+", line)
    ]
    assert held == []


def test_allowed_hosts_are_public_urls_and_loopback_unless_told(make_app):
    world = World(make_app(PUBLIC_URL="http://portal.localhost"))
    for host, status in (
        ("portal.localhost", 200), ("127.0.0.1", 200), ("localhost", 200), ("evil.example", 400),
    ):  # fmt: skip
        assert world.app.test_client().get("/help", base_url=f"http://{host}").status_code == status


def test_a_port_moves_public_url_along(make_app):
    assert make_app(PORT="8123").config["PUBLIC_URL"] == "http://127.0.0.1:8123"
    app = make_app(PORT="8123", PUBLIC_URL="http://localhost:9")
    assert app.config["PUBLIC_URL"] == "http://localhost:9"


@pytest.mark.parametrize("given", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_postgresql_goes_through_its_current_driver(given):
    from portal.core import settings  # noqa: PLC0415 - a step of it alone, nothing to connect to

    values = {each.name: each.default for each in config.SETTINGS}
    values["DATABASE_URL"] = f"{given}://u@h/d"
    settings._derive(values)
    assert values["DATABASE_URL"] == "postgresql+psycopg://u@h/d"


def test_what_is_no_address_of_a_database_is_refused_with_its_cure():
    with pytest.raises(SystemExit, match=r"DATABASE_URL: .* Give it like"):
        create_app(SETTINGS | {"DATABASE_URL": "no database at all"})


def test_mail_in_the_clear_is_advised_against_but_not_refused():
    settings = {"EMAIL_BACKEND": "smtp", "EMAIL_HOST": "mail.example.org", "EMAIL_USE_SSL": "0"}
    public = {"PUBLIC_URL": "https://account.example.org", "BCRYPT_COST": "10"}
    app = create_app(SETTINGS | public | settings | {"DATABASE_URL": "sqlite://"})
    found = {each.name: each for each in dangers(app.config)}
    assert "in the clear" in str(found["EMAIL_USE_SSL"])
    near = app.config | {"EMAIL_HOST": "127.0.0.1"}
    assert "EMAIL_USE_SSL" not in {each.name for each in dangers(near)}


def test_a_proxy_that_nobody_named_is_asked_for_but_not_refused():
    public = {"PUBLIC_URL": "https://account.example.org", "EMAIL_BACKEND": "smtp"}
    app = create_app(SETTINGS | public | {"BCRYPT_COST": "10", "DATABASE_URL": "sqlite://"})
    for more, advised in ({}, True), ({"TRUSTED_PROXIES": ["10.0.0.0/8"]}, False):
        found = {each.name: each for each in dangers(app.config | more)}
        assert ("TRUSTED_PROXIES" in found) == advised
    near = app.config | {"PUBLIC_URL": "http://localhost:8000"}
    assert "TRUSTED_PROXIES" not in {each.name for each in dangers(near)}


@pytest.mark.parametrize("url, known", [
    ("clicksend://me:key@", True),
    ("https://key@gateway.example.org/sms", True),
    ("twilio://too-short", False),
    ("pigeon://coop", False),
])  # fmt: skip
def test_a_gateway_that_nobody_knows_is_refused_at_the_start(make_app, url, known):
    assert refusals_of_sms(make_app, url) == ([] if known else ["SMS_URL"])


def refusals_of_sms(make_app, url: str) -> list[str]:
    try:
        make_app(SMS_URL=url)
    except Refused as refused:
        return [str(refused).partition(":")[0]]
    return []
