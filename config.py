"""Every setting of the portal: name, default, unit and one line of meaning.

Values come from the environment, beneath it from `.env` beside this file; an empty value counts as unset.
`portal.core.settings` is the only place that reads them, and refuses to start with unsafe ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

ROOT = Path(__file__).parent
Value = str | int | bool | tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """One setting; `low` and `high` are the bounds a number may have, in its unit."""

    name: str
    default: Value
    meaning: str
    unit: str = ""
    low: int | None = None
    high: int | None = None

    def read(self, raw: str) -> Value:
        """The typed value of what the environment holds.  Raises ValueError when it cannot be one."""
        kinds: dict[type, Callable[[str], Value]] = {bool: _flag, int: int, tuple: _listed}
        return kinds.get(type(self.default), str)(raw)


def _flag(raw: str) -> bool:
    if raw.lower() not in _FLAGS:
        raise ValueError(raw)
    return _FLAGS[raw.lower()]


def _listed(raw: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in raw.split(",") if part.strip())


_FLAGS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}

GENERAL = (
    Setting(
        "SECRET_KEY",
        "",
        "Signs cookies and keys the hashes of codes; 32 random characters or more.",
    ),
    Setting(
        "PASSWORD_PEPPER",
        "",
        "Keys the pre-hash of every password; keep it apart from the database.",
    ),
    Setting(
        "PASSWORD_PEPPER_PREVIOUS",
        "",
        "The pepper before; passwords move to the new one at sign-in.",
    ),
    Setting(
        "DATA_KEY",
        "",
        "Encrypts second-factor secrets and chains the events; unset on loopback, made of SECRET_KEY.",
    ),
    Setting(
        "DATA_KEYS_PREVIOUS",
        (),
        "Data keys of before, newest first: what they encrypted and chained can still be read.",
    ),
    Setting("DEBUG", False, "Error pages for developers; never on a public address."),
    Setting(
        "PUBLIC_URL", "", "Where people reach the portal; every link in a message starts with it."
    ),
    Setting("BIND", "127.0.0.1", "The address that `flask serve` binds to."),
    Setting("PORT", 8000, "The port that `flask serve` binds to.", low=1, high=65535),
    Setting(
        "ALLOWED_HOSTS",
        (),
        "Host names that are answered; by default PUBLIC_URL's, 127.0.0.1 and localhost.",
    ),
    Setting("TRUSTED_PROXIES", (), "Networks (CIDR) of proxies whose X-Forwarded-For is believed."),
    Setting(
        "DATABASE_URL",
        f"sqlite:///{ROOT / 'instance' / 'portal.db'}",
        "The database, as an SQLAlchemy URL.",
    ),
    Setting(
        "REDIS_URL",
        "",
        "Redis that wakes Celery's workers and counts crowds; unset, a thread of the server sends.",
    ),
    Setting(
        "SIGNING_KEYS_FILE",
        str(ROOT / "instance" / "signing-keys.json"),
        "Private keys that sign access tokens; `flask keys rotate` turns them.",
    ),
    Setting(
        "API_FAMILIES",
        ("b", "c", "d", "e"),
        "Families of older programs that the API speaks to as well; none closes all.",
    ),
    Setting(
        "CORS_ALLOWED_ORIGINS",
        (),
        "Sites like https://app.example.org whose scripts may call the API; none by default.",
    ),
    Setting(
        "UPLOAD_FOLDER",
        str(ROOT / "portal" / "static" / "uploads"),
        "Where pictures are kept, unless AWS_STORAGE_BUCKET_NAME is set.",
    ),
    Setting(
        "AWS_STORAGE_BUCKET_NAME", "", "Bucket of S3, or a compatible store, that keeps pictures."
    ),
    Setting("AWS_ACCESS_KEY_ID", "", "Key of the account that may write to the bucket."),
    Setting("AWS_SECRET_ACCESS_KEY", "", "Its secret."),
    Setting("AWS_S3_REGION_NAME", "", "Region of the bucket; us-east-1 when unset."),
    Setting("AWS_S3_ENDPOINT_URL", "", "Where a compatible store is; unset, Amazon's S3."),
    Setting(
        "METRICS_TOKEN",
        "",
        "Bearer token for /metrics; unset, they are for this machine, and a PUBLIC_URL on it, alone.",
    ),
    Setting("LOG_FORMAT", "text", "Lines of the log: text, or json for programs that read logs."),
    Setting("PORTAL_NAME", "Latchkey", "The name that people read on pages and in messages."),
    Setting("HELP_PHONE", "", "The helpdesk's number, shown wherever somebody may be stuck."),
    Setting("HELP_EMAIL", "", "The helpdesk's address, shown likewise."),
    Setting(
        "SIGN_UP_ROLES",
        ("user",),
        "Roles that people may choose for themselves; the first is the page's.",
    ),
    Setting("THROTTLES", True, "Off for benchmarks alone: no waiting times at all."),
)

# Where SMS cost little, so that nobody earns by asking for them: Europe, North America, Oceania, East Asia.
SMS_COUNTRIES = _listed(
    "AT,AU,BE,BG,CA,CH,CY,CZ,DE,DK,EE,ES,FI,FR,GB,GG,GR,HR,HU,IE,IM,IS,IT,JE,JP,KR,LI,LT,LU,LV,MT,NL,NO,NZ,PL,PT,RO,SE,"
    "SG,SI,SK,US"
)

MAIL = (
    Setting(
        "EMAIL_BACKEND",
        "smtp",
        "How mail leaves: smtp, sendgrid, mailbox (shown at /dev/mailbox) or console.",
    ),
    Setting("EMAIL_HOST", "smtp.gmail.com", "The mail server."),
    Setting("EMAIL_PORT", 465, "Its port.", low=1, high=65535),
    Setting(
        "EMAIL_USE_SSL", True, "TLS from the first byte (SMTP_SSL); off when EMAIL_USE_TLS is on."
    ),
    Setting("EMAIL_USE_TLS", False, "Plain connection turned into TLS by STARTTLS."),
    Setting("EMAIL_HOST_USER", "", "User name at the mail server; for Gmail the sender's address."),
    Setting(
        "EMAIL_HOST_PASSWORD", "", "Password at the mail server; for Gmail an application password."
    ),
    Setting("EMAIL_FROM", "", "Sender of every message; EMAIL_HOST_USER when unset."),
    Setting(
        "EMAIL_TIMEOUT_SECONDS",
        10,
        "How long one step with a mail server or gateway may take.",
        "s",
        1,
        60,
    ),
    Setting("SENDGRID_API_KEY", "", "Key of SendGrid's v3 API, for EMAIL_BACKEND=sendgrid."),
    Setting(
        "SENDGRID_API_URL",
        "https://api.sendgrid.com",
        "Where that API is; a path is taken as it stands.",
    ),
    Setting(
        "SMS_URL",
        "",
        "How SMS leave: a gateway's Apprise URL, or https://TOKEN@host/path for plain JSON.",
    ),
    Setting(
        "SMS_COUNTRIES",
        SMS_COUNTRIES,
        "Countries (ISO 3166) that SMS are sent to; the others are refused.",
    ),
)

POLICY = (
    Setting(
        "CODE_LIFETIME_SECONDS",
        30,
        "Recovery code asked for on a page: life from hand-over.",
        "s",
        10,
        600,
    ),
    Setting("CODE_MAX_ATTEMPTS", 5, "Tries for such a code.", low=1, high=10),
    Setting(
        "API_CODE_LIFETIME_SECONDS",
        600,
        "Recovery code asked for by a program: life.",
        "s",
        10,
        600,
    ),
    Setting("API_CODE_MAX_ATTEMPTS", 3, "Tries for such a code.", low=1, high=10),
    Setting("PROOF_CODE_LIFETIME_SECONDS", 600, "Code that proves an address: life.", "s", 10, 600),
    Setting("PROOF_CODE_MAX_ATTEMPTS", 5, "Tries for such a code.", low=1, high=10),
    Setting("LINK_LIFETIME_SECONDS", 900, "Recovery link: life.", "s", 600, 900),
    Setting(
        "PROOF_LINK_LIFETIME_SECONDS", 86400, "Link that proves an address: life.", "s", 600, 604800
    ),
    Setting("NOTICE_LINK_LIFETIME_DAYS", 7, '"Not you?" link in a notice: life.', "d", 1, 30),
    Setting(
        "RESET_GRANT_SECONDS", 600, "Time to choose the password after code or link.", "s", 60, 3600
    ),
    Setting(
        "SEND_COOLDOWN_SECONDS",
        60,
        "One message a purpose in this time, for one address.",
        "s",
        0,
        3600,
    ),
    Setting(
        "SENDS_PER_HOUR", 5, "Messages that one address can be sent on request in an hour.", low=1
    ),
    Setting("SENDS_PER_DAY", 10, "The same in a day.", low=1),
    Setting(
        "SENDS_PER_NETWORK_HOUR", 200, "Messages that one network can cause in an hour.", low=1
    ),
    Setting(
        "SENDS_TOTAL_HOUR", 5000, "Messages that all people together can cause in an hour.", low=1
    ),
    Setting("SMS_PER_NUMBER_DAY", 6, "SMS that one number can be sent in a day.", low=1),
    Setting(
        "SMS_PER_PREFIX_HOUR",
        30,
        "SMS to numbers that differ in their last four digits alone, in an hour.",
        low=1,
    ),
    Setting("SMS_PER_NETWORK_DAY", 30, "SMS that one network can cause in a day.", low=1),
    Setting("SMS_TOTAL_DAY", 1000, "SMS to all people together in a day; then they stop.", low=0),
    Setting(
        "SIGN_UPS_PER_NETWORK_HOUR", 100, "Accounts that one network can open in an hour.", low=1
    ),
    Setting(
        "OPEN_SIGN_UPS_PER_NETWORK_HOUR",
        10,
        "Tries of one network at the door that tells a taken address (POST /register), an hour.",
        low=1,
    ),
    Setting(
        "WRONG_CODES_IN_5_MINUTES",
        5,
        "Wrong codes for one account in 5 minutes, over all its codes.",
        low=1,
    ),
    Setting("WRONG_CODES_IN_HOUR", 20, "The same in an hour.", low=1),
    Setting("WRONG_CODES_IN_DAY", 50, "The same in a day.", low=1),
    Setting(
        "WRONG_PASSWORDS_PER_ACCOUNT",
        10,
        "Wrong passwords for one account from one network.",
        low=1,
    ),
    Setting("WRONG_PASSWORDS_PER_ACCOUNT_SECONDS", 300, "... in this time.", "s", 1, 900),
    Setting(
        "WRONG_PASSWORDS_PER_NETWORK",
        100,
        "Wrong passwords from one network for any account.",
        low=1,
    ),
    Setting("WRONG_PASSWORDS_PER_NETWORK_SECONDS", 900, "... in this time.", "s", 1, 900),
    Setting(
        "KNOWN_DEVICE_DAYS",
        180,
        "How long a device that signed in is known and never kept out.",
        "d",
        1,
        400,
    ),
    Setting("PASSWORD_MIN_LENGTH", 8, "Shortest password, in code points.", low=8, high=12),
    Setting("PASSWORD_MAX_LENGTH", 128, "Longest password, in code points.", low=64, high=1024),
    Setting(
        "PASSWORD_ADVISED_LENGTH", 14, "Length from which the meter is content.", low=8, high=64
    ),
    Setting(
        "PASSWORD_PASSPHRASE_LENGTH",
        20,
        "From this length on any characters will do.",
        low=14,
        high=64,
    ),
    Setting(
        "PASSWORD_MIN_SCORE", 2, "Lowest zxcvbn score, the person's own data known.", low=0, high=4
    ),
    Setting("PASSWORD_HISTORY", 0, "Earlier passwords that may not come back; 0 means all.", low=0),
    Setting(
        "BCRYPT_COST", 12, "Work factor of password hashes, as a power of two.", low=4, high=16
    ),
    Setting(
        "HASHES_AT_ONCE",
        2,
        "Password hashes that one process computes side by side.",
        low=1,
        high=64,
    ),
    Setting(
        "SESSION_IDLE_SECONDS",
        1800,
        "A browser's sign-in ends after this time without a request.",
        "s",
        60,
    ),
    Setting("SESSION_ABSOLUTE_SECONDS", 43200, "It ends after this time in any case.", "s", 300),
    Setting(
        "STAFF_SESSION_SECONDS",
        43200,
        "The longest sign-in of somebody with a role of staff.",
        "s",
        300,
        43200,
    ),
    Setting(
        "KEEP_SIGNED_IN_DAYS", 30, "Both, where the person asked to be kept signed in.", "d", 1, 365
    ),
    Setting(
        "STEP_UP_SECONDS",
        600,
        "How long a password or second factor counts for what is sensitive.",
        "s",
        60,
        3600,
    ),
    Setting(
        "REQUIRE_CODE_FOR_PASSWORD_CHANGE",
        False,
        "A code sent by email has to be typed to change the password, in addition to the old one.",
    ),
    Setting(
        "SECOND_STEP_SECONDS",
        600,
        "Time between password and second step of one sign-in.",
        "s",
        60,
        3600,
    ),
    Setting("SECOND_STEP_MAX_ATTEMPTS", 5, "Wrong second steps of one account.", low=1, high=10),
    Setting("SECOND_STEP_ATTEMPTS_SECONDS", 900, "... in this time.", "s", 1, 3600),
    Setting("BACKUP_CODES", 10, "Backup codes that a person is given at a time.", low=5, high=20),
    Setting("ACCESS_TOKEN_SECONDS", 1800, "A program's access token: life.", "s", 60, 3600),
    Setting(
        "REFRESH_TOKEN_DAYS", 30, "A program's refresh token: life, anew at each use.", "d", 1, 90
    ),
    Setting("CSRF_LIFETIME_SECONDS", 3600, "A form that is older is shown again.", "s", 60, 86400),
    Setting("FULL_NAME_MAX_LENGTH", 100, "Longest full name, in code points.", low=20, high=200),
    Setting("USERNAME_MIN_LENGTH", 4, "Shortest username.", low=1, high=30),
    Setting("USERNAME_MAX_LENGTH", 30, "Longest username.", low=4, high=60),
    Setting("LINE_MAX_LENGTH", 100, "Longest job title, organisation and city.", low=20, high=200),
    Setting("LINK_MAX_LENGTH", 255, "Longest social link.", low=60, high=500),
    Setting("BIO_MAX_LENGTH", 500, "Longest biography, in code points.", low=50, high=5000),
    Setting(
        "EMAIL_MAX_LENGTH", 254, "Longest email address (RFC 5321, 4.5.3.1.3).", low=64, high=254
    ),
    Setting(
        "PICTURE_MAX_BYTES", 5 * 1024 * 1024, "Largest picture file.", "bytes", 100_000, 50_000_000
    ),
    Setting("PICTURE_MIN_SIDE", 256, "Shortest side of a picture.", "px", 96, 1024),
    Setting("PICTURE_MAX_SIDE", 8192, "Longest side of a picture.", "px", 1024, 16383),
    Setting(
        "PICTURE_MAX_PIXELS", 24_000_000, "Largest area of a picture.", "px", 1_000_000, 100_000_000
    ),
    Setting("PICTURE_JOBS", 2, "Pictures that one process works on side by side.", low=1, high=16),
    Setting(
        "BODY_MAX_BYTES",
        64 * 1024,
        "Largest request without a picture.",
        "bytes",
        16_384,
        1_048_576,
    ),
    Setting(
        "PICTURE_BODY_MAX_BYTES",
        6 * 1024 * 1024,
        "Largest request with a picture.",
        "bytes",
        200_000,
        16_000_000,
    ),
    Setting("BODY_MAX_FIELDS", 100, "Fields that one request may have.", low=20, high=1000),
    Setting(
        "DELETION_DAYS",
        14,
        "How long a deleted account can be restored; then it is gone.",
        "d",
        1,
        365,
    ),
    Setting(
        "CODE_RETENTION_DAYS",
        30,
        "How long ended codes and messages are kept for the record.",
        "d",
        1,
        365,
    ),
)

SETTINGS = (*GENERAL, *MAIL, *POLICY)


def environment() -> dict[str, str]:
    """`.env` beneath, the process's environment above: an empty variable there unsets what the file says."""
    kept = dotenv_values(ROOT / ".env", interpolate=False)
    return {name: value for name, value in {**kept, **os.environ}.items() if value is not None}


def read(source: Mapping[str, str]) -> tuple[dict[str, Value], list[str]]:
    """-> the typed values, and in words what cannot be one or is out of its bounds."""
    values: dict[str, Value] = {}
    problems: list[str] = []
    for each in SETTINGS:
        raw = source.get(each.name, "").strip()
        try:
            values[each.name] = each.read(raw) if raw else each.default
        except ValueError:
            values[each.name] = each.default
            problems.append(f"{each.name} cannot be understood: give {_wanted(each)}.")
        if not _inside(each, values[each.name]):
            problems.append(f"{each.name}={raw} is out of bounds: give {_wanted(each)}.")
    return values, problems


def _inside(each: Setting, value: Value) -> bool:
    if not isinstance(value, int):
        return True
    return (each.low is None or value >= each.low) and (each.high is None or value <= each.high)


def _wanted(each: Setting) -> str:
    if isinstance(each.default, bool):
        return "0 or 1"
    low = "" if each.low is None else f" from {each.low}"
    high = "" if each.high is None else f" to {each.high}"
    return f"a whole number{low}{high}{' ' + each.unit if each.unit else ''}"
