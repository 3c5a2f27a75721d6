"""What the documents show works: every curl line as it stands, and the client through a story."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
import requests
from jsonschema import Draft202012Validator
from PIL import Image

from tests.rigs import program
from tests.rigs.program import OTHER_PASSWORD, PASSWORD, Program, link_in, new_address
from tests.rigs.server import Server

DOCS = Path(__file__).parents[2] / "docs"
CURL, CLIENT = DOCS / "examples" / "curl.md", DOCS / "examples" / "client.py"
BLOCK = re.compile(
    r"^`(?P<method>[A-Z]+) (?P<path>\S+)` answers (?P<status>\d{3})\n\n```sh\n(?P<lines>.+?)```$",
    re.MULTILINE | re.DOTALL,
)
CODE, PATIENCE = re.compile(r"(?<!\d)\d{6}(?!\d)"), 15  # seconds
PUBLIC = {("GET", "/.well-known/jwks.json"), ("GET", "/api/v1/openapi.json")}  # no operations


@dataclass(frozen=True)
class Block:
    """One example: what it calls, what it promises, and what a shell is given."""

    method: str
    path: str
    status: int
    lines: str

    def names(self, *variables: str) -> bool:
        return any(re.search(rf"\${each}\b", self.lines) for each in variables)


BLOCKS = [
    Block(found["method"], found["path"], int(found["status"]), found["lines"])
    for found in BLOCK.finditer(CURL.read_text())
]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """As `wire`, but the same person may be sent two messages at once."""
    more = {"SEND_COOLDOWN_SECONDS": "0", "OPEN_SIGN_UPS_PER_NETWORK_HOUR": "100"}
    with Server(tmp_path_factory.mktemp("examples"), **more) as portal:
        yield portal


@pytest.fixture(scope="module")
def document(served):
    return requests.get(f"{served.url}/api/v1/openapi.json", timeout=10).json()


@pytest.fixture
def portrait(tmp_path):
    file = BytesIO()
    Image.linear_gradient("L").resize((400, 400)).save(file, "PNG")
    path = tmp_path / "portrait.png"
    path.write_bytes(file.getvalue())
    return path


def with_code(portal, to, count=1):
    """The newest message with a code, once there are `count` of them; alerts come in between."""
    until = time.monotonic() + PATIENCE
    while True:
        found = [mail for mail in portal.mailbox() if mail.to == to and CODE.search(mail.text)]
        if len(found) >= count:
            return found[0]
        assert time.monotonic() < until, portal.log()
        time.sleep(0.05)


def variables(portal, block):
    """What the page's table says of each variable that this block names."""
    known = {
        "SITE": portal.url,
        "PASSWORD": PASSWORD,
        "NEW_PASSWORD": OTHER_PASSWORD,
        "NEW_EMAIL": new_address("new"),
    }
    if block.names("EMAIL", "ACCESS", "REFRESH") or "reset-password" in block.path:
        known |= _somebody(portal)
    if block.names("CODE", "TOKEN", "PERSON"):
        known |= _message(portal, block, known)
    return known


def _somebody(portal):
    ann = program.somebody(portal)
    listed = Program(portal, ann.access).get("/api/v1/sessions").json()["sessions"]
    return {
        "EMAIL": ann.email,
        "USERNAME": ann.email.partition("@")[0],
        "ACCESS": ann.access,
        "REFRESH": ann.refresh,
        "SID": listed[0]["id"],
    }


def _message(portal, block, known):
    """The message that has the code or the link: of a sign-up, or of a recovery."""
    recovers = "EMAIL" in known
    linked = block.names("PERSON")
    wish = dict.fromkeys(("password", "confirm_password"), PASSWORD)
    if recovers:
        path = "/auth/forgot-password/" if linked else "/api/v1/auth/forgot-password"
        to, sent = known["EMAIL"], {"email": known["EMAIL"]}
    elif linked:
        path, to = "/auth/sign-up/user/", known["NEW_EMAIL"]
        sent = {"email": to} | wish
    else:
        path, to = "/api/v1/auth/register", known["NEW_EMAIL"]
        sent = {"email": to, "password": PASSWORD, "full_name": "Ann Miller"}
    assert Program(portal).post(path, sent).ok
    mail = with_code(portal, to, 2 if recovers else 1)
    *_site, person, token = (
        link_in(mail, r"/(link|verify-otp|reset-password)/").strip("/").split("/")
    )
    return {"CODE": mail.code, "TOKEN": token, "PERSON": person}


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed (apt-get install curl)")
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.method} {block.path}")
def test_each_curl_line_does_what_it_promises(block, served, document, portrait, tmp_path):
    (tmp_path / ".curlrc").write_text('write-out = "%{stderr}%{http_code}"\n')
    known = {"PATH": os.environ["PATH"], "CURL_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        ["sh", "-eu", "-c", block.lines],
        env=known | variables(served, block),
        cwd=portrait.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stderr, done.stdout and json.loads(done.stdout)) == (
        str(block.status),
        _as_documented(document, block, done.stdout),
    )


