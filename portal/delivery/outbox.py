"""Putting a message beside its cause, in the cause's transaction."""

from portal.core import clock, rows
from portal.core.audit import Recorded
from portal.core.db import after_commit
from portal.delivery import queue
from portal.delivery.models import Outgoing
from portal.delivery.recipes import Recipe


def put(recipe: Recipe, about: object, person_id: int | None = None) -> None:
    """Queues a message; sent after the open transaction was kept, never if it is undone.

    `about`: an event of this transaction, or an id.
    """
    if isinstance(about, Recorded):
        about.told(lambda event_id: put(recipe, event_id, person_id))
        return
    now = clock.now()
    row = {
        "recipe": recipe.name,
        "about": str(about),
        "person_id": person_id,
        "channel": recipe.channel,
        "rank": recipe.rank,
        "created_at": now,
        "due_at": now,
        "tries": 0,
        "trouble": "",
    }
    rows.send(Outgoing, row)
    after_commit(queue.wake)
