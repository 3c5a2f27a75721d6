"""Which other sites' scripts may call the API (Fetch standard, "CORS protocol").

Those of the settings, and only what speaks JSON; pages are never among it, and no cookie travels
along.  Sole owner of flask_cors.
"""

import re
from collections.abc import Sequence
from functools import partial

from flask import Flask, Response, request
from flask_cors import CORS

from portal.core import shapes
from portal.core.settings import setting

METHODS = "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"
HEADERS = "Authorization", "Content-Type"
EXPOSED = "Retry-After", "WWW-Authenticate"
MEMORY_SECONDS = 600  # for which a browser need not ask again


def init_app(app: Flask) -> None:
    """Lets the sites of CORS_ALLOWED_ORIGINS call the families that are open by now."""
    with app.app_context():
        origins = list(setting("CORS_ALLOWED_ORIGINS"))
    if origins:
        patterns = _patterns(app)
        app.after_request(partial(_tell_caches, patterns))
        CORS(
            app,
            resources=patterns,
            origins=origins,
            methods=METHODS,
            allow_headers=HEADERS,
            expose_headers=EXPOSED,
            max_age=MEMORY_SECONDS,
            supports_credentials=False,
            always_send=False,
        )


def _patterns(app: Flask) -> list[str | re.Pattern[str]]:
    doors, rules = shapes.doors(app), list(app.url_map.iter_rules())
    outside = [each for each in rules if each.endpoint.partition(".")[0] in doors]
    return [re.compile("/api/"), *(_pattern(each.rule) for each in outside)]


def _tell_caches(patterns: Sequence[str | re.Pattern[str]], answer: Response) -> Response:
    """What is answered depends on who asks."""
    if any(re.match(each, request.path) for each in patterns):
        answer.vary.add("Origin")
    return answer


def _pattern(rule: str) -> re.Pattern[str]:
    parts = re.split(r"<[^>]+>", rule)
    return re.compile("[^/]+".join(re.escape(part) for part in parts) + "$")
