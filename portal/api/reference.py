"""The page that tells people of the API: what the document says, as its template needs it."""

import json
from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Any

from flask_babel import gettext as _

from portal.api import schemas
from portal.api.bodies import JSON
from portal.api.openapi import Part

NOTHING: dict[str, Part] = {"content": {"": {}}}


def families(told: Part) -> list[Part]:
    """Each family with its operations as the page shows them."""
    shown = [
        _shown(told, path, method, each)
        for path, methods in told["paths"].items()
        for method, each in methods.items()
    ]
    return [
        _family(tag["name"], [each for each in shown if tag["name"] in each["tags"]])
        for tag in told["tags"]
    ]


def _family(title: str, operations: list[Part]) -> Part:
    """Its operations, and how it says no: the first time that somebody typed something wrong."""
    answers = [answer for each in operations for answer in each["answers"]]
    wrong = (each["example"] for each in answers if each["status"] in ("400", "422"))
    key = title.partition(":")[0].lower()
    return {"id": key, "title": title, "operations": operations, "refusal": next(wrong, "")}


def _shown(told: Part, path: str, method: str, operation: Part) -> Part:
    sent: dict[str, Part] = operation.get("requestBody", NOTHING)["content"]
    ((media, body),) = sent.items()
    statuses = {status: _of(told, each) for status, each in operation["responses"].items()}
    fields = [*_in_path(operation), *_members(body.get("schema", {}))]
    return {
        **operation,
        "method": method.upper(),
        "path": path,
        "fields": fields,
        "choice": [" + ".join(one["required"]) for one in body.get("schema", {}).get("oneOf", [])],
        "media": media,
        "curl": "\n".join(_curl(method, path, operation, media, body)),
        "answers": [_answer(status, each) for status, each in statuses.items()],
    }


def _of(told: Part, response: Part) -> Part:
    """A response that is told once for many operations is found under its name."""
    name = response.get("$ref", "").rpartition("/")[2]
    return told["components"]["responses"][name] if name else response


def _answer(status: str, response: Part) -> Part:
    (content,) = response.get("content", NOTHING["content"]).values()
    example = content.get("example")
    return {
        "status": status,
        "meaning": response["description"],
        "example": _written(example) if example is not None else "",
    }


def _in_path(operation: Part) -> Iterator[Part]:
    for each in operation.get("parameters", []):
        yield _field(each["name"], each["schema"], True) | {"meaning": _("Part of the path.")}


def _members(schema: Part, before: str = "") -> Iterator[Part]:
    """Each member of a body, and of the objects inside it as `outer.inner`."""
    needed = schema.get("required", [])
    for name, part in schema.get("properties", {}).items():
        yield _field(before + name, part, name in needed)
        yield from _members(part, f"{before}{name}.")


def _field(name: str, schema: Part, needed: bool) -> Part:
    kinds = schema.get("type", "")
    kind = _("file") if _is_file(schema) else schema.get("format", "")
    types = [kinds] if isinstance(kinds, str) else kinds
    return {
        "name": name,
        "type": kind or " or ".join(types),
        "null": kind and "null" in types,
        "longest": _longest(schema),
        "needed": needed,
        "meaning": schema.get("description", ""),
    }


def _longest(schema: Part) -> str:
    most = schema.get("maxLength", "")
    return _("%(most)s bytes", most=most) if most and _is_file(schema) else str(most)


def _curl(method: str, path: str, operation: Part, media: str, body: Part) -> Iterator[str]:
    """One command that a shell takes as it stands."""
    for each in operation.get("parameters", []):
        path = path.replace(f"{{{each['name']}}}", each["schema"]["examples"][0])
    lines = [f'curl -X {method.upper()} "$SITE{path}"']
    if operation["security"]:
        lines.append('-H "Authorization: Bearer $ACCESS"')
    lines += _sent(media, body)
    for number, line in enumerate(lines, 1):
        yield ("  " if number > 1 else "") + line + (" \\" if number < len(lines) else "")


def _sent(media: str, body: Part) -> list[str]:
    if media == JSON:
        kind = quote(f"Content-Type: {JSON}")
        return [f"-H {kind}", f"-d {quote(json.dumps(body['example'], ensure_ascii=False))}"]
    parts: Mapping[str, Any] = body.get("schema", {}).get("properties", {})
    files = [f"-F {name}=@picture.png" for name, each in parts.items() if _is_file(each)]
    texts = [
        f"-F {quote(f'{name}={schemas.example(each)}')}"
        for name, each in parts.items()
        if not _is_file(each)
    ]
    return files[:1] + texts  # further files are the same under another name


def _is_file(part: Part) -> bool:
    return part.get("format") == "binary"


def _written(example: Any) -> str:
    return json.dumps(example, ensure_ascii=False, indent=2)
