"""Scripts, styles and fonts: named by their content, packed ahead of time, kept for a year."""

import gzip
import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event

from portal.core import assets
from portal.core.assets import asset
from portal.core.db import db
from tests.rigs.html import check
from tests.rigs.visitor import Visitor

STATIC = Path(__file__).parents[2] / "portal" / "static"
YEAR = "public, max-age=31536000, immutable"
MARKED = re.compile(r"/static/[a-z0-9/-]+\.[0-9a-f]{10}\.(css|js|svg|woff2)")


@pytest.fixture
def fetch(visitor):
    """fetch(path, "gzip") -> the answer, to somebody who takes this coding."""

    def get(path, coding="", **headers):
        return visitor.get(path, checked=False, Accept_Encoding=coding, **headers)

    return get


def test_whatever_a_page_fetches_has_its_content_in_its_name_and_is_kept_for_a_year(
    app, visitor, fetch
):
    page = visitor.get("/sign-up")
    found = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.html)
    assert len(found) > 4
    styles = fetch(asset("css/portal.css")).html
    fonts = re.findall(r"url\(([^)]+)\)", styles)
    assert len(fonts) > 4
    assert set(re.findall(r'"(/static/fonts/[^"]+)"', page.html)) <= set(fonts), "fetched twice"
    for path in found + fonts:
        assert MARKED.fullmatch(path), path
        answer = fetch(path)
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == YEAR


def test_each_kind_of_file_is_called_what_it_is(fetch):
    kinds = {
        "css/portal.css": "text/css; charset=utf-8",
        "js/portal.js": "text/javascript; charset=utf-8",
        "img/mark.svg": "image/svg+xml",
        "fonts/young-serif.woff2": "font/woff2",
        "fonts/LICENSE-young-serif.txt": "text/plain; charset=utf-8",
    }
    for name, kind in kinds.items():
        assert fetch(asset(name)).headers["Content-Type"] == kind
        assert fetch(asset(name)).headers["X-Content-Type-Options"] == "nosniff"


def test_what_packs_well_is_packed_for_those_who_can_unpack_it(fetch):
    path = asset("js/password.js")
    plain, packed = fetch(path), fetch(path, "br;q=1, gzip;q=0.5")
    assert gzip.decompress(packed.body) == plain.body == (STATIC / "js/password.js").read_bytes()
    assert len(packed.body) < len(plain.body) / 2
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Content-Length"] == str(len(packed.body))
    assert packed.headers["ETag"] != plain.headers["ETag"]
    for answer in plain, packed, fetch(path, "gzip;q=0"), fetch(path, "br"):
        assert answer.headers["Vary"] == "Accept-Encoding"
    for coding in "", "identity", "gzip;q=0", "br", "*;q=0":
        assert "Content-Encoding" not in fetch(path, coding).headers, coding


def test_a_font_is_packed_already(fetch):
    answer = fetch(asset("fonts/young-serif.woff2"), "gzip")
    assert answer.body == (STATIC / "fonts/young-serif.woff2").read_bytes()
    assert "Content-Encoding" not in answer.headers
    assert "Vary" not in answer.headers


def test_the_plain_name_answers_too_and_is_asked_about_each_time(fetch):
    for coding in "", "gzip":
        answer = fetch("/static/css/portal.css", coding)
        assert answer.headers["Cache-Control"] == "public, no-cache"
        again = fetch("/static/css/portal.css", coding, If_None_Match=answer.headers["ETag"])
        assert (again.status, again.body) == (304, b"")
        assert again.headers["Cache-Control"] == "public, no-cache"
        assert again.headers["Vary"] == "Accept-Encoding"
    assert fetch("/static/css/portal.css", If_None_Match='"another"').status == 200


def test_a_page_of_another_version_finds_its_styles_for_the_time_being(fetch):
    """While one of two machines has been upgraded, each is asked for the other's files."""
    answer = fetch("/static/css/portal.0123456789.css")
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "public, no-cache"


def test_only_what_is_there_is_served(app, tmp_path):
    kept = STATIC / "uploads" / "outside.css"
    visitor = Visitor(app)
    for path in (
        "/static/", "/static/css", "/static/css/", "/static/css/none.css", "/static/none",
        "/static/../config.py", "/static/%2e%2e/__init__.py", "/static/..%2f..%2fconfig.py",
        "/static/css/../../templates/layouts/base.html", "/static/css/..%5c..%5cconfig.py",
        "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/css/portal.css%00.txt",
        "/static/css/portal.css.gz", "/static/uploads/.gitkeep", "/static/CSS/PORTAL.CSS",
        f"/static/uploads/{kept.name}", "/static/css/none.0123456789.css", "/static/.env",
    ):  # fmt: skip
        assert visitor.get(path, checked=False).status in (404, 308), path


def test_pictures_are_not_among_them(make_app):
    """Even where they are kept below the same folder."""
    folder = STATIC / "uploads" / "00"
    there = folder.exists()
    folder.mkdir(exist_ok=True)
    picture = folder / f"{'0' * 32}-256.webp"
    try:
        picture.write_bytes(b"RIFF")
        visitor = Visitor(make_app(UPLOAD_FOLDER=str(STATIC / "uploads")))
        assert visitor.get(f"/static/uploads/00/{picture.name}", checked=False).status == 404
        assert visitor.get(f"/pictures/{'0' * 32}/256", checked=False).status == 200
    finally:
        picture.unlink()
        if not there:
            folder.rmdir()


def test_head_is_answered_and_nothing_else(app):
    client = app.test_client()
    path = asset("css/portal.css")
    whole, head = client.get(path), client.head(path)
    assert head.data == b""
    assert head.headers["Content-Length"] == str(len(whole.data))
    assert head.headers["ETag"] == whole.headers["ETag"]
    assert client.post(path).status_code == 405


def test_nobody_is_looked_up_for_a_style_sheet(app, inside):
    asked = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "checkout", lambda *told: asked.append(told[0]))
    answer = inside.get(asset("css/portal.css"), checked=False)
    assert answer.status == 200
    assert asked == []
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert inside.get("/profile").status == 200
    assert asked, "the listener hears nothing"


def test_with_debug_a_file_is_served_as_it_is_now(tmp_path):
    (tmp_path / "css").mkdir()
    style = tmp_path / "css" / "own.css"
    style.write_text("a { color: red }")

    def seen(debug):
        app = Flask("own", static_folder=str(tmp_path), static_url_path="/static")
        app.debug = debug
        assets.init_app(app)
        return app.test_client().get("/static/css/own.css").text

    assert "red" in seen(debug=False)
    style.write_text("a { color: teal }")
    assert "red" in seen(debug=False)
    assert "teal" in seen(debug=True)


def test_the_command_writes_what_is_served_and_what_is_packed(app, fetch, tmp_path):
    run = app.test_cli_runner().invoke(args=["assets", "build", str(tmp_path / "static")])
    assert run.exit_code == 0, run.output
    files = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    pages = {files.pop(f"static/{status}.html").decode() for status in (413, 503)}
    for page in pages:
        check(page)
        assert asset("css/portal.css") in page
    for name, body in files.items():
        coding = "gzip" if name.endswith(".gz") else ""
        assert fetch(f"/{name.removesuffix('.gz')}", coding).body == body, name
    assert asset("js/code.js")[1:] + ".gz" in files
    old = tmp_path / "static" / "css" / "portal.0000000000.css"
    old.write_text("of before")
    assert app.test_cli_runner().invoke(args=["assets", "build", str(tmp_path / "static")])
    assert old.read_text() == "of before"
