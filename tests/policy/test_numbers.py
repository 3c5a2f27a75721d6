"""No number of the policy without a test that shows what it does, and the bounds of each."""

import ast
from pathlib import Path

import pytest

import config
from portal import create_app
from portal.core.settings import Refused
from tests.conftest import SETTINGS

PAPER = {
    "CODE_LIFETIME_SECONDS": 30,
    "CODE_MAX_ATTEMPTS": 5,
    "API_CODE_LIFETIME_SECONDS": 600,
    "API_CODE_MAX_ATTEMPTS": 3,
    "PROOF_CODE_LIFETIME_SECONDS": 600,
    "PROOF_CODE_MAX_ATTEMPTS": 5,
    "LINK_LIFETIME_SECONDS": 900,
    "PROOF_LINK_LIFETIME_SECONDS": 86_400,
    "NOTICE_LINK_LIFETIME_DAYS": 7,
    "RESET_GRANT_SECONDS": 600,
    "SEND_COOLDOWN_SECONDS": 60,
    "SENDS_PER_HOUR": 5,
    "SENDS_PER_DAY": 10,
    "SENDS_PER_NETWORK_HOUR": 200,
    "SENDS_TOTAL_HOUR": 5000,
    "SMS_PER_NUMBER_DAY": 6,
    "SMS_PER_PREFIX_HOUR": 30,
    "SMS_PER_NETWORK_DAY": 30,
    "SMS_TOTAL_DAY": 1000,
    "SIGN_UPS_PER_NETWORK_HOUR": 100,
    "OPEN_SIGN_UPS_PER_NETWORK_HOUR": 10,
    "WRONG_CODES_IN_5_MINUTES": 5,
    "WRONG_CODES_IN_HOUR": 20,
    "WRONG_CODES_IN_DAY": 50,
    "WRONG_PASSWORDS_PER_ACCOUNT": 10,
    "WRONG_PASSWORDS_PER_ACCOUNT_SECONDS": 300,
    "WRONG_PASSWORDS_PER_NETWORK": 100,
    "WRONG_PASSWORDS_PER_NETWORK_SECONDS": 900,
    "KNOWN_DEVICE_DAYS": 180,
    "PASSWORD_MIN_LENGTH": 8,
    "PASSWORD_MAX_LENGTH": 128,
    "PASSWORD_ADVISED_LENGTH": 14,
    "PASSWORD_PASSPHRASE_LENGTH": 20,
    "PASSWORD_MIN_SCORE": 2,
    "PASSWORD_HISTORY": 0,
    "BCRYPT_COST": 12,
    "SESSION_IDLE_SECONDS": 1800,
    "SESSION_ABSOLUTE_SECONDS": 43_200,
    "KEEP_SIGNED_IN_DAYS": 30,
    "STEP_UP_SECONDS": 600,
    "SECOND_STEP_SECONDS": 600,
    "SECOND_STEP_MAX_ATTEMPTS": 5,
    "SECOND_STEP_ATTEMPTS_SECONDS": 900,
    "BACKUP_CODES": 10,
    "REQUIRE_CODE_FOR_PASSWORD_CHANGE": 0,
    "ACCESS_TOKEN_SECONDS": 1800,
    "REFRESH_TOKEN_DAYS": 30,
    "DELETION_DAYS": 14,
    "FULL_NAME_MAX_LENGTH": 100,
    "USERNAME_MIN_LENGTH": 4,
    "USERNAME_MAX_LENGTH": 30,
    "LINE_MAX_LENGTH": 100,
    "LINK_MAX_LENGTH": 255,
    "BIO_MAX_LENGTH": 500,
    "EMAIL_MAX_LENGTH": 254,
    "PICTURE_MAX_BYTES": 5 * 1024 * 1024,
    "PICTURE_MIN_SIDE": 256,
    "PICTURE_MAX_SIDE": 8192,
    "PICTURE_MAX_PIXELS": 24_000_000,
    "PICTURE_JOBS": 2,
    "BODY_MAX_BYTES": 64 * 1024,
    "PICTURE_BODY_MAX_BYTES": 6 * 1024 * 1024,
    "BODY_MAX_FIELDS": 100,
    "CODE_RETENTION_DAYS": 30,
}
BOUNDED = [(each, each.low, -1) for each in config.SETTINGS if each.low is not None]
BOUNDED += [(each, each.high, 1) for each in config.SETTINGS if each.high is not None]
PRODUCTION = {
    "PUBLIC_URL": "https://account.example.org",
    "EMAIL_BACKEND": "smtp",
    "BCRYPT_COST": "12",
}


def names_here() -> set[str]:
    trees = [ast.parse(file.read_text()) for file in Path(__file__).parent.glob("test_*.py")]
    return {
        node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("name", [each.name for each in config.POLICY])
def test_every_number_has_a_test_of_its_own_name(name):
    assert f"test_{name.lower()}" in names_here()


@pytest.mark.parametrize("name", PAPER)
def test_the_defaults_are_those_of_the_paper(name):
    assert {each.name: each.default for each in config.POLICY}[name] == PAPER[name]


@pytest.mark.parametrize(
    "each, bound, step", BOUNDED, ids=lambda value: getattr(value, "name", value)
)
def test_a_number_out_of_its_bounds_is_understood_and_refused(each, bound, step):
    for value, fine in (bound, True), (bound + step, False):
        _values, problems = config.read({each.name: str(value)})
        assert [problem.partition("=")[0] for problem in problems] == ([] if fine else [each.name])


@pytest.mark.parametrize("mode", [{}, PRODUCTION], ids=["at home", "in production"])
@pytest.mark.parametrize("name, value", [
    ("CODE_LIFETIME_SECONDS", 601), ("API_CODE_LIFETIME_SECONDS", 601),
    ("PROOF_CODE_LIFETIME_SECONDS", 601), ("LINK_LIFETIME_SECONDS", 599),
    ("LINK_LIFETIME_SECONDS", 901), ("PASSWORD_MIN_LENGTH", 7), ("PASSWORD_MIN_LENGTH", 13),
])  # fmt: skip
def test_the_papers_bounds_are_refused_at_start_in_every_mode(tmp_path, mode, name, value):
    home = {"DATABASE_URL": f"sqlite:///{tmp_path / 'portal.db'}"}
    create_app(SETTINGS | home | mode)
    with pytest.raises(Refused) as refusal:
        create_app(SETTINGS | home | mode | {name: str(value)})
    lines = str(refusal.value).splitlines()[1:]
    assert len(lines) == 1
    assert f"{name}={value} is out of bounds: give a whole number from" in lines[0]
