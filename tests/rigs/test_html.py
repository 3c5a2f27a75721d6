"""Each house rule, broken once, is reported; a page that keeps them all is left in peace."""

import pytest

from tests.rigs.html import check

FINE = """<!doctype html>
<html lang="en-GB"><head><title>Error: Sign in (step 1 of 3) - Latchkey account</title>
<link rel="stylesheet" href="/static/css/portal.css">
<script src="/static/js/portal.js" defer></script>
</head><body>
<a class="skip" href="#main">Skip to main content</a>
<main id="main"><h1>Sign in</h1>
<div class="summary" role="alert"><ul>
<li><a href="#email">Enter your email address</a></li>
</ul></div>
<form method="post" action="/sign-in">
<input type="hidden" name="csrf_token" value="abc">
<label for="email">Email address</label>
<p id="email-error">Enter your email address</p>
<input id="email" name="email" aria-describedby="email-error">
<button type="submit">Sign in</button>
</form>
<img src="/static/mark.svg" alt=""></main></body></html>"""

BREACHES = {
    "a missing doctype": ("<!doctype html>", "", "No doctype."),
    "no h1": ("<h1>Sign in</h1>", "<p>Sign in</p>", "0 h1"),
    "two h1": ("<h1>Sign in</h1>", "<h1>Sign in</h1><h1>Sign in</h1>", "2 h1"),
    "a title of another page": ("<title>Error: Sign in", "<title>Error: Sign up", "is not '"),
    "a title without the portal": (" - Latchkey account", "", "is not '"),
    "an error not in the title": ("<title>Error: ", "<title>", "do not agree"),
    "an error only in the title": ('class="summary"', 'class="box"', "do not agree"),
    "no language": (' lang="en-GB"', "", "No lang"),
    "an id used twice": ("<img src", '<img id="email" src', "stands 2 times"),
    "a description that is not there": ('id="email-error"', 'id="e"', "aria-describedby at"),
    "a label of nothing": ('<label for="email">', '<label for="mail">', "for at 'mail'"),
    "a summary that leads nowhere": ('href="#email"', 'href="#mail"', "leads nowhere"),
    "a field without label": ('<label for="email">Email address</label>', "", "has no label"),
    "a field with an empty label": (">Email address<", "><", "has no label"),
    "a form without method": ('method="post" ', "", "has no method"),
    "a form without action": (' action="/sign-in"', "", "has no action"),
    "a form to another site": ('"/sign-in"', '"//example.org/"', "has no action on this site"),
    "a form without token": ('name="csrf_token"', 'name="token"', "has no csrf_token"),
    "a form with an empty token": ('value="abc"', 'value=""', "has no csrf_token"),
    "a button without type": ('<button type="submit">', "<button>", "has no type"),
    "a button without name": (">Sign in</button>", "></button>", "has no name"),
    "a picture without alt": (' alt=""', "", "has no alt"),
    "an inline style": ("<h1>", '<h1 style="color:red">', "inline style"),
    "an inline style on a drawing": ("<h1>", '<svg style="x:y"></svg><h1>', "inline style"),
    "a style sheet in the page": ("</head>", "<style>p{}</style></head>", "inline style sheet"),
    "a script in the page": ("</head>", "<script>go()</script></head>", "inline script"),
    "a script with source and text": (" defer></script>", ">go()</script>", "inline script"),
    "a handler": ("<h1>", '<h1 onclick="go()">', "inline onclick"),
    "a javascript address": ('href="#main"', 'href=" JavaScript:go()"', "javascript: address"),
    "a style sheet from elsewhere": ('"/static/css', '"//cdn.example/css', "from elsewhere"),
    "a script from elsewhere": ('"/static/js', '"https://cdn.example/js', "from elsewhere"),
    "no skip link": ('<a class="skip" href="#main">', '<a href="/">', "no link that skips"),
}


def test_a_page_that_keeps_the_rules_has_no_breach():
    assert check(FINE) == []


@pytest.mark.parametrize("what", BREACHES)
def test_a_breach_is_reported(what):
    found, replacement, words = BREACHES[what]
    broken = FINE.replace(found, replacement, 1)
    assert broken != FINE
    assert any(words in breach for breach in check(broken)), check(broken)


def test_breaches_name_the_tag_they_are_about():
    assert "<img" in check(FINE.replace(' alt=""', ""))[0]


@pytest.mark.parametrize("kind", ["hidden", "submit"])
def test_fields_that_nobody_sees_need_no_label(kind):
    extra = f'<input type="{kind}" name="x" value="y"></form>'
    assert check(FINE.replace("</form>", extra)) == []
