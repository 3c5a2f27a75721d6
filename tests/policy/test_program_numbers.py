"""The numbers that programs meet, each shown to be the one that counts."""

import pytest

from tests.conftest import PASSWORD
from tests.policy.world import ANN, ELSEWHERE, World

TOKEN, REFRESH, PROFILE = "/api/v1/auth/token", "/api/v1/auth/refresh", "/api/v1/profile"


@pytest.fixture
def open_world(make_app, time):
    """open_world(ACCESS_TOKEN_SECONDS="90") -> a world with Ann in it."""

    def make(**settings: str) -> World:
        world = World(make_app(**settings))
        world.account()
        return world

    return make


def signed_in(world: World) -> dict:
    typed = {"email": ANN, "password": PASSWORD}
    return world.app.test_client().post(TOKEN, json=typed).json


def reading(world: World, access: str) -> int:
    """-> the status."""
    bearer = {"Authorization": f"Bearer {access}"}
    return world.app.test_client().get(PROFILE, headers=bearer).status_code


def turning(world: World, refresh: str) -> tuple[int, str]:
    """-> the status, and the next refresh token."""
    answer = world.app.test_client().post(REFRESH, json={"refresh_token": refresh})
    return answer.status_code, answer.json.get("refresh_token", "")


@pytest.mark.parametrize("seconds, status", [(89, 200), (91, 401)])
def test_access_token_seconds(open_world, time, seconds, status):
    world = open_world(ACCESS_TOKEN_SECONDS="90")
    pair = signed_in(world)
    assert pair["expires_in"] == 90
    time.pass_(seconds=seconds)
    assert reading(world, pair["access_token"]) == status
    assert turning(world, pair["refresh_token"])[0] == 200


def test_refresh_token_days(open_world, time):
    """Each use starts them anew."""
    world = open_world(REFRESH_TOKEN_DAYS="3")
    refresh = signed_in(world)["refresh_token"]
    for hours, wanted in (71, 200), (71, 200), (73, 401):
        time.pass_(hours=hours)
        status, refresh = turning(world, refresh)
        assert status == wanted


def test_open_sign_ups_per_network_hour(make_app, time):
    world = World(make_app(OPEN_SIGN_UPS_PER_NETWORK_HOUR="2"))

    def opening(number: int, address: str = "198.51.100.7") -> tuple[int, str | None]:
        """-> the status, and after how many seconds it may be tried again."""
        wish = {"full_name": "Eve", "email": f"eve{number}@example.org", "password": PASSWORD}
        here = {"REMOTE_ADDR": address}
        answer = world.app.test_client().post("/register", json=wish, environ_overrides=here)
        return answer.status_code, answer.headers.get("Retry-After")

    assert opening(1) == (201, None)
    assert opening(1) == (400, None)  # it tells that the address is taken: that is what is counted
    assert opening(2) == (429, "3600")
    assert opening(1) == (429, "3600")
    assert opening(2, ELSEWHERE) == (201, None)
    time.pass_(minutes=61)
    assert opening(3) == (201, None)


@pytest.mark.parametrize("days, left", [(2.9, 1), (3.1, 0)])
def test_deletion_days(open_world, time, days, left):
    world = open_world(DELETION_DAYS="3")
    assert world.command("users", "delete", ANN).exit_code == 0
    time.pass_(days=days)
    world.command("purge")
    assert len(world.rows("SELECT id FROM person")) == left
