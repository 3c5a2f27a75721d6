"""The portal paper's rows that are about the wire, by their ids."""

import io

import pytest
from PIL import Image

from tests.rigs.program import Program, Somebody, somebody
from tests.rigs.server import Server

LINKS = {
    "website": "https://ann.example.org/",
    "github": "https://github.com/ann",
    "gitlab": None,
    "linkedin": "https://linkedin.com/in/ann",
    "x": None,
    "mastodon": "https://fosstodon.org/@ann",
    "instagram": None,
    "youtube": "https://youtube.com/@ann",
}
BODIES = {
    "work": {"job_title": "Baker", "organisation": "Loaf & Sons"},
    "location": {"city": "Bath", "country": "GB"},
    "social-links": {"social_links": LINKS},
    "bio": {"bio": "I bake.\nOn Sundays I run."},
}


@pytest.fixture(scope="module")
def ann(wire: Server) -> Somebody:
    return somebody(wire)


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("section, body", BODIES.items())
def test_a13_a_section_is_put_as_it_is_posted(wire, ann, method, section, body):
    program, path = Program(wire, ann.access), f"/api/v1/profile/{section}"
    nothing = {"social_links": {}} if section == "social-links" else dict.fromkeys(body)
    assert program.call(method, path, nothing).status_code == 200
    answer = program.call(method, path, body)
    assert (answer.status_code, answer.json()) == (200, body)
    read = program.get("/api/v1/profile").json()
    assert read == read | body


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a13_a_picture_is_put_as_it_is_posted(wire, ann, method):
    program, file = Program(wire, ann.access), io.BytesIO()
    Image.new("RGB", (300, 300), "navy").save(file, "PNG")
    sent = {"picture": ("me.png", file.getvalue(), "image/png")}
    answer = program.call(method, "/api/v1/profile/picture", files=sent)
    assert answer.status_code == 200
    url = answer.json()["picture"]
    assert program.get("/api/v1/profile").json()["picture"] == url
    assert Program(wire).get(url.removeprefix(wire.url)).headers["Content-Type"] == "image/webp"


def test_a09_an_access_token_expires_after_thirty_minutes(app, sign_up, time):
    client, person = app.test_client(), sign_up("robin@example.org")
    typed = {"email": person.email, "password": person.password}
    pair = client.post("/api/v1/auth/token", json=typed).json
    assert pair["expires_in"] == 30 * 60
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    for seconds, status in (29 * 60 + 59, 200), (1, 401):
        time.pass_(seconds=seconds)
        assert client.get("/api/v1/profile", headers=bearer).status_code == status
