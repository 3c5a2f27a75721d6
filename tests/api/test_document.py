"""The document and its page say what there is, no more and no less, to everybody alike."""

import json
import re
from pathlib import Path

import pytest
import schemathesis
from jsonschema import Draft202012Validator

import config
from portal.api.bearer import Reach
from portal.api.canonical import V1
from portal.api.openapi import VARIABLE, document
from portal.api.routes import DIALECTS
from portal.api.schemas import Limit
from portal.core.safety import is_loopback
from tests.rigs.visitor import Visitor

FAMILIES = [V1, *DIALECTS.values()]


@pytest.fixture
def told(app):
    with app.test_request_context("/api/v1/openapi.json"):
        return document(FAMILIES)


def operations(told):
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def responses(told):
    for method, path, operation in operations(told):
        for status, answer in operation["responses"].items():
            name = answer.get("$ref", "").rpartition("/")[2]
            found = told["components"]["responses"][name] if name else answer
            yield f"{method} {path} {status}", operation, found


def everything(told):
    inside = told.values() if isinstance(told, dict) else told if isinstance(told, list) else []
    yield told
    for each in inside:
        yield from everything(each)


def test_the_document_is_openapi_3_1(told):
    assert told["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(json.loads(json.dumps(told))).validate()


def test_each_operation_that_there_is_is_in_the_document_and_no_other(told, app):
    first = {family.blueprint.name for family in FAMILIES}
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] in first]
    declared = {name for family in FAMILIES for name in family.operations}
    there = {
        (method, VARIABLE.sub(r"{\2}", rule.rule))
        for rule in rules
        if rule.endpoint.partition(".")[2] in declared
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert there == {(method, path) for method, path, _told in operations(told)}


def test_each_operation_has_a_name_of_its_own(told):
    names = [operation["operationId"] for _method, _path, operation in operations(told)]
    assert len(names) == len(set(names)) > 10


def test_each_operation_says_what_it_is_for(told):
    bare = [path for _m, path, each in operations(told) if not each.get("summary")]
    assert bare == []


def test_each_example_fits_its_schema(told):
    bodies = [
        (f"{method} {path}", operation, operation["requestBody"])
        for method, path, operation in operations(told)
        if "requestBody" in operation
    ]
    wrong = []
    for where, _operation, part in [*bodies, *responses(told)]:
        for media, content in part.get("content", {}).items():
            if media == "multipart/form-data":
                continue  # a file cannot be written down
            schema = {**content["schema"], "components": told["components"]}
            found = Draft202012Validator(schema).iter_errors(content["example"])
            wrong += [f"{where}: {error.message}" for error in found]
    assert wrong == []


def test_each_member_has_an_example(told):
    bare = [
        f"{path} {name}"
        for _method, path, operation in operations(told)
        for content in operation.get("requestBody", {"content": {}})["content"].values()
        for name, part in content["schema"]["properties"].items()
        if part["type"] != "object" and part.get("format") != "binary" and "examples" not in part
    ]
    assert bare == []


def test_limits_are_the_numbers_in_force(make_app):
    app = make_app(PASSWORD_MAX_LENGTH="99")
    with app.test_request_context():
        told = document([V1])
    body = told["paths"]["/api/v1/auth/token"]["post"]["requestBody"]["content"]
    password = body["application/json"]["schema"]["properties"]["password"]
    assert password["maxLength"] == 99
    assert not any(isinstance(each, Limit) for each in everything(told))


def test_who_may_use_an_operation_is_told(told):
    needed = {path for _m, path, each in operations(told) if each["security"] == [{"bearer": []}]}
    wanted = {
        VARIABLE.sub(r"{\2}", family.prefixes[0] + operation.path)
        for family in FAMILIES
        for operation in family.operations.values()
        if operation.reach is not Reach.EVERYBODY
    }
    assert needed == wanted
    assert needed


def test_refusals_have_the_media_type_and_the_headers_of_their_family(told):
    for where, _operation, answer in responses(told):
        status = int(where[-3:])
        if status < 400:
            continue
        canonical = "/api/v1/" in where and "problem" in str(answer["content"])
        assert list(answer["content"]) == [
            "application/problem+json" if canonical else "application/json"
        ]
        assert ("Retry-After" in answer.get("headers", {})) == (status in (429, 503)), where
        assert ("WWW-Authenticate" in answer.get("headers", {})) == (status in (401, 403)), where


def test_no_operation_promises_a_defect(told):
    assert [where for where, _operation, _answer in responses(told) if where.endswith(" 500")] == []


def test_a_family_that_is_closed_is_not_in_the_document(make_app):
    visitor = Visitor(make_app(API_FAMILIES="c"))
    told = visitor.get("/api/v1/openapi.json").json
    assert [tag["name"][0] for tag in told["tags"]] == ["C", "C"]
    assert "/register" not in told["paths"]


def test_the_document_is_public_and_names_the_portals_address(make_app):
    visitor = Visitor(make_app(PUBLIC_URL="http://account.localhost"))
    answer = visitor.get("/api/v1/openapi.json")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.json["servers"] == [{"url": "http://account.localhost"}]
    assert is_loopback(answer.json["servers"][0]["url"])


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api/docs"])
def test_document_and_page_know_no_cookie(inside, visitor, path):
    mine, others = inside.get(path), visitor.get(path)
    assert mine.body == others.body
    for answer in mine, others:
        assert "Set-Cookie" not in answer.headers
        assert "Vary" not in answer.headers
        assert answer.headers["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api/docs"])
