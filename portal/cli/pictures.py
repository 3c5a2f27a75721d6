"""Where people's pictures are kept."""

import sys
from functools import partial

import click

from portal.profile import moving, stores

pictures = click.Group("pictures", help="Where people's pictures are kept.")
AWAY = "A store cannot be reached. Nothing is lost: the same again goes on from here."


@pictures.command()
@click.option("--to", type=click.Choice(["s3", "local"]), required=True, help="Where they go.")
@click.option("--keep", is_flag=True, help="Leave them where they were, too.")
def move(to, keep):
    """Move every picture between this machine and the bucket, while the portal serves."""
    if not stores.has_bucket():
        raise click.ClickException("There is no bucket: set AWS_STORAGE_BUCKET_NAME first.")
    with moving.alone() as alone:
        if not alone:
            raise click.ClickException("Another move is under way.")
        _run(moving.Move(to), keep)


def _run(move, keep):
    try:
        _through(move.folders(), "Copying", move.copy)
        if not move.failed:
            last = "Comparing" if keep else "Comparing and removing"
            _through(move.folders(), last, partial(move.let_go, keep=keep))
    except OSError as err:
        _tell(move)
        raise click.ClickException(f"{AWAY} ({err})") from None
    _tell(move)
    if move.failed:
        raise click.ClickException("Nothing that failed was removed. Run it again.")


def _through(folders, label, work):
    """Where nobody watches, the label is all that is shown."""
    with click.progressbar(folders, label=label, file=sys.stderr) as bar:
        for folder in bar:
            work(folder)


def _tell(move):
    for count, what in (
        (move.moved, "moved"),
        (move.skipped, "were there already"),
        (move.failed, "failed"),
    ):
        click.echo(f"{count:8} {what}")
