"""Somebody with a browser without script, in front of the application and without a network.

    ann = Visitor(app)
    ann.get("/sign-in")
    page = ann.submit("/sign-in", email="ann@example.org", password="...")
    assert page.errors["email"] == "..."

Whatever page comes back has to keep the house rules of HTML, whichever test asked for it.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask
from selectolax.lexbor import LexborHTMLParser, LexborNode
from werkzeug.datastructures import Headers, MultiDict

from tests.rigs.html import attribute, check, words

if TYPE_CHECKING:
    from tests.rigs.authenticator import Factor

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EVERY_ANSWER = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; ",
    "Referrer-Policy": "",
}
BLOCKS = re.compile("p|div|li|ul|ol|h[1-6]|td|th|tr|label|option|button|section|dt|dd|br")


@dataclass(frozen=True)
class Form:
    """A form as it stands on a page: what a browser would send if its first button were pressed."""

    action: str
    method: str
    multipart: bool
    fields: dict[str, str]  # hidden and prefilled ones too
    names: frozenset[str]  # every name that it can send, files and boxes that are not ticked too
    files: frozenset[str]


@dataclass
class Page:
    """An answer, read the way a person or a browser reads it."""

    status: int
    headers: Headers
    body: bytes
    path: str
    was: str = field(default="GET")

    @property
    def html(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_html(self) -> bool:
        return self.headers.get("Content-Type", "").startswith("text/html")

    @property
    def location(self) -> str | None:
        """Where a redirect leads, as path and query when it stays on this site."""
        return self.headers.get("Location")

    @cached_property
    def tree(self) -> LexborHTMLParser:
        return LexborHTMLParser(self.html)

    @property
    def title(self) -> str:
        return words(self.tree.css_first("title"))

    @property
    def h1(self) -> str:
        return words(self.tree.css_first("h1"))

    @cached_property
    def text(self) -> str:
        """What is read on the page, white space folded; words of neighbouring blocks stay apart."""
        return _read(self.tree.body)

    @property
    def errors(self) -> dict[str, str]:
        """Field id -> the error that stands beside it."""
        found = self.tree.css('.error[id$="-error"]')
        return {attribute(node, "id").removesuffix("-error"): _error(node) for node in found}

    @property
    def summary(self) -> list[str]:
        """The lines of the error summary, in page order."""
        return [words(node) for node in self.tree.css(".summary li")]

    @property
    def banner(self) -> str | None:
        """The words of the banner after a redirect."""
        node = self.tree.css_first(".banner")
        return _read(node) if node else None

    @property
    def links(self) -> dict[str, str]:
        """Words of each link -> where it leads."""
        return {words(node): attribute(node, "href") for node in self.tree.css("a[href]")}

    def find(self, selector: str) -> list[str]:
        """The texts of what a CSS selector finds."""
        return [words(node) for node in self.tree.css(selector)]

    def form(self, action: str) -> Form:
        """The form that goes to this path.  Raises AssertionError when there is none."""
        for node in self.tree.css("form"):
            if attribute(node, "action") == action:
                return _form(node)
        there = [attribute(node, "action") for node in self.tree.css("form")]
        raise AssertionError(f"No form to {action} on {self.path} ({self.status}), only {there}.")

    @property
    def forms(self) -> list[str]:
        """The actions of all forms, in page order."""
        return [attribute(node, "action") for node in self.tree.css("form")]


@dataclass(frozen=True)
class Memento:
    """What a browser holds: its cookies and the page last seen."""

    cookies: dict[Any, Any]
    page: Page | None


class Visitor:
    """Keeps cookies and the page last seen, like a browser; one visitor is one browser."""

    def __init__(
        self,
        app: Flask,
        *,
        address: str = "198.51.100.7",
        agent: str = FIREFOX,
        site: str | None = None,
        **headers: str,
    ) -> None:
        """`headers` go with every request, `Accept_Language="de"` meaning `Accept-Language`."""
        self.client = app.test_client()
        self.site = site or app.config.get("PUBLIC_URL") or "http://localhost"
        self.address = address
        self.headers = {"User-Agent": agent, "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        self.headers |= {name.replace("_", "-"): value for name, value in headers.items()}
        self.page: Page | None = None
        self.factor: Factor | None = None  # of whoever is signed in here, where a rig set it up
        self.email = ""

    def get(self, path: str, *, checked: bool = True, **headers: str) -> Page:
        """Opens an address of this site.  `checked=False` for what is no page of ours."""
        return self._ask("GET", path, {}, headers, checked)

    def follow(self) -> Page:
        """Goes where the last answer redirects to."""
        assert self.page is not None, "No page has been seen yet."
        assert self.page.location, f"{self.page.path} answered {self.page.status}, no redirect."
        return self.get(self.page.location)

    def submit(self, action: str, /, **fields: Any) -> Page:
        """Fills in the form that goes to `action` on the page last seen, and sends it.

        A file is `(bytes, "name.png")`; None leaves a field out altogether; a name that the form
        does not have is a mistake of the test.
        """
        assert self.page is not None, "No page has been seen yet."
        form = self.page.form(action)
        unknown = set(fields) - form.names
        assert not unknown, f"The form to {action} has no {unknown}, only {set(form.names)}."
        filled = {**form.fields, **dict.fromkeys(form.files, (b"", "")), **fields}
        kind = "multipart/form-data" if form.multipart else "application/x-www-form-urlencoded"
        if form.method == "get":
            return self._ask("GET", action, {"query_string": _sent(filled)}, {}, True)
        return self._post(action, _sent(filled), kind, {})

    def post(self, path: str, data: Any = None, *, kind: str | None = None, **headers: str) -> Page:
        """Posts what no form of ours would: forged, broken, without a token."""
        return self._post(path, data, kind, headers)

    def cookie(self, name: str) -> str | None:
        """The value of a cookie that this browser holds."""
        found = self.client.get_cookie(name, domain=urlsplit(self.site).hostname or "localhost")
        return found.value if found else None

    def memento(self) -> Memento:
        """What this browser holds now."""
        return Memento(dict(self.client._cookies or {}), self.page and replace(self.page))

    def recall(self, memento: Memento) -> None:
        """Holds what another browser held."""
        self.client._cookies, self.page = dict(memento.cookies), memento.page

    def _post(self, path: str, data: Any, kind: str | None, headers: dict[str, str]) -> Page:
        origin = {"Origin": self.site, "Sec-Fetch-Site": "same-origin"}
        sent = {"data": data, "content_type": kind}
        return self._ask("POST", path, sent, {**origin, **headers}, True)

    def _ask(
        self, method: str, path: str, sent: Mapping[str, Any], extra: dict[str, str], checked: bool
    ) -> Page:
        headers = self.headers | {name.replace("_", "-"): each for name, each in extra.items()}
        answer = self.client.open(
            path.removeprefix(self.site),
            method=method,
            base_url=self.site,
            headers=headers,
            environ_overrides={"REMOTE_ADDR": self.address},
            **sent,
        )
        self.page = Page(answer.status_code, answer.headers, answer.data, path, method)
        answer.close()
        if checked and self.page.is_html:
            _insist(self.page)
        return self.page


def _insist(page: Page) -> None:
    breaches = [] if 300 <= page.status < 400 else check(page.html)
    for name, start in EVERY_ANSWER.items():
        if not page.headers.get(name, "-").startswith(start):
            breaches.append(f"Header {name} is {page.headers.get(name)!r}.")
    listed = "\n  ".join(breaches)
    assert not breaches, f"{page.was} {page.path} ({page.status}) breaks house rules:\n  {listed}"


def _form(node: LexborNode) -> Form:
    fields: dict[str, str] = {}
    controls = [each for each in node.css("input, select, textarea, button") if _name(each)]
    for control in controls:
        value = _value(control)
        if value is not None and (_kind(control) != "submit" or not _pressed(fields, controls)):
            fields[_name(control)] = value
    return Form(
        action=attribute(node, "action"),
        method=attribute(node, "method").lower(),
        multipart=attribute(node, "enctype") == "multipart/form-data",
        fields=fields,
        names=frozenset(map(_name, controls)),
        files=frozenset(_name(each) for each in controls if _kind(each) == "file"),
    )


def _pressed(fields: dict[str, str], controls: list[LexborNode]) -> bool:
    """Whether a button is among the fields already: Enter presses the first one only."""
    return any(_kind(each) == "submit" and _name(each) in fields for each in controls)


def _name(control: LexborNode) -> str:
    return attribute(control, "name")


def _kind(control: LexborNode) -> str:
    if control.tag in ("select", "textarea"):
        return str(control.tag)
    return attribute(control, "type") or ("submit" if control.tag == "button" else "text")


def _value(control: LexborNode) -> str | None:
    """What a control sends when nobody touches it; None for nothing."""
    kind = _kind(control)
    ways = {"textarea": _typed, "select": _chosen, "checkbox": _ticked, "radio": _ticked}
    if kind in ("file", "button", "reset"):
        return None
    return ways[kind](control) if kind in ways else attribute(control, "value")


def _typed(area: LexborNode) -> str:
    return area.text().removeprefix("\n")


def _ticked(box: LexborNode) -> str | None:
    return box.attributes.get("value", "on") if "checked" in box.attributes else None


def _chosen(select: LexborNode) -> str | None:
    option = select.css_first("option[selected]") or select.css_first("option")
    return option.attributes.get("value", words(option)) if option else None


def _sent(fields: dict[str, Any]) -> MultiDict[str, Any]:
    """The fields as the test client takes them: files as streams, nothing for None."""
    sent: MultiDict[str, Any] = MultiDict()
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, tuple):
                sent.add(name, (io.BytesIO(each[0]), *each[1:]))
            elif each is not None and each is not False:
                sent.add(name, "on" if each is True else _lines(str(each)))
    return sent


def _lines(text: str) -> str:
    """Line ends as browsers send them (HTML, 4.10.21.4: every newline becomes CR LF)."""
    return "\r\n".join(re.split("\r\n|\r|\n", text))


def _error(node: LexborNode) -> str:
    return words(node).removeprefix("Error: ").strip()


def _read(node: LexborNode | None) -> str:
    if node is None:
        return ""
    parts = []
    for each in node.traverse(include_text=True):
        if each.is_text_node and str(each.parent and each.parent.tag) not in ("script", "style"):
            parts.append(each.text(deep=False) or "")
        elif BLOCKS.fullmatch(str(each.tag)):
            parts.append(" ")
    return " ".join("".join(parts).split())
