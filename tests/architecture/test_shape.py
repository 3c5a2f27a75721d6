"""The shape of the house, as far as import contracts cannot see it."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateColumn

from portal.accounts import guards
from portal.api import routes
from portal.api.bearer import Reach
from portal.codes.models import Otp
from portal.core import shapes
from portal.delivery.parcels import SMS
from portal.delivery.recipes import RECIPES

ROOT = Path(__file__).parents[2]
PORTAL = ROOT / "portal"
TEMPLATES = PORTAL / "templates"
CODE = sorted(PORTAL.rglob("*.py"))

MOST_LINES_OF_A_FILE, MOST_LINES_OF_A_FUNCTION = 200, 25
MAIL_PARTS = {"subject.txt", "body.txt", "body.html"}

# Whoever adds a page that strangers may open adds it here, on purpose.
PUBLIC = {
    "accounts.home",
    "accounts.invitation",
    "accounts.sign_in",
    "accounts.sign_out",
    "accounts.sign_up",
    "accounts.sign_up_code",
    "accounts.sign_up_link",
    "accounts.sign_up_resend",
    "api_docs.document",
    "api_docs.page",
    "api_public.jwks",
    "core.change_password",
    "core.healthz",
    "core.help",
    "core.metrics",
    "core.privacy",
    "core.readyz",
    "core.security_txt",
    "pictures.file",
    "recovery.code",
    "recovery.email",
    "recovery.held",
    "recovery.keep_email",
    "recovery.link",
    "recovery.new_password",
    "recovery.not_you",
    "recovery.resend",
    "recovery.start",
    "recovery.status",
    "second_step.app",
    "second_step.backup",
    "static",
}
# Whoever adds an operation that needs no token adds it here, on purpose.
OPEN = {
    "v1": {"token", "refresh", "revoke", "register", "verify_email", "resend_verification"},
    "b": {"forget_password", "verify_otp"},
    "c": {
        "forgot_password",
        "reset_password",
        "resend_password_reset",
        "validate_password_reset",
    },
    "d": {
        "forgot_password",
        "proof",
        "proof_again",
        "proof_link",
        "refresh",
        "reset_link",
        "reset_password",
        "sign_in",
        "sign_up_with_role",
    },
    "e": {"register", "login", "forgot_password", "reset_password"},
}
# Seen by this machine alone; `only_here` is their guard, and what it lets in has tests of its own.
LOCAL = {"delivery.mailbox", "delivery.mailbox_json", "delivery.message"}

WORD = r"[a-z0-9]+(-[a-z0-9]+)*"
SEGMENT = rf"({WORD}|{WORD}\.(csv|json|txt)|\.well-known|<(string|int|uuid):[a-z_]+>)"

# What A04 says, in the words of PostgreSQL.
OTP = {
    "id": "BIGSERIAL NOT NULL",
    "user_id": "BIGINT NOT NULL",
    "otp_hash": "VARCHAR(255) NOT NULL",
    "purpose": "VARCHAR(50) NOT NULL",
    "channel": "VARCHAR(20) NOT NULL",
    "expires_at": "TIMESTAMP WITH TIME ZONE NOT NULL",
    "consumed_at": "TIMESTAMP WITH TIME ZONE",
    "attempts": "SMALLINT DEFAULT '0' NOT NULL",
    "max_attempts": "SMALLINT DEFAULT '5' NOT NULL",
    "created_at": "TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL",
    "updated_at": "TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL",
}

# In pieces, so that this file may be searched too.
FOREIGN = [
    "/wo" "rk/", "/fa" "rm/", "/root/" ".", "." "library/",
    "py" "pi.org", "python" "hosted", "npm" "js.", "deb" "ian.org", "snapshot." "deb",
    "cla" "ude", "anth" "ropic", "open" "ai", "chat" "gpt", "cop" "ilot", "co-authored" "-by",
]  # fmt: skip


def files_with(pattern):
    found = [file for file in CODE if re.search(pattern, file.read_text())]
    return {file.relative_to(PORTAL).as_posix() for file in found}


def tracked():
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("No git, or no git work tree: nothing is known to be tracked.")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def rules(app):
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def is_for_programs(app, rule):
    """Its families judge tokens, as each of their operations says; no cookie opens it."""
    return rule.endpoint.partition(".")[0] in shapes.doors(app)


def test_only_core_db_commits_and_rolls_back():
    assert files_with(r"\.(commit|rollback)\(") == {"core/db.py"}


def test_only_stories_and_core_open_transactions():
    # The mailbox stands in for a mail server, and keeps what it has accepted like one.
    allowed = re.compile(r"core/.*|.*/service\.py|.*/service/.*|delivery/mailbox\.py")
    found = files_with(r"\btransaction\(\)")
    assert found
    assert {name for name in found if not allowed.fullmatch(name)} == set()


def test_only_core_settings_reads_configuration():
    assert files_with(r"\.config\b(?!\.)") <= {"core/settings.py", "__init__.py"}
    assert files_with(r"\b(os\.environ|getenv)\b") == set()


def test_every_url_is_typed_and_kebab_case(app):
    odd = [r.rule for r in rules(app) if not re.fullmatch(rf"/|(/{SEGMENT})+/?", r.rule)]
    assert odd == []


def test_every_url_is_public_by_name_or_guarded(app):
    open_doors = set()
    for rule in rules(app):
        if is_for_programs(app, rule):
            continue
        blueprint = rule.endpoint.partition(".")[0]
        first, *_others = app.before_request_funcs.get(blueprint, [None])
        if first not in (guards.signed_in, guards.of_desk):
            open_doors.add(rule.endpoint)
    assert open_doors - PUBLIC - LOCAL == set()


def test_every_operation_is_open_by_name_or_needs_a_token():
    families = [routes.V1, *routes.DIALECTS.values()]
    found = {
        family.key: {
            name
            for name, operation in family.operations.items()
            if operation.reach is Reach.EVERYBODY
        }
        for family in families
    }
    assert found == OPEN


def test_the_list_of_public_pages_is_not_longer_than_needed(app):
    there = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert (PUBLIC | LOCAL) - there == set()


def test_local_pages_have_their_guard(app):
    (guard,) = app.before_request_funcs["delivery"]
    assert guard.__name__ == "only_here"


def test_the_table_otp_has_exactly_its_columns():
    dialect = postgresql.dialect()
    made = [str(CreateColumn(each).compile(dialect=dialect)) for each in Otp.__table__.columns]
    assert dict(column.split(" ", 1) for column in made) == OTP
    assert [column.name for column in Otp.__table__.primary_key] == ["id"]
    assert not Otp.__table__.foreign_keys


def test_each_recipe_has_its_templates_and_each_folder_its_recipe(app):
    folders = {path.name for path in (TEMPLATES / "mail").iterdir() if path.name != "elements"}
    assert folders == set(RECIPES)
    for folder in folders:
        parts = {"body.txt"} if RECIPES[folder].channel == SMS else MAIL_PARTS
        assert {path.name for path in (TEMPLATES / "mail" / folder).iterdir()} == parts, folder


def test_every_page_that_is_rendered_has_its_template_and_the_other_way_round():
    named = {
        name for file in CODE for name in re.findall(r'"([a-z_]+/[a-z_]+\.html)"', file.read_text())
    }
    there = {
        path.relative_to(TEMPLATES).as_posix()
        for path in TEMPLATES.glob("*/*.html")
        if path.parent.name not in ("elements", "layouts")
    }
    elements = {name for name in named if name.startswith("elements/")}
    assert named - elements == there
    assert all((TEMPLATES / name).is_file() for name in elements)


def test_every_template_compiles(app):
    broken = []
    for path in TEMPLATES.rglob("*.*"):
        try:
            app.jinja_env.compile(path.read_text())
        except Exception as error:  # noqa: BLE001 - whatever it says, with its file
            broken.append(f"{path.relative_to(TEMPLATES)}: {error}")
    assert broken == []


def test_no_file_is_too_long():
    lines = {str(file.relative_to(PORTAL)): len(file.read_text().splitlines()) for file in CODE}
    assert [name for name, count in lines.items() if count > MOST_LINES_OF_A_FILE] == []


def test_no_function_is_too_long():
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    long = [
        f"{file.relative_to(PORTAL)}:{node.lineno} {node.name}"
        for file in CODE
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, functions)
        and (node.end_lineno or 0) - node.lineno + 1 > MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []


def test_no_module_is_a_drawer_for_everything():
    names = {part for file in CODE for part in file.relative_to(PORTAL).with_suffix("").parts}
    assert names & {"utils", "util", "helpers", "helper", "common", "managers", "misc"} == set()


@pytest.mark.parametrize("word", FOREIGN)
def test_no_tracked_file_tells_of_the_machine_it_was_made_on(word):
    found = []
    for file in tracked():
        text = file.read_bytes() if file.is_file() else b""
        if b"\0" not in text and word in text.decode(errors="replace").lower():
            found.append(file.relative_to(ROOT).as_posix())
    assert found == []
