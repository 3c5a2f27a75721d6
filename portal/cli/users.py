"""Helping people from the command line."""

import click

from portal.accounts.service import helping, standing
from portal.cli import finding
from portal.core.audit import OPERATOR
from portal.security.service import clearing

users = click.Group("users", help="Help people from the command line.")


@users.command()
@click.argument("email")
@click.option("--until", metavar="DATE", help="The block ends by itself: 2027-01-31, in UTC.")
def block(email, until):
    """Keep EMAIL's account from being used; every sign-in ends."""
    with finding.told():
        standing.block(finding.person(email), None, OPERATOR, until)
    click.echo("The account is blocked and signed out everywhere.")


@users.command()
@click.argument("email")
def unblock(email):
    """Let EMAIL's account be used again."""
    with finding.told():
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
    helping.clear_throttles(finding.person(email), None, OPERATOR)
    click.echo("There is nothing to wait for any more.")


@users.command("clear-factor")
@click.argument("email")
def clear_factor(email):
    """Turn off EMAIL's two-step sign-in, when phone and backup codes are gone."""
    with finding.told():
        clearing.clear_factor(finding.person(email), None, OPERATOR)
    click.echo("Two-step sign-in is off, and the account signed out everywhere.")
