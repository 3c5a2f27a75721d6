"""The portal does not start with settings that give it away; each refusal names its cure."""

import pytest

from portal import create_app
from portal.core.settings import Refused
from tests.conftest import SETTINGS

SAFE = SETTINGS | {
    "PUBLIC_URL": "https://account.example.org",
    "EMAIL_BACKEND": "smtp",
    "EMAIL_HOST_USER": "portal@example.org",
    "EMAIL_HOST_PASSWORD": "app password",
    "BCRYPT_COST": "12",
    "ALLOWED_HOSTS": "account.example.org",
    "DATABASE_URL": "sqlite:///:memory:",
}
ANYWHERE = [
    ("SECRET_KEY", "", "is missing"),
    ("PASSWORD_PEPPER", "", "is missing"),
    ("CODE_LIFETIME_SECONDS", "601", "10 to 600"),
    ("CODE_LIFETIME_SECONDS", "9", "10 to 600"),
    ("API_CODE_LIFETIME_SECONDS", "601", "10 to 600"),
    ("PROOF_CODE_LIFETIME_SECONDS", "601", "10 to 600"),
    ("LINK_LIFETIME_SECONDS", "599", "600 to 900"),
    ("LINK_LIFETIME_SECONDS", "901", "600 to 900"),
    ("PASSWORD_MIN_LENGTH", "7", "8 to 12"),
    ("PASSWORD_MIN_LENGTH", "13", "8 to 12"),
    ("CODE_MAX_ATTEMPTS", "0", "from 1"),
    ("CODE_MAX_ATTEMPTS", "1000000", "to 10"),
    ("BCRYPT_COST", "3", "from 4"),
    ("BCRYPT_COST", "31", "to 16"),
    ("BCRYPT_COST", "many", "whole number"),
    ("PORT", "0", "1 to 65535"),
    ("DEBUG", "maybe", "0 or 1"),
    ("THROTTLES", "perhaps", "0 or 1"),
    ("TRUSTED_PROXIES", "everybody", "networks like"),
    ("TRUSTED_PROXIES", "10.0.0.1/8", "networks like"),
    ("EMAIL_BACKEND", "pigeon", "smtp"),
    ("SIGN_UP_ROLES", "admin", "Take it out"),
    ("SIGN_UP_ROLES", "user,support", "Take it out"),
    ("SIGN_UP_ROLES", ",", "Unset it"),
    ("SIGN_UP_ROLES", "user,a role", "is no name for a role"),
    ("SIGN_UP_ROLES", "u" * 21, "is no name for a role"),
    ("API_FAMILIES", "b,x", "is no family"),
    ("CORS_ALLOWED_ORIGINS", "*", "List sites"),
    ("CORS_ALLOWED_ORIGINS", "null", "List sites"),
    ("CORS_ALLOWED_ORIGINS", "https://app.example/", "List sites"),
    ("CORS_ALLOWED_ORIGINS", "app.example", "List sites"),
    ("PUBLIC_URL", "account.example.org", "https://account.example.org"),
    ("PUBLIC_URL", "ftp://account.example.org", "https://account.example.org"),
    ("PUBLIC_URL", "https://", "https://account.example.org"),
    ("PUBLIC_URL", "https://[x", "https://account.example.org"),
    ("PUBLIC_URL", "https://account.example.org/portal", "without a path"),
    ("PUBLIC_URL", "https://account.example.org?x", "without a path"),
    ("PUBLIC_URL", "https://account.example.org#x", "without a path"),
    ("PUBLIC_URL", "https://ann:secret@account.example.org", "without a path"),
    ("PUBLIC_URL", "https://account.example.org:99999", "without a path"),
]
IN_PRODUCTION = [
    ("SECRET_KEY", "changeme", "too weak"),
    ("SECRET_KEY", "a" * 64, "too weak"),
    ("SECRET_KEY", "0123456789" * 5, "too weak"),
    ("PASSWORD_PEPPER", "pepper", "too weak"),
    ("PASSWORD_PEPPER", SETTINGS["SECRET_KEY"], "same as SECRET_KEY"),
    ("DATA_KEY", "", "is missing"),
    ("DATA_KEY", "data", "too weak"),
    ("DATA_KEY", SETTINGS["PASSWORD_PEPPER"], "same as PASSWORD_PEPPER"),
    ("PUBLIC_URL", "http://account.example.org", "https"),
    ("PUBLIC_URL", "http://127.0.0.1.example.org", "https"),
    ("PUBLIC_URL", "HTTP://account.example.org", "https"),
    ("ALLOWED_HOSTS", "*", "List the host names"),
    ("ALLOWED_HOSTS", "account.example.org,*.example.org", "List the host names"),
    ("DEBUG", "1", "DEBUG=0"),
    ("EMAIL_BACKEND", "mailbox", "EMAIL_BACKEND=smtp"),
    ("THROTTLES", "off", "Unset THROTTLES"),
    ("BCRYPT_COST", "9", "10 or more"),
]


def refusal(settings):
    with pytest.raises(Refused) as refused:
        create_app(settings)
    return str(refused.value)


def test_conf_02_safe_settings_start():
    assert create_app(SAFE).config["SESSION_COOKIE_SECURE"]


@pytest.mark.parametrize("name, value, cure", ANYWHERE + IN_PRODUCTION)
def test_conf_02_an_unsafe_setting_is_refused_with_its_cure(name, value, cure):
    words = refusal(SAFE | {name: value})
    assert name in words
    assert cure in words
    secret = SAFE["SECRET_KEY"], SAFE["PASSWORD_PEPPER"], SAFE["DATA_KEY"]
    assert not any(each in words for each in secret)


@pytest.mark.parametrize("name, value, cure", ANYWHERE)
def test_conf_02_what_is_never_right_is_refused_on_loopback_too(name, value, cure):
    assert cure in refusal(SETTINGS | {"DATABASE_URL": "sqlite:///:memory:", name: value})


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost"])
def test_conf_02_only_this_machine_may_be_looser(url):
    loose = {"PUBLIC_URL": url, "DATABASE_URL": "sqlite:///:memory:"}
    assert create_app(SETTINGS | loose)
    for public in ("http://10.0.0.1", "http://0.0.0.0", "http://localhost.example.org"):
        assert "PUBLIC_URL" in refusal(SETTINGS | loose | {"PUBLIC_URL": public})


def test_conf_02_every_trouble_is_named_at_once():
    words = refusal(SAFE | {"SECRET_KEY": "", "DEBUG": "1", "BCRYPT_COST": "9"})
    assert words.count("\n") == 3
