"""A door: the operator's commands, `flask --app wsgi ...`."""

from functools import partial

import click

from portal.cli import assets, serving, upkeep
from portal.cli.audit import audit
from portal.cli.keys import keys
from portal.cli.pictures import pictures
from portal.cli.staff import staff
from portal.cli.users import users


def init_app(app):
    groups = users, staff, audit, keys, pictures
    for command in *groups, upkeep.purge, upkeep.check, upkeep.demo:
        app.cli.add_command(command)
    app.cli.add_command(assets.commands(app))
    for name, run in {"serve": serving.serve, "deliver": serving.deliver}.items():
        app.cli.add_command(click.Command(name, callback=partial(run, app), help=run.__doc__))
