"""The house rules of HTML: `check(html)` lists in words how a page breaks them."""

import re
from collections import Counter
from collections.abc import Callable, Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

Rule = Callable[[LexborHTMLParser], Iterator[str]]

UNLABELLED_TYPES = {"hidden", "submit", "button", "image", "reset"}
REFERENCES = ("aria-describedby", "aria-labelledby", "aria-controls", "aria-details", "for")
TITLE = re.compile(r"(?P<error>Error: )?(?P<h1>.+?)(?: \(step \d+ of \d+\))? - \S.* account")


def check(html: str) -> list[str]:
    """-> every breach of a house rule, in words; an empty list when the page is fine."""
    breaches = [] if html.lstrip().lower().startswith("<!doctype html>") else ["No doctype."]
    tree = LexborHTMLParser(html)
    return breaches + [breach for rule in RULES for breach in rule(tree)]


def words(node: LexborNode | None) -> str:
    """The text of a node with its white space folded; empty for none."""
    return " ".join(node.text().split()) if node else ""


def attribute(node: LexborNode, name: str) -> str:
    """An attribute's value; empty when it is missing or has none."""
    return node.attributes.get(name) or ""


def _one_heading(tree: LexborHTMLParser) -> Iterator[str]:
    if (count := len(tree.css("h1"))) != 1:
        yield f"{count} h1 instead of one."


def _title_agrees(tree: LexborHTMLParser) -> Iterator[str]:
    title, h1 = words(tree.css_first("head > title")), words(tree.css_first("h1"))
    found = TITLE.fullmatch(title)
    if not found or found["h1"] != h1:
        yield f"Title {title!r} is not '[Error: ]{h1}[ (step n of m)] - <portal> account'."
    elif bool(found["error"]) != bool(tree.css_first(".summary")):
        yield f"Title {title!r} and the error summary do not agree on whether there is an error."


def _language(tree: LexborHTMLParser) -> Iterator[str]:
    if not attribute(tree.css("html")[0], "lang"):
        yield "No lang on html."


def _ids_are_unique(tree: LexborHTMLParser) -> Iterator[str]:
    for name, count in Counter(attribute(node, "id") for node in tree.css("[id]")).items():
        if count > 1 or not name:
            yield f"Id {name!r} stands {count} times."


def _ids_exist(tree: LexborHTMLParser) -> Iterator[str]:
    ids = {attribute(node, "id") for node in tree.css("[id]")}
    for name in REFERENCES:
        for node in tree.css(f"[{name}]"):
            lost = sorted(set(attribute(node, name).split()) - ids)
            yield from (f"{_tag(node)} points with {name} at {id_!r}: not there." for id_ in lost)


def _links_within_lead_somewhere(tree: LexborHTMLParser) -> Iterator[str]:
    ids = {attribute(node, "id") for node in tree.css("[id]")}
    for link in tree.css('a[href^="#"]'):
        if attribute(link, "href")[1:] not in ids:
            yield f"{_tag(link)} leads nowhere."


def _controls_are_labelled(tree: LexborHTMLParser) -> Iterator[str]:
    labelled = {attribute(label, "for") for label in tree.css("label") if words(label)}
    for node in tree.css("input, select, textarea"):
        named = attribute(node, "aria-label") or attribute(node, "aria-labelledby")
        if _needs_label(node) and not named and attribute(node, "id") not in labelled:
            yield f"{_tag(node)} has no label."


def _needs_label(node: LexborNode) -> bool:
    return node.tag != "input" or attribute(node, "type").lower() not in UNLABELLED_TYPES


def _forms_say_where(tree: LexborHTMLParser) -> Iterator[str]:
    for form in tree.css("form"):
        if attribute(form, "method").lower() not in ("get", "post"):
            yield f"{_tag(form)} has no method."
        if not re.match(r"/(?!/)", attribute(form, "action")):
            yield f"{_tag(form)} has no action on this site."
        if attribute(form, "method").lower() == "post" and not _has_token(form):
            yield f"{_tag(form)} has no csrf_token."


def _has_token(form: LexborNode) -> bool:
    tokens = form.css('input[type="hidden"][name="csrf_token"]')
    return any(attribute(node, "value") for node in tokens)


def _buttons_have_a_type(tree: LexborHTMLParser) -> Iterator[str]:
    for button in tree.css("button"):
        if attribute(button, "type") not in ("submit", "button", "reset"):
            yield f"{_tag(button)} has no type."
        if not words(button) and not attribute(button, "aria-label"):
            yield f"{_tag(button)} has no name."


def _images_have_alt(tree: LexborHTMLParser) -> Iterator[str]:
    for image in tree.css("img"):
        if "alt" not in image.attributes:
            yield f"{_tag(image)} has no alt."


def _nothing_inline(tree: LexborHTMLParser) -> Iterator[str]:
    for node in tree.css("style"):
        yield f"{_tag(node)} is an inline style sheet."
    for node in tree.css("script"):
        if not attribute(node, "src") or words(node):
            yield f"{_tag(node)} is an inline script."
    for node in tree.css("*"):
        yield from _inline_attributes(node)


def _inline_attributes(node: LexborNode) -> Iterator[str]:
    for name, value in node.attributes.items():
        if name == "style" or name.startswith("on"):
            yield f"{_tag(node)} has an inline {name}."
        if name != "value" and re.match(r"\s*javascript:", value or "", re.IGNORECASE):
            yield f"{_tag(node)} has a javascript: address in {name}."


def _parts_are_ours(tree: LexborHTMLParser) -> Iterator[str]:
    for node in tree.css("link[href], script[src], img[src], source[src]"):
        address = attribute(node, "href") or attribute(node, "src")
        if not re.match(r"/(?!/)|blob:", address):
            yield f"{_tag(node)} is fetched from elsewhere."


def _skip_link_comes_first(tree: LexborHTMLParser) -> Iterator[str]:
    first = tree.css_first("body a[href], body button, body input")
    if not first or not attribute(first, "href").startswith("#"):
        yield "The first thing to reach by keyboard is no link that skips to the content."


def _tag(node: LexborNode) -> str:
    """The opening tag, cut to what fits on a line."""
    return (node.html or node.tag or "").partition(">")[0][:120] + ">"


RULES: tuple[Rule, ...] = (
    _one_heading,
    _title_agrees,
    _language,
    _ids_are_unique,
    _ids_exist,
    _links_within_lead_somewhere,
    _controls_are_labelled,
    _forms_say_where,
    _buttons_have_a_type,
    _images_have_alt,
    _nothing_inline,
    _parts_are_ours,
    _skip_link_comes_first,
)