def test_what_has_not_changed_is_not_sent_again(app, path):
    program = app.test_client(use_cookies=False)
    tag = program.get(path).headers["ETag"]
    again = program.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api/docs"])
def test_another_method_there_is_refused_as_a_program_reads_it(app, path):
    answer = app.test_client(use_cookies=False).post(path)
    assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
    assert "Set-Cookie" not in answer.headers


def test_the_page_shows_every_operation(told, visitor):
    page = visitor.get("/api/docs")
    assert page.status == 200
    assert page.h1 == "The API"
    for method, path, operation in operations(told):
        article = page.tree.css_first(f'article[aria-labelledby="op-{operation["operationId"]}"]')
        words = article.text()
        assert f"{method} {path}" in " ".join(words.split()), operation["operationId"]
        assert f'curl -X {method} "$SITE' in words
        assert all(status in words for status in operation["responses"])
        assert ("Bearer $ACCESS" in words) == bool(operation["security"])


def test_the_page_shows_every_field_with_its_limit(visitor):
    page = visitor.get("/api/docs")
    rows = page.find('article[aria-labelledby="op-token"] tbody tr')
    assert [row.split()[0] for row in rows][:2] == ["email", "password"]
    assert "254 yes" in rows[0]


def test_a_theme_that_somebody_chose_changes_nothing(app):
    program = app.test_client(use_cookies=False)
    plain = program.get("/api/docs").data
    assert program.get("/api/docs", headers={"Cookie": "theme=dark"}).data == plain


# ------------------------------------------------------------------ docs/api.md

GUIDE = Path(__file__).parents[2] / "docs" / "api.md"
CALL = re.compile(r"`([A-Z]+) (/[^`]*)`")


def table():
    """(method, path) of the first column -> what stands in the second."""
    rows = re.findall(r"^\| \*\*[B-E]\*\* (.+?) \| (.+?) \|", GUIDE.read_text(), re.MULTILINE)
    return {call: second for first, second in rows for call in CALL.findall(first)}


def test_every_path_of_the_families_is_in_the_guides_table(app):
    names = {family.blueprint.name for family in DIALECTS.values()}
    registered = {
        (method, VARIABLE.sub(r"{\2}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0].rstrip("1") in names
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert set(table()) == registered


def test_the_canonical_operations_of_the_table_are_there(told):
    there = {(method, path) for method, path, _operation in operations(told)}
    assert {call for second in table().values() for call in CALL.findall(second)} <= there


def test_the_guide_names_settings_that_there_are():
    named = set(re.findall(r"`([A-Z][A-Z_]+[A-Z])(?:=[^`]*)?`", GUIDE.read_text()))
    known = {each.name for each in config.SETTINGS}
    assert named - known == set()
    assert len(named) > 10
