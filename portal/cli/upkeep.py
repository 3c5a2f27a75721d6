"""Looking after an installation."""

import sys

import click

from portal.accounts.service import purging
from portal.core import safety, settings
from portal.delivery import history
from portal.profile import service as profile
from portal.security.service import purging as security


@click.command()
def purge():
    """Remove codes, messages, sign-ins and waiting times that ended long ago."""
    others = {
        "apps that nobody confirmed": security.purge(),
        "messages": history.purge(),
    }
    for what, count in (purging.purge() | others).items():
        click.echo(f"{count:8} {what}")
    try:
        click.echo(f"{profile.sweep():8} pictures of nobody")
    except OSError as err:
        raise click.ClickException(f"Pictures of nobody stay until tomorrow: {err}") from None


@click.command()
def check():
    """Print each setting that would be unsafe in production, with its cure."""
    found = safety.dangers(settings.every())
    for danger in found:
        click.echo(str(danger))
    click.echo("Nothing unsafe." if not found else f"{len(found)} to mend before production.")
    sys.exit(1 if found else 0)


@click.command()
def demo():
    """Fill a try-out with invented people and print how to sign in as one of them."""
    from portal.demo import service as invention  # noqa: PLC0415 - no server needs them
    from portal.demo.cast import DEMO, STAFF  # noqa: PLC0415

    try:
        tickets = invention.fill()
    except (ValueError, OSError) as refused:
        raise click.ClickException(str(refused)) from None
    for email, code in tickets.codes.items():
        click.echo(f"{STAFF[email]:8} {email}, same password, backup code {code}")
    click.echo(f"Sign in as {DEMO} with the password {tickets.password}")
