"""How passwords are kept."""

import base64
import hashlib
import hmac
import re
import unicodedata

import bcrypt
import pytest

from tests.conftest import OTHER_PASSWORD, PASSWORD, SETTINGS, sign_in
from tests.policy.world import ANN, World

NEW_PEPPER = "another pepper altogether, 0011223344556677"
FORM = re.compile(r"v1\$[0-9a-f]{8}\$\$2b\$(\d\d)\$[./A-Za-z0-9]{53}")


def kept(world: World) -> str:
    [(found,)] = world.rows("SELECT password_hash FROM person")
    return found


def test_a_hash_is_bcrypt_over_a_keyed_sha_256(app):
    world = World(app)
    world.account()
    stored = kept(world)
    assert FORM.fullmatch(stored)
    pre = hmac.digest(
        SETTINGS["PASSWORD_PEPPER"].encode(),
        unicodedata.normalize("NFC", PASSWORD).encode(),
        hashlib.sha256,
    )
    theirs = stored.split("$", 2)[2].encode()
    assert bcrypt.checkpw(base64.b64encode(pre), theirs)


def test_the_default_cost_is_twelve(make_app):
    world = World(make_app(BCRYPT_COST=""))
    world.account()
    assert FORM.fullmatch(kept(world))[1] == "12"


def test_two_people_with_one_password_have_different_hashes(app):
    world = World(app)
    world.account()
    world.account("bob@example.org", "Bob Hill")
    both = {found for (found,) in world.rows("SELECT password_hash FROM person")}
    assert len(both) == 2


def test_signing_in_hashes_again_when_the_cost_went_up(make_app):
    World(make_app()).account()
    world = World(make_app(BCRYPT_COST="5"))
    assert FORM.fullmatch(kept(world))[1] == "04"
    assert sign_in(world.visitor(), ANN, OTHER_PASSWORD).status == 422
    assert FORM.fullmatch(kept(world))[1] == "04"
    world.inside()
    assert FORM.fullmatch(kept(world))[1] == "05"
    assert sign_in(world.visitor(), ANN).location == "/profile"


def test_signing_in_moves_to_the_new_pepper(make_app):
    World(make_app()).account()
    old = SETTINGS["PASSWORD_PEPPER"]
    world = World(make_app(PASSWORD_PEPPER=NEW_PEPPER, PASSWORD_PEPPER_PREVIOUS=old))
    before = kept(world)
    world.inside()
    assert kept(world).split("$")[1] != before.split("$")[1]
    without = World(make_app(PASSWORD_PEPPER=NEW_PEPPER))
    assert sign_in(without.visitor(), ANN).location == "/profile"


def test_an_up_to_date_hash_is_left_alone(app):
    world = World(app)
    world.account()
    before = kept(world)
    world.inside()
    assert kept(world) == before


@pytest.mark.parametrize("email", [ANN, "nobody@example.org"])
def test_a_refused_sign_in_costs_one_hash_for_everybody(app, monkeypatch, email):
    world, calls, real = World(app), [], bcrypt.hashpw
    world.account()
    sign_in(world.visitor(), "warm@example.org", "up")  # makes nobody's hash
    monkeypatch.setattr(bcrypt, "hashpw", lambda *args: calls.append(args[1][:7]) or real(*args))
    assert sign_in(world.visitor(), email, OTHER_PASSWORD).status == 422
    assert calls == [b"$2b$04$"]


def test_a_flood_of_letters_is_not_hashed_at_all(app, monkeypatch):
    world, calls = World(app), []
    world.account()
    monkeypatch.setattr(bcrypt, "hashpw", lambda *args: calls.append(args))
    assert sign_in(world.visitor(), ANN, "x" * 129).status == 422
    assert calls == []
