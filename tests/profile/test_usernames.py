"""Whose a username is: of those who answer for an address."""

from tests.conftest import PASSWORD
from tests.policy.world import World


def test_a_name_held_by_an_address_that_nobody_proved_can_be_taken(app, inside):
    wish = {"email": "squatter@example.org", "password": PASSWORD, "confirm_password": PASSWORD}
    client = app.test_client()
    assert (
        client.post("/auth/sign-up/user/", json=wish | {"username": "the.boss"}).status_code == 201
    )
    inside.get("/profile")
    page = inside.submit("/profile/name", full_name="Ann Miller", username="The.Boss")
    assert page.status == 303
    rows = World(app).rows("SELECT email, username FROM person ORDER BY id")
    assert rows == [("ann@example.org", "The.Boss"), ("squatter@example.org", None)]


def test_a_name_of_somebody_with_a_proven_address_stays_theirs(app, inside, sign_up):
    sign_up("bob@example.org", "Bob Hill")
    World(app).write(
        "UPDATE person SET username = 'bob', username_key = 'bob' WHERE email LIKE 'bob%'"
    )
    inside.get("/profile")
    page = inside.submit("/profile/name", full_name="Ann Miller", username="BOB")
    assert page.status == 422
