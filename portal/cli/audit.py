"""Whether what was written down is still what it was."""

import re
import sys

import click

from portal.core import chain

audit = click.Group("audit", help="What was written down, and whether it still stands so.")
NOTED = re.compile(r"(\d{1,19}):([0-9a-f]{64}|)")
WORDS = {
    chain.EDITED: "{at} was edited",
    chain.INSERTED: "{at} was put in",
    chain.MOVED: "{at} stood at place {other}",
    chain.UNCLEAR: "{at} cannot be checked: the row before it is not what it was",
    chain.OLDER: "of events from before the chain there were {other}",
    chain.HEAD: "the last link is not the one that the chain ends with",
    chain.CUT: "the head noted as {place} is not on the chain: rows behind it may be gone",
}


@audit.command()
@click.option("--head", metavar="PLACE:MARK", help="An earlier head, as it was noted elsewhere.")
def verify(head):
    """Check the chain of events, and print its head: note it where this machine cannot write."""
    report = chain.verify(_noted(head) if head is not None else None)
    for finding in report.findings:
        click.echo(_told(finding))
    if report.more:
        click.echo("There is more than is told here.")
    click.echo(f"{report.count:8} events on the chain")
    click.echo(f"{report.older:8} events from before there was one, which nothing proves")
    click.echo(f"The head is {report.head}" if not report.findings else "The chain is broken.")
    sys.exit(1 if report.findings else 0)


def _noted(text):
    found = NOTED.fullmatch(text.strip())
    if not found:
        raise click.ClickException("A head is a place and a mark, as verify prints it: PLACE:MARK.")
    return int(found[1]), found[2]


def _told(finding):
    if finding.how == chain.MISSING:
        first, last = finding.place, finding.other
        which = f"place {first}" if first == last else f"places {first} to {last}"
        return f"missing: {which}"
    where = f"event {finding.event_id}"
    where += f" at place {finding.place}" if finding.place else " without a place"
    said = WORDS[finding.how].format(at=where, place=finding.place, other=finding.other)
    return f"{finding.how}: {said}"
