"""What a browser keeps for us and brings back: its session, and the token of its forms.

Signed as Flask and Flask-WTF sign, who read it too.  They try to compress each time, derive the
same key anew and word the same attributes, which is a third of what the sign-in page costs.
"""

import hmac
import json
import secrets
from functools import lru_cache
from typing import Any

from flask import Flask, Request, Response, current_app, g, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import Signer, TimedSerializer, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode, int_to_bytes, want_bytes

from portal.core.moulds import TOKEN
from portal.core.settings import setting

LONG = 500  # bytes from which on it is worth to compress; a browser takes cookies of up to 4 KB
SALT = "wtf-csrf-token"  # of Flask-WTF, which judges what comes back
EXTENSION = "latchkey-stamps"
TOKEN_BYTES = 20
_PLAIN = json.JSONEncoder(separators=(",", ":")).encode


class _Signer(TimestampSigner):
    """Its key is derived once, and it signs in one step."""

    _own: bytes | None = None
    _digest = ""

    def sign(self, value: str | bytes) -> bytes:
        """Value, moment and HMAC, as they are read by everybody."""
        said = b"%s.%s" % (want_bytes(value), _moment(self.get_timestamp()))
        return b"%s.%s" % (said, self.get_signature(said))

    def get_signature(self, value: str | bytes) -> bytes:
        """HMAC under the newest key."""
        self._digest = self._digest or self.digest_method().name
        return base64_encode(hmac.digest(self.derive_key(), want_bytes(value), self._digest))

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        """Of the newest key; of an older one each time."""
        if secret_key not in (None, self.secret_keys[-1]):
            return super().derive_key(secret_key)
        if self._own is None:
            self._own = super().derive_key()
        return self._own


class Stamp(URLSafeTimedSerializer):
    """Signs what is short as it is."""

    default_signer = _Signer
    _signer: Signer | None = None

    def make_signer(self, salt: str | bytes | None = None) -> Signer:
        """One for all."""
        if salt not in (None, self.salt):
            return super().make_signer(salt)
        if self._signer is None:
            self._signer = super().make_signer()
        return self._signer

    def dump_payload(self, obj: Any) -> bytes:
        """As it is read by everybody: without a point in front it is not compressed."""
        plain = _PLAIN(obj).encode() if _is_plain(obj) else TimedSerializer.dump_payload(self, obj)
        return base64_encode(plain) if len(plain) < LONG else super().dump_payload(obj)


@lru_cache(2)
def _moment(second: int) -> bytes:
    return base64_encode(int_to_bytes(second))


def _is_plain(obj: Any) -> bool:
    """What needs none of Flask's tags: a text, or the session of a stranger."""
    return type(obj) is str or (type(obj) is dict and [*obj] == [TOKEN] and type(obj[TOKEN]) is str)


class Cookies(SecureCookieSessionInterface):
    """The session's cookie, with one stamp for all requests."""

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The key is read at start, and stays."""
        own = app.extensions.setdefault(EXTENSION, {})
        if "session" not in own and (theirs := super().get_signing_serializer(app)):
            own["session"] = Stamp(
                theirs.secret_keys,
                salt=theirs.salt,
                serializer=theirs.serializer,
                signer_kwargs=theirs.signer_kwargs,
            )
        return own.get("session")

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Whoever brings no cookie has an empty one."""
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """One that nobody looked at stays as the browser has it."""
        own, said = app.extensions.setdefault(EXTENSION, {}), response.headers
        usual = session and session.modified and not session.permanent and "Vary" not in said
        if usual and "around" in own:
            value = own["session"].dumps(dict(session))
            said.add("Set-Cookie", value.join(own["around"]))
            said["Vary"] = "Cookie"
        elif session.accessed or session.modified:
            super().save_session(app, session, response)
            if usual:
                own["around"] = _around(said.getlist("Set-Cookie")[-1])


def _around(line: str) -> tuple[str, str]:
    """What stands before and behind the value, in each line that sets this cookie."""
    name, _equals, rest = line.partition("=")
    _value, _semicolon, attributes = rest.partition(";")
    return f"{name}=", f";{attributes}"


def csrf_token() -> str:
    """One a page, however many forms stand on it; Flask-WTF's, where a form was judged before."""
    if not (token := g.get(TOKEN)):
        if TOKEN not in session:
            session[TOKEN] = secrets.token_hex(TOKEN_BYTES)
        token = g.csrf_token = _forms().dumps(session[TOKEN])
    return str(token)


def _forms() -> Stamp:
    own = current_app.extensions.setdefault(EXTENSION, {})
    if "form" not in own:
        own["form"] = Stamp(setting("SECRET_KEY"), salt=SALT)
    return own["form"]
