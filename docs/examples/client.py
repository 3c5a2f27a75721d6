"""A client of the portal's API, with the standard library alone (Python 3.11 or newer).

    portal = Portal("https://account.example.org")
    portal.sign_up("ann@example.org", "copper lantern tuesday", "Ann Miller")
    portal.prove("ann@example.org", code)  # the six digits of the message
    portal.sign_in("ann@example.org", "copper lantern tuesday")
    portal.change("bio", bio="I bake.")
    print(portal.profile()["bio"])

Copy it and make it yours.
"""

import json
import secrets
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

EARLY = 60  # seconds before its end at which an access token is turned
SECONDS = 30  # to wait for an answer
API = "/api/v1"


class Refused(Exception):
    """`status` is that of HTTP, `words` are for people, `errors` name fields and what is wrong."""

    def __init__(self, answer: urllib.error.HTTPError) -> None:
        raw = answer.read()
        said = json.loads(raw) if "json" in answer.headers.get_content_type() else {}
        self.status = answer.code
        self.words = said.get("detail") or said.get("message") or answer.reason
        self.code = said.get("code", "")
        self.errors: dict[str, list[str]] = said.get("errors", {})
        self.wait = int(answer.headers.get("Retry-After", 0))  # seconds, where it is too soon
        super().__init__(f"{self.status}: {self.words}")


class Portal:
    """One sign-in of one person.  Share it between threads behind a lock of your own.

    Keep `refresh_token` if the program is to go on after a restart; it is as good as a password.
    Every method raises Refused where the portal says no.
    """

    def __init__(self, site: str, refresh_token: str = "") -> None:
        if not site.startswith(("https://", "http://")):
            raise ValueError(site)
        self.site = site.rstrip("/")
        self.refresh_token = refresh_token
        self._access, self._until = "", 0.0

    # ---- an account of one's own

    def sign_up(self, email: str, password: str, full_name: str) -> None:
        """A message with a code goes to the address.  A taken address is answered the same."""
        wish = {"email": email, "password": password, "full_name": full_name}
        self._open("POST", f"{API}/auth/register", wish)

    def prove(self, email: str, code: str) -> None:
        """The code of the message proves that the address is yours.  Nobody is signed in by it."""
        self._open("POST", f"{API}/auth/verify-email", {"email": email, "code": code})

    def sign_in(self, email: str, password: str) -> None:
        typed = {"email": email, "password": password}
        self._keep(self._open("POST", f"{API}/auth/token", typed))

    def sign_out(self) -> None:
        self._open("POST", f"{API}/auth/revoke", {"refresh_token": self.refresh_token})
        self.refresh_token, self._access, self._until = "", "", 0.0

    # ---- what only the person may do

    def profile(self) -> dict[str, Any]:
        return self._call("GET", f"{API}/profile")

    def change(self, section: str, **members: Any) -> dict[str, Any]:
        """Section: name, work, location, social-links or bio; None clears a member."""
        return self._call("PUT", f"{API}/profile/{section}", members)

    def upload(self, picture: Path) -> dict[str, Any]:
        """A PNG, JPEG or WebP becomes the profile's picture.  -> its addresses."""
        body, kind = _multipart("picture", picture)
        return self._call("PUT", f"{API}/profile/picture", body, kind)

    def remove_picture(self) -> None:
        self._call("DELETE", f"{API}/profile/picture")

    def sessions(self) -> list[dict[str, Any]]:
        """Where this person is signed in; `current` marks this program."""
        return self._call("GET", f"{API}/sessions")["sessions"]

    def end(self, session_id: str) -> None:
        """Signs out one of them."""
        self._call("DELETE", f"{API}/sessions/{session_id}")

    # ---- the way back in

    def forget(self, email: str) -> None:
        """A code to choose a new password goes to the address, if it has an account."""
        self._open("POST", f"{API}/auth/forgot-password", {"email": email})

    def reset(self, email: str, code: str, new_password: str) -> None:
        """Sets the password.  Afterwards every sign-in of the account has ended, this one too."""
        typed = {"email": email, "otp": code, "new_password": new_password}
        self._open("POST", f"{API}/auth/reset-password", typed)

    # ---- tokens

    def _call(self, method: str, path: str, body: Any = None, kind: str = "") -> Any:
        """With the access token: turned shortly before its end, and once if it is refused."""
        if time.monotonic() > self._until - EARLY:
            self._turn()
        try:
            return self._open(method, path, body, kind, self._access)
        except Refused as refused:
            if refused.status != 401:
                raise
        self._turn()
        return self._open(method, path, body, kind, self._access)

    def _turn(self) -> None:
        """The token given is dead from now on: used once more, it would end the sign-in."""
        given = {"refresh_token": self.refresh_token}
        self._keep(self._open("POST", f"{API}/auth/refresh", given))

    def _keep(self, pair: dict[str, Any]) -> None:
        self.refresh_token, self._access = pair["refresh_token"], pair["access_token"]
        self._until = time.monotonic() + pair["expires_in"]

    def _open(
        self, method: str, path: str, body: Any = None, kind: str = "", access: str = ""
    ) -> Any:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = kind or "application/json"
        if access:
            headers["Authorization"] = f"Bearer {access}"
        data = body if body is None or kind else json.dumps(body).encode()
        request = urllib.request.Request(self.site + path, data, headers, method=method)  # noqa: S310 - the scheme is checked
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                raw = answer.read()
        except urllib.error.HTTPError as answer:
            raise Refused(answer) from None
        return json.loads(raw) if raw else None


def _multipart(name: str, file: Path) -> tuple[bytes, str]:
    """A body with one file (RFC 7578), and its media type."""
    line = secrets.token_hex(16)
    head = f'--{line}\r\nContent-Disposition: form-data; name="{name}"; filename="picture"\r\n'
    parts = head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", file.read_bytes()
    return b"".join(
        [*parts, f"\r\n--{line}--\r\n".encode()]
    ), f"multipart/form-data; boundary={line}"
