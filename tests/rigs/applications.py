"""The applications of one worker: made once for each set of settings, lent to one test at a time.

applications = Applications(SETTINGS | {"DATABASE_URL": url, "UPLOAD_FOLDER": folder}, memory)
applications.restart()
app = applications.lend(CODE_LIFETIME_SECONDS="60")
applications.take_back()
"""

import shutil
from collections.abc import Hashable

from flask import Flask

from portal import create_app
from portal.core.db import db
from tests.rigs.memory import Memory

KEPT = 12  # applications that nobody holds; one weighs some megabytes


class Lent:
    """An application, and how it was when it was made."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.app, self.settings = create_app(settings), settings
        self._config, self._extensions = dict(self.app.config), dict(self.app.extensions)
        self._parts = _parts(self.app)

    def is_whole(self) -> bool:
        """Whether nobody added or replaced a route, a guard, an error page, a word of templates."""
        return _parts(self.app) == self._parts

    def restore(self) -> None:
        """Forgets what a test set, and every connection to the database."""
        for kept, now in (self._config, self.app.config), (self._extensions, self.app.extensions):
            now.clear()
            now.update(kept)
        with self.app.app_context():
            for engine in db.engines.values():
                engine.dispose()


class Applications:
    """Whoever asks twice in one test gets two: the second is the first one after a restart."""

    def __init__(self, settings: dict[str, str], memory: Memory) -> None:
        self.settings, self._memory = settings, memory
        self._resting: list[Lent] = []
        self._lent: list[Lent] = []

    def lend(self, **settings: str) -> Flask:
        """An application of nobody else's with these settings on top, as if just made.

        Raises core.settings.Refused when they are unsafe.
        """
        wish = self.settings | settings
        lent = next((each for each in self._resting if each.settings == wish), None)
        if lent:
            self._resting.remove(lent)
        else:
            lent = Lent(wish)
        self._lent.append(lent)
        if not settings:
            self._memory.begin(lent.app)
        return lent.app

    def restart(self) -> None:
        """Nobody is known, and nobody's picture is there."""
        shutil.rmtree(self.settings["UPLOAD_FOLDER"], ignore_errors=True)
        self._memory.restart()

    def take_back(self) -> None:
        """Ends what tests hold; an application that they changed is not lent again."""
        for lent in self._lent:
            lent.restore()
        self._resting += [lent for lent in self._lent if lent.is_whole()]
        self._lent.clear()
        del self._resting[:-KEPT]


def _parts(app: Flask) -> Hashable:
    """What a test could hang onto an application, by identity."""
    hooks = app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs
    pages = [of for kinds in app.error_handler_spec.values() for of in kinds.values()]
    named = [*hooks, *pages, app.view_functions, app.jinja_env.globals, app.jinja_env.filters]
    own = {name: value for name, value in vars(app).items() if callable(value)}
    found = [(name, _marks(of)) for each in [*named, own] for name, of in each.items()]
    return len(list(app.url_map.iter_rules())), tuple(found)


def _marks(of: object) -> Hashable:
    return tuple(map(id, of)) if isinstance(of, list) else id(of)
