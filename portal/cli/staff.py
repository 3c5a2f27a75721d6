"""Who helps others."""

import click

from portal.accounts import roles
from portal.accounts.service import staffing
from portal.cli import finding
from portal.core.audit import OPERATOR

staff = click.Group("staff", help="Who helps others.")
ROLE = click.Choice(roles.STAFF)


@staff.command()
@click.argument("email")
@click.option("--role", default=roles.SUPPORT, show_default=True, type=ROLE, help="What to be.")
def invite(email, role):
    """Send EMAIL a link to join the helpdesk, good once; the first admin comes in by it too."""
    with finding.told():
        address = staffing.invite(email, role, None, OPERATOR)
    click.echo(f"The message to {address} is on its way. Whoever reads it there can join.")


@staff.command("role")
@click.argument("email")
@click.argument("role")
def change_role(email, role):
    """Give EMAIL another ROLE: user, viewer, support or admin; every sign-in ends."""
    with finding.told():
        staffing.change_role(finding.person(email), role, None, OPERATOR)
    click.echo("The role is changed, and the account signed out everywhere.")
