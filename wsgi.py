"""Servers start here: any WSGI server on `wsgi:app`, or `flask --app wsgi run`."""

import os

from portal import create_app
from portal.delivery import worker

app = create_app()
os.environ["FLASK_DEBUG"] = str(int(app.debug))  # Flask's command line would decide it anew
if os.environ.get("FLASK_RUN_FROM_CLI") != "true":  # a server, not one of the operator's commands
    worker.start(app)
worker.start_with_first_request(app)
