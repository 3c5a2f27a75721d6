"""Latchkey, the account portal: create_app() is the table of contents, in level order."""

from collections.abc import Mapping

from flask import Flask

from portal import cli
from portal.accounts import guards
from portal.accounts.views import bp as accounts
from portal.api import routes
from portal.core import (
    access,
    assets,
    db,
    logs,
    readiness,
    refusals,
    settings,
    shapes,
    signing,
    web,
)
from portal.core.views import bp as core
from portal.delivery import transports, vitals
from portal.delivery.views import bp as delivery
from portal.profile import stores
from portal.profile.views import bp as profile
from portal.profile.views import pictures
from portal.recovery.views import bp as recovery
from portal.security.views import doors as security
from portal.staff.views import doors as staff


def create_app(source: Mapping[str, str] | None = None) -> Flask:
    """The portal, with settings from `source`; without it, from the environment and `.env`.

    Raises core.settings.Refused when they are unsafe.
    """
    app = web.Portal(__name__)
    settings.init_app(app, source)
    for part in logs, access, assets, db, readiness, signing, web, shapes, refusals:
        part.init_app(app)
    for part in transports, vitals, guards, cli:
        part.init_app(app)
    readiness.check(app, "store", stores.standing)
    for door in core, delivery, accounts, recovery, profile, pictures, *security, *staff:
        app.register_blueprint(door)
    routes.init_app(app)
    return app
