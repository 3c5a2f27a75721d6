"""What bodies and answers look like, as JSON Schema (2020-12): it is documented and it judges.

Shape alone is judged here: which keys there are and of which type.  What a value may be, a story
decides; where that is a number or a pattern, the schema names the same setting for the reader.
Sole owner of jsonschema.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from flask_babel import gettext as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import create

from portal.core.errors import Rejected, Several

Schema = dict[str, Any]
MOST_TOLD = 50  # refusals of one body: the answer must not be longer than what was sent
JUDGED = "type", "properties", "required", "additionalProperties", "oneOf", "enum", "items"
Judge = create(
    meta_schema={},
    validators={name: Draft202012Validator.VALIDATORS[name] for name in JUDGED},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "string",
        lambda _checker, value: isinstance(value, str | bytes),  # bytes: a file
    ),
)


class Limit(str):
    """The name of a setting; in the document its value stands."""

    __slots__ = ()


def text(example: str, meaning: str = "", longest: str = "", **more: Any) -> Schema:
    """A text; `longest` names the setting with the most code points that it may have."""
    limit = {"maxLength": Limit(longest)} if longest else {}
    told = {"description": meaning} if meaning else {}
    return {"type": "string", **told, **limit, **more, "examples": [example]}


def number(example: int, meaning: str = "") -> Schema:
    """A whole number."""
    return {"type": "integer", "description": meaning, "examples": [example]}


def yes(meaning: str, example: bool = True) -> Schema:
    """True or false."""
    return {"type": "boolean", "description": meaning, "examples": [example]}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    return schema | {"type": [schema["type"], "null"]}


def file(meaning: str) -> Schema:
    """A file of a multipart body."""
    return {
        "type": "string",
        "format": "binary",
        "description": meaning,
        "examples": ["the bytes of a picture"],
    }


def listed(item: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": item}


def fields(_optional: Mapping[str, Schema] | None = None, /, **needed: Schema) -> Schema:
    """An object with these members, and perhaps the optional ones; others do not matter."""
    return {
        "type": "object",
        "properties": {**needed, **(_optional or {})},
        "required": list(needed),
    }


def closed(schema: Schema) -> Schema:
    """The same without any other member, and of those inside as well."""
    inside = {
        name: closed(each) if "properties" in each else each
        for name, each in schema["properties"].items()
    }
    return schema | {"properties": inside, "additionalProperties": False}


def one_of(schema: Schema, *names: str | tuple[str, ...]) -> Schema:
    """The same where exactly one of these members, or groups of them, has to be there."""
    groups = [[name] if isinstance(name, str) else list(name) for name in names]
    return schema | {"oneOf": [{"required": group} for group in groups]}


def example(schema: Schema) -> Any:
    """A whole example, from those of its parts; `examples` of its own win."""
    if "examples" in schema:
        return schema["examples"][0]
    if "items" in schema:
        return [example(schema["items"])]
    groups = [set(group["required"]) for group in schema.get("oneOf", [])]
    others = set().union(*groups[1:]) - groups[0] if groups else set()
    parts = schema.get("properties", {})
    return {name: example(each) for name, each in parts.items() if name not in others}


def judge(schema: Schema, body: object) -> None:
    """Raises Several: code `missing`, `unknown` or `type`, for each member that is not as said."""
    each = (refused for error in Judge(schema).iter_errors(body) for refused in _refused(error))
    if found := list(islice(each, MOST_TOLD)):
        raise Several(found)


def _refused(error: ValidationError) -> Iterator[Rejected]:
    path = [str(part) for part in error.absolute_path]
    told, (code, words) = TOLD.get(str(error.validator), _itself), _words(str(error.validator))
    for name in told(error):
        yield Rejected(".".join([*path, *name]) or None, code, words)


def _missing(error: ValidationError) -> list[list[str]]:
    """One error for each name that is missing, and it says so in its words alone."""
    return [[name] for name in error.validator_value if error.message.startswith(f"{name!r} ")]


def _unknown(error: ValidationError) -> list[list[str]]:
    return [[name] for name in error.instance if name not in error.schema["properties"]]


def _choice(error: ValidationError) -> list[list[str]]:
    return [[" | ".join(" + ".join(group["required"]) for group in error.validator_value)]]


def _itself(_error: ValidationError) -> list[list[str]]:
    return [[]]


def _words(validator: str) -> tuple[str, str]:
    known = {
        "required": ("missing", _("This is missing.")),
        "additionalProperties": ("unknown", _("There is no such key here.")),
        "oneOf": ("missing", _("Give exactly one of these.")),
    }
    return known.get(validator, ("type", _("This has to be of another type.")))


TOLD = {"required": _missing, "additionalProperties": _unknown, "oneOf": _choice}
