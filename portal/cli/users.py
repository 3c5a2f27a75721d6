"""Helping people from the command line."""

import click

from portal.accounts.service import standing
from portal.cli import finding
from portal.core.audit import OPERATOR

users = click.Group("users", help="Help people from the command line.")


@users.command()
@click.argument("email")
def block(email):
    """Keep EMAIL's account from being used; every sign-in ends."""
    standing.block(finding.person(email), None, OPERATOR)
    click.echo("The account is blocked and signed out everywhere.")


@users.command()
@click.argument("email")
def unblock(email):
    """Let EMAIL's account be used again."""
    standing.unblock(finding.person(email), None, OPERATOR)
    click.echo("The account can be used again.")


@users.command()
@click.argument("email")
def delete(email):
    """Delete EMAIL's account: out of use now, gone after DELETION_DAYS."""
    standing.delete(finding.person(email), None, OPERATOR)
    click.echo("The account is deleted and signed out everywhere.")


@users.command()
@click.argument("email")
def restore(email):
    """Bring EMAIL's deleted account back, as long as it is there."""
    standing.restore(finding.person(email), None, OPERATOR)
    click.echo("The account can be used again.")


@users.command("clear-throttles")
@click.argument("email")
def clear_throttles(email):
    """Forget EMAIL's waiting times."""
    standing.clear_throttles(finding.person(email), None, OPERATOR)
    click.echo("There is nothing to wait for any more.")
