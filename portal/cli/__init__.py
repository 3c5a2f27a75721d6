"""A door: the operator's commands, `flask --app wsgi ...`."""

import logging
from functools import partial

import click

from portal.cli import serving, upkeep
from portal.cli.audit import audit
from portal.cli.keys import keys
from portal.cli.staff import staff
from portal.cli.users import users


def init_app(app):
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    for command in users, staff, audit, keys, upkeep.purge, upkeep.check, upkeep.demo:
        app.cli.add_command(command)
    for name, run in {"serve": serving.serve, "deliver": serving.deliver}.items():
        app.cli.add_command(click.Command(name, callback=partial(run, app), help=run.__doc__))
