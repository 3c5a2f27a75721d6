"""What a web server in front can answer by itself: scripts, styles, fonts, and two pages."""

from functools import partial
from pathlib import Path

import click
from flask_babel import gettext as _

from portal.core import assets, refusals, settings

FOLDER = click.Path(file_okay=False, path_type=Path)


def commands(app):
    """The group `assets`."""
    group = click.Group("assets", help="Scripts, styles and fonts as files, for a web server.")
    folder = click.Argument(["folder"], type=FOLDER)
    run = partial(build, app)
    group.add_command(click.Command("build", callback=run, params=[folder], help=build.__doc__))
    return group


def build(app, folder):
    """Write what stands below /static into FOLDER, and beside it what is packed ahead of time.

    Two pages as well, for when the portal cannot answer (503.html), and for what is too big to be
    passed on to it (413.html). Run it after each upgrade and each change of PORTAL_NAME or the
    HELP_ settings. Files of earlier versions stay, for pages that are still open.
    """
    with app.app_context():
        made, site = assets.write(folder), settings.setting("PUBLIC_URL")
    with app.test_request_context(base_url=site):
        for status, words in {413: "", 503: _away()}.items():
            page, _status = refusals.error_page(status, text=words)
            assets.put(folder / f"{status}.html", page.encode())
    click.echo(f"{made} files and 2 pages are in {folder}.")


def _away():
    return _(
        "If you have just saved something, look whether it was kept. "
        "Wait a minute, then open the page again."
    )
