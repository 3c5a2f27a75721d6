"""What access tokens are signed with."""

import click

from portal.core import signing

LEAD = click.IntRange(0, 86_400)
keys = click.Group("keys", help="What access tokens are signed with.")


@keys.command()
@click.option("--lead", default=0, type=LEAD, metavar="SECONDS", help="Sign with it later.")
def rotate(lead):
    """Add a signing key; tokens of the older ones stay good to their end.

    With several machines: give them the file within the lead, so that all know the key in time.
    """
    click.echo(
        f"A new key signs {f'in {lead} s' if lead else 'now'}: {signing.rotate(lead)} known."
    )


@keys.command()
def replace():
    """Put a new signing key in the place of all: when one may be known to others."""
    signing.replace()
    click.echo("One new key. Programs need new access tokens, by refreshing or signing in.")
