"""A door: the operator's commands, `flask --app wsgi ...`."""

import logging
import signal
import sys
import threading
from functools import partial

import click
import waitress

from portal.accounts import people
from portal.accounts.service import purging, standing
from portal.core import safety, settings, signing
from portal.core.audit import OPERATOR
from portal.core.errors import Rejected
from portal.delivery import service as delivery
from portal.delivery import worker
from portal.demo import service as invention
from portal.demo.cast import DEMO
from portal.profile import service as profile

THREADS = 16  # most of them wait: for a slow reader, for a turn to hash
LAST_MESSAGE_SECONDS = 10  # at the end, for the message under way
LEAD = click.IntRange(0, 86_400)
LARGEST_BODY = 16 * 1024 * 1024  # larger ones are not even spooled; smaller get our own page
users = click.Group("users", help="Help people from the command line.")
staff = click.Group("staff", help="Who helps others.")
keys = click.Group("keys", help="What access tokens are signed with.")


def init_app(app):
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    for command in users, staff, keys, purge, check, demo:
        app.cli.add_command(command)
    for name, run in {"serve": serve, "deliver": deliver}.items():
        app.cli.add_command(click.Command(name, callback=partial(run, app), help=run.__doc__))


@users.command()
@click.argument("email")
def block(email):
    """Keep EMAIL's account from being used; every sign-in ends."""
    standing.block(_person(email), None, OPERATOR)
    click.echo("The account is blocked and signed out everywhere.")


@users.command()
@click.argument("email")
def unblock(email):
    """Let EMAIL's account be used again."""
    standing.unblock(_person(email), None, OPERATOR)
    click.echo("The account can be used again.")


@users.command()
@click.argument("email")
def delete(email):
    """Delete EMAIL's account: out of use now, gone after DELETION_DAYS."""
    standing.delete(_person(email), None, OPERATOR)
    click.echo("The account is deleted and signed out everywhere.")


@users.command()
@click.argument("email")
def restore(email):
    """Bring EMAIL's deleted account back, as long as it is there."""
    standing.restore(_person(email), None, OPERATOR)
    click.echo("The account can be used again.")


@users.command("clear-throttles")
@click.argument("email")
def clear_throttles(email):
    """Forget EMAIL's waiting times."""
    standing.clear_throttles(_person(email), None, OPERATOR)
    click.echo("There is nothing to wait for any more.")


@staff.command("role")
@click.argument("email")
@click.argument("role")
def change_role(email, role):
    """Give EMAIL another ROLE: user, viewer, support or admin; every sign-in ends."""
    try:
        standing.change_role(_person(email), role, None, OPERATOR)
    except Rejected as refused:
        raise click.ClickException(refused.message) from None
    click.echo("The role is changed, and the account signed out everywhere.")


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


def serve(app):
    """Serve the portal on BIND and PORT (waitress), with the mail worker inside."""
    worker.start(app)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue is no news
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # requests under way are finished
    host, port = settings.setting("BIND"), settings.setting("PORT")
    click.echo(f"Latchkey serves {settings.setting('PUBLIC_URL')} (bound to {host}:{port})")
    try:
        waitress.serve(
            app,
            host=host,
            port=port,
            threads=THREADS,
            ident=None,
            max_request_body_size=LARGEST_BODY,
            clear_untrusted_proxy_headers=False,
        )
    finally:
        worker.stop(LAST_MESSAGE_SECONDS)


def deliver(app):
    """Run a mail worker of its own, beside those in the web processes."""
    click.echo("Latchkey sends messages.")
    # A handler runs in the middle of anything, and must take no lock: a thread of its own may.
    end = partial(worker.stop, 0)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=end).start())
    worker.run(app)


@click.command()
def purge():
    """Remove codes, messages, sign-ins and waiting times that ended long ago."""
    others = {"messages": delivery.purge(), "pictures of nobody": profile.sweep()}
    for what, count in (purging.purge() | others).items():
        click.echo(f"{count:8} {what}")


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
    try:
        password = invention.fill()
    except ValueError as refused:
        raise click.ClickException(str(refused)) from None
    click.echo(f"Sign in as {DEMO} with the password {password}")


def _person(email):
    return people.find(email) or _nobody()


def _nobody():
    raise click.ClickException("Nobody has this address.")
