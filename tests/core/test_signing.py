"""Keys that tokens are signed with: their file, how they turn, and what is believed."""

import json
import os
import stat
from base64 import urlsafe_b64decode

import pytest
from sqlalchemy import inspect

from portal.core import keyring, signing
from portal.core.db import db
from portal.core.settings import Refused, setting
from tests.policy.world import World

KIND = "test+jwt"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "keys" / "signing-keys.json"


@pytest.fixture
def app(make_app, file):
    return make_app(SIGNING_KEYS_FILE=str(file))


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def here(app):
    with app.app_context():
        yield


def kids():
    return [each["kid"] for each in signing.public_keys()["keys"]]


def good(token):
    return signing.verified(token, KIND) == {"a": 1}


def test_keys_are_made_where_there_are_none_and_kept_where_there_are(make_app, file, app):
    first = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    make_app(SIGNING_KEYS_FILE=str(file))
    assert file.read_text() == first
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_a_token_is_believed_as_it_was_signed_and_for_its_kind_only(here):
    token = signing.sign({"a": 1}, KIND)
    assert good(token)
    assert signing.verified(token, "at+jwt") is None
    assert signing.verified(token[:-4] + "AAAA", KIND) is None
    assert signing.verified(token.replace(".", "=.", 1), KIND) is None
    assert signing.verified(token + "=", KIND) is None
    assert signing.verified(" " + token, KIND) is None


def test_what_is_published_has_no_private_part(here, file):
    (key,) = signing.public_keys()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert json.loads(file.read_text())["keys"][0]["d"] not in json.dumps(key)


def test_after_a_turn_old_tokens_live_to_their_end_and_new_ones_have_the_new_key(here, time):
    old, before = signing.sign({"a": 1}, KIND), kids()
    assert signing.rotate(0) == 2
    new = signing.sign({"a": 1}, KIND)
    assert good(old)
    assert good(new)
    assert len(kids()) == 2
    assert kids()[0] == before[0]
    time.pass_(seconds=setting("ACCESS_TOKEN_SECONDS") + keyring.SLACK_SECONDS - 1)
    assert good(old)
    time.pass_(seconds=2)
    assert not good(old)
    assert good(new)
    assert before[0] not in kids()
    assert signing.rotate(0) == 2  # what nobody needs any more is gone from the file


def test_with_a_lead_the_new_key_is_known_before_it_signs(here, time):
    (first,) = kids()
    signing.rotate(600)
    assert len(kids()) == 2
    time.pass_(seconds=599)
    assert head(signing.sign({"a": 1}, KIND))["kid"] == first
    time.pass_(seconds=1)
    assert head(signing.sign({"a": 1}, KIND))["kid"] != first


def test_a_turn_before_a_lead_is_over_leaves_a_key_that_signs_and_is_believed(here, time):
    signing.rotate(600)
    assert signing.rotate(0) == 2  # the one that was to sign later gave way
    for seconds in 0, 600, 1861, 86_400:
        time.pass_(seconds=seconds)
        assert good(signing.sign({"a": 1}, KIND)), seconds


@pytest.mark.parametrize("lead", ["-1", "86401", "soon"])
def test_a_lead_has_bounds(world, file, lead):
    before = file.read_text()
    assert world.command("keys", "rotate", "--lead", lead).exit_code == 2
    assert file.read_text() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="Only the superuser gives files away.")
def test_a_file_that_was_turned_by_the_superuser_is_still_its_owners(here, file):
    os.chown(file, 10_001, 10_001)
    signing.rotate(0)
    signing.replace()
    assert (file.stat().st_uid, file.stat().st_gid) == (10_001, 10_001)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_that_may_be_known_to_others_is_worth_nothing_at_once(here):
    old = signing.sign({"a": 1}, KIND)
    signing.replace()
    assert not good(old)
    assert len(kids()) == 1


def test_a_clock_that_was_set_back_still_signs(here, time):
    time.pass_(days=-1)
    assert good(signing.sign({"a": 1}, KIND))


def test_another_process_that_turns_the_keys_is_noticed(here, world):
    old = signing.sign({"a": 1}, KIND)
    assert world.command("keys", "rotate").exit_code == 0
    assert good(old)
    assert len(kids()) == 2
    assert "One new key" in world.command("keys", "replace").output
    assert not good(old)


@pytest.mark.parametrize("text", ["", "{}", "[]", "{", '{"keys": []}', '{"keys": [{"kid": "a"}]}'])
def test_a_file_that_breaks_while_it_runs_leaves_the_keys_as_they_were(here, file, text, caplog):
    token = signing.sign({"a": 1}, KIND)
    file.write_text(text)
    assert good(token)
    assert good(signing.sign({"a": 1}, KIND))
    assert "The keys stay as they were." in caplog.text


@pytest.mark.parametrize("text", ["", "{}", "[]", "{", '{"keys": []}', '{"keys": [{"kid": "a"}]}'])
def test_with_a_broken_file_it_does_not_start(make_app, file, text):
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(Refused, match="SIGNING_KEYS_FILE: no key can be read"):
        make_app(SIGNING_KEYS_FILE=str(file))


def test_keys_of_another_curve_are_refused(make_app, file):
    key = keyring.ECKey.generate_key("P-384")
    file.parent.mkdir()
    kept = {**key.as_dict(private=True), "kid": "a", "nbf": 0, "exp": 0}
    file.write_text(json.dumps({"keys": [kept]}))
    with pytest.raises(Refused, match="SIGNING_KEYS_FILE"):
        make_app(SIGNING_KEYS_FILE=str(file))


def test_a_place_that_cannot_be_written_is_named(make_app, tmp_path):
    (tmp_path / "taken").write_text("a file, no folder")
    with pytest.raises(Refused, match="SIGNING_KEYS_FILE: cannot be written"):
        make_app(SIGNING_KEYS_FILE=str(tmp_path / "taken" / "keys.json"))


def test_private_keys_never_reach_the_database(here, world, file):
    secret = json.loads(file.read_text())["keys"][0]["d"]
    with world.app.app_context():
        tables = inspect(db.engine).get_table_names()
    assert secret not in repr([world.rows(f'SELECT * FROM "{name}"') for name in tables])  # noqa: S608


def head(token):
    return json.loads(urlsafe_b64decode(token.partition(".")[0] + "==="))
