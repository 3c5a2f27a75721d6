"""Who is meant, and what is said when a story refuses."""

from contextlib import contextmanager

import click

from portal.accounts import people
from portal.core.errors import Rejected, Several


def person(email):
    return people.find(email) or _nobody()


@contextmanager
def told():
    """A refusal ends the command in its own words."""
    try:
        yield
    except Several as refused:
        raise click.ClickException(" ".join(each.message for each in refused.all)) from None
    except Rejected as refused:
        raise click.ClickException(refused.message) from None


def _nobody():
    raise click.ClickException("Nobody has this address.")
