"""Who is meant."""

import click

from portal.accounts import people


def person(email):
    return people.find(email) or _nobody()


def _nobody():
    raise click.ClickException("Nobody has this address.")
