"""Servers start here (`wsgi:app`, `flask --app wsgi run`), and Celery (`celery -A wsgi:celery`)."""

import os

from portal import create_app
from portal.delivery import worker

app = create_app()
celery = worker.celery(app)  # None without REDIS_URL
os.environ["FLASK_DEBUG"] = str(int(app.debug))  # Flask's command line would decide it anew
command_line = os.environ.get("FLASK_RUN_FROM_CLI") == "true"  # of the operator, not a server
if celery is None and not command_line:
    worker.start(app)
worker.start_with_first_request(app)