def _as_documented(document, block, answer):
    """The answer itself, if the document foresees one like it."""
    if (block.method, block.path) in PUBLIC:
        return json.loads(answer)
    told = document["paths"][block.path][block.method.lower()]["responses"][str(block.status)]
    if "content" not in told:
        return ""
    schema = told["content"]["application/json"]["schema"]
    Draft202012Validator(schema | {"components": document["components"]}).validate(
        json.loads(answer)
    )
    return json.loads(answer)


def test_no_operation_is_missing_among_the_curl_lines(document):
    operations = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    assert {(block.method, block.path) for block in BLOCKS} - PUBLIC == operations


def test_every_block_of_the_page_is_run():
    assert CURL.read_text().count("```sh") == len(BLOCKS)


def test_a_block_calls_what_it_says_that_it_calls():
    for block in BLOCKS:
        called = re.search(r'"\$SITE(\S+)"', block.lines)[1]
        spoken = re.sub(r"\{\w+\}", r"[^/]+", block.path)
        assert re.fullmatch(spoken, called), block


# ------------------------------------------------------------------ the client


@pytest.fixture(scope="module")
def client():
    """The module, as it stands in the documents."""
    spec = importlib.util.spec_from_file_location("client", CLIENT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def ann(client, served):
    """Somebody who signed up, proved the address and signed in, all with the client."""
    email = new_address("client")
    portal = client.Portal(served.url)
    portal.sign_up(email, PASSWORD, "Ann Miller")
    portal.prove(email, with_code(served, email).code)
    portal.sign_in(email, PASSWORD)
    portal.email = email
    return portal


def test_the_client_needs_nothing_but_the_standard_library():
    imported = re.findall(r"^(?:from|import) (\w+)", CLIENT.read_text(), re.MULTILINE)
    assert set(imported) <= {"json", "secrets", "time", "urllib", "pathlib", "typing"}


def test_the_client_reads_and_changes_a_profile(ann):
    assert ann.change("bio", bio="I bake.") == {"bio": "I bake."}
    ann.change("location", city="Bath", country="GB")
    told = ann.profile()
    assert (told["email"], told["bio"], told["city"]) == (ann.email, "I bake.", "Bath")


def test_the_client_uploads_a_picture_and_removes_it(ann, portrait):
    address = ann.upload(portrait)["picture"]
    assert requests.get(address, timeout=10).headers["Content-Type"] == "image/webp"
    ann.remove_picture()
    assert ann.profile()["picture"] is None


def test_the_client_turns_its_token_before_it_runs_out(ann, client, monkeypatch):
    before = ann.refresh_token
    ann.profile()
    assert ann.refresh_token == before
    monkeypatch.setattr(client, "EARLY", 100_000)
    assert ann.profile()["email"] == ann.email
    assert ann.refresh_token != before


def test_the_client_turns_its_token_when_it_is_refused(ann):
    ann._access = "spoiled"
    assert ann.profile()["email"] == ann.email


def test_the_client_goes_on_after_a_restart(ann, client, served):
    again = client.Portal(served.url, ann.refresh_token)
    assert again.profile()["email"] == ann.email


def test_the_client_sees_and_ends_sign_ins(ann, client, served):
    other = client.Portal(served.url)
    other.sign_in(ann.email, PASSWORD)
    (theirs,) = [each for each in ann.sessions() if not each["current"]]
    ann.end(theirs["id"])
    with pytest.raises(client.Refused) as refused:
        other.profile()
    assert refused.value.status == 401


def test_the_client_signs_out(ann, client, served):
    kept = ann.refresh_token
    ann.sign_out()
    with pytest.raises(client.Refused):
        client.Portal(served.url, kept).profile()


def test_the_client_gets_back_in(ann, client, served):
    ann.forget(ann.email)
    ann.reset(ann.email, with_code(served, ann.email, 2).code, OTHER_PASSWORD)
    with pytest.raises(client.Refused):
        ann.profile()
    ann.sign_in(ann.email, OTHER_PASSWORD)
    assert ann.profile()["email"] == ann.email


def test_the_client_tells_what_was_refused(ann, client):
    with pytest.raises(client.Refused) as refused:
        ann.change("location", city="Bath", country="Narnia")
    assert (refused.value.status, list(refused.value.errors)) == (422, ["country"])
    assert refused.value.errors["country"][0] in refused.value.words
