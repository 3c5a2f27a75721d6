"""Servers start here (`wsgi:app`, `flask --app wsgi run`), and Celery (`celery -A wsgi:celery`)."""

import atexit
import gc
import os

# What is loaded and made here is kept until the end: looking through it for garbage again and again
# would be half of what a start costs.
gc.disable()

from portal import create_app  # noqa: E402 - see above
from portal.core.db import db  # noqa: E402
from portal.delivery import worker  # noqa: E402

app = create_app()
celery = worker.celery(app)  # None without REDIS_URL
os.environ["FLASK_DEBUG"] = str(int(app.debug))  # Flask's command line would decide it anew
command_line = os.environ.get("FLASK_RUN_FROM_CLI") == "true"  # of the operator, not a server
if celery is None and not command_line:
    worker.start(app)
worker.start_with_first_request(app)


def hang_up() -> None:
    """Nobody else closes what is kept from the garbage collector; SQLite tidies its files then."""
    with app.app_context():
        db.engine.dispose()


atexit.register(hang_up)
gc.freeze()  # nor is it looked through again by whoever answers requests, or at the end
gc.enable()
