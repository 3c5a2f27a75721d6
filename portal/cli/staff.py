"""Who helps others."""

import click

from portal.accounts.service import standing
from portal.cli import finding
from portal.core.audit import OPERATOR
from portal.core.errors import Rejected

staff = click.Group("staff", help="Who helps others.")


@staff.command("role")
@click.argument("email")
@click.argument("role")
def change_role(email, role):
    """Give EMAIL another ROLE: user, viewer, support or admin; every sign-in ends."""
    try:
        standing.change_role(finding.person(email), role, None, OPERATOR)
    except Rejected as refused:
        raise click.ClickException(refused.message) from None
    click.echo("The role is changed, and the account signed out everywhere.")
