"""Reading what a program sends: what two readers could understand differently is refused."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request
from flask_babel import gettext as _

from portal.api import schemas
from portal.api.schemas import Schema
from portal.core.errors import Rejected, Several, Unreadable, WrongKind
from portal.core.settings import setting

JSON, FORM = "application/json", "multipart/form-data"
DEEPEST = 8  # ours have two levels; what judges them calls itself for each
Body = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """A body of an operation: its media type, and the schema of its members."""

    media: str
    schema: Schema


def of_json(schema: Schema) -> Kind:
    """A body in JSON."""
    return Kind(JSON, schema)


def of_form(schema: Schema) -> Kind:
    """A body with files (RFC 7578)."""
    return Kind(FORM, schema)


def read(kind: Kind) -> Body:
    """The members of the request's body.

    Raises Unreadable, WrongKind, RequestEntityTooLarge or Several.
    """
    _check_media(kind.media)
    body = _json() if kind.media == JSON else _form(kind.schema)
    schemas.judge(kind.schema, body)
    return body


def _check_media(wanted: str) -> None:
    """Of anything but what is wanted, and in another charset, nothing is read (RFC 8259, 8.1)."""
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != wanted or request.content_encoding or charset not in ("utf-8", "utf8"):
        raise WrongKind(None, "media", _("Send %(media)s, in UTF-8.", media=wanted))


def _json() -> dict[str, Any]:
    raw = request.get_data(cache=False)
    try:
        body = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no character
    except (ValueError, RecursionError):
        raise Unreadable(_("This is not well-formed JSON.")) from None
    if not isinstance(body, dict) or _depth(body) > DEEPEST:
        raise Unreadable(_("The body has to be a JSON object, and not a deep one."))
    return body


def _depth(value: object) -> int:
    """How many lists and objects stand inside each other, counted up to one too many."""
    level, depth = [value], 0
    while depth <= DEEPEST and (level := [each for each in level if isinstance(each, dict | list)]):
        inside = (each.values() if isinstance(each, dict) else each for each in level)
        level, depth = [each for part in inside for each in part], depth + 1
    return depth


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that comes twice would be read differently by others (RFC 8259, 4)."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError
    return members


def _no_number(name: str) -> None:
    """NaN and its kin are no JSON."""
    raise ValueError(name)


def _form(schema: Schema) -> dict[str, Any]:
    """Texts as str, files as bytes; a name may come once, and as what it is alone."""
    request.max_content_length = setting("PICTURE_BODY_MAX_BYTES")
    sent = [*request.form.items(multi=True), *request.files.items(multi=True)]
    names = [name for name, _value in sent]
    _check_parts(names)
    if any("\ufffd" in each for each in request.form.values()):  # read from what is no UTF-8
        raise Unreadable(_("Send the texts in UTF-8."))
    wrong = [each for each in names if _is_file(schema, each) != (each in request.files)]
    if refused := [name for name in wrong if name in schema["properties"]]:
        words = _("This has to be of another type.")
        raise Several([Rejected(name, "type", words) for name in refused])
    files = {name: each.read() for name, each in request.files.items()}
    return {**request.form.to_dict(), **files}


def _check_parts(names: Sequence[str | None]) -> None:
    """What is cut off, or has another boundary, reads as no part at all.  Raises Unreadable."""
    if not names or None in names:
        raise Unreadable(_("No field can be read from this body, or one without a name."))
    if len(set(names)) < len(names):
        raise Unreadable(_("A field may come once."))


def _is_file(schema: Schema, name: str) -> bool:
    return schema["properties"].get(name, {}).get("format") == "binary"
