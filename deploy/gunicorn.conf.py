"""The portal on gunicorn, behind nginx: gunicorn -c deploy/gunicorn.conf.py wsgi:app

BIND, PORT and WEB_CONCURRENCY come from the environment or from `.env`.  Never without a proxy in
front: who sends a request slowly holds a thread here (nginx takes it in whole, then passes it on).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker as AnyWorker

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import config as portal_settings  # noqa: E402 - `config` alone would be an option of gunicorn
from deploy import lines, spread  # noqa: E402

_given = portal_settings.environment()
# Workers are forked from here: what stays loaded here they would have after new code has come too.
for _name in list(sys.modules):
    if _name.partition(".")[0] in ("config", "deploy", "dotenv"):
        del sys.modules[_name]
_memory = Path("/dev/shm")  # noqa: S108 - folders in it are made by mkdtemp
MULTIPROC = "PROMETHEUS_MULTIPROC_DIR"
LAST_MESSAGE_SECONDS = 10

wsgi_app = "wsgi:app"
chdir = str(ROOT)
proc_name = "latchkey"
bind = f"{_given.get('BIND') or '127.0.0.1'}:{_given.get('PORT') or 8000}"

# ------------------------------------------------------------------ who works

# A process a core: what it costs is hashing and templates, in one interpreter's lock.
workers = int(_given.get("WEB_CONCURRENCY") or len(spread.cores()))
worker_class = spread.Worker
pre_fork, post_worker_init = spread.pre_fork, spread.post_worker_init
# Most of them wait: a flood of sign-ins for a turn to hash (HASHES_AT_ONCE) must leave some for
# others.  A thread that was never needed is never made.
threads = 64
# Connections of nginx that are kept, and those that wait for a thread.
worker_connections = 1000
backlog = 2048
# Each process loads the application itself: 40 MB more for each, but SIGHUP loads new code and
# settings, and no process is forked from one that has threads and connections.
preload_app = False
# None goes back to its first state for no reason: memory stays flat (docs/performance.md), and each
# fresh process would cost the requests of a second.
max_requests = 0
# One socket for all processes: what waits on it outlives each of them.
reuse_port = False

# ------------------------------------------------------------------ how long

# A process that does not say it lives.  Threads are not watched: what is slow is slow elsewhere
# (the database, the mail server), and has time-outs of its own.
timeout = 30
# After SIGTERM, and for old processes after SIGHUP, for what is under way: 64 sign-ins take 8 s.
graceful_timeout = 30
# Longer than nginx keeps a connection (60 s), so that it is nginx who ends it: a request sent on a
# line that is being closed at this end would fail.
keepalive = 75
# Where a process tells that it lives; on a slow disk that may block.
worker_tmp_dir = str(_memory) if _memory.is_dir() else None

# ------------------------------------------------------------------ how much

# Bodies: nginx stops at 16 MB, the portal at BODY_MAX_BYTES and PICTURE_BODY_MAX_BYTES.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# ------------------------------------------------------------------ whom to believe

# Nobody: the portal reads X-Forwarded-For itself, from TRUSTED_PROXIES alone, and knows by
# PUBLIC_URL whether it is https.  Gunicorn would take the path from SCRIPT_NAME and PATH_INFO.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
header_map = "drop"  # X_Forwarded_For is not X-Forwarded-For
permit_obsolete_folding = False
strip_header_spaces = False
http_protocols = "h1"
# No socket by which it can be told what to do: signals are enough.
control_socket_disable = True

# ------------------------------------------------------------------ what is written

# The portal's own log names routes.  Gunicorn's would have paths: the links of messages.
accesslog = None
errorlog = "-"
loglevel = "info"
logger_class = lines.JsonLogger if _given.get("LOG_FORMAT") == "json" else lines.QuietLogger

# ------------------------------------------------------------------ numbers for /metrics

# Each process counts in files of its own; whoever is asked adds them up.
OWN = "latchkey-metrics-"


def _folder() -> str:
    """A fresh one, named after this process; what killed ones left is cleared away."""
    where = _memory if _memory.is_dir() else Path(tempfile.gettempdir())
    for left in where.glob(f"{OWN}*"):
        if not Path("/proc", left.name.removeprefix(OWN).partition("-")[0]).exists():
            shutil.rmtree(left, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"{OWN}{os.getpid()}-", dir=where)


if not os.environ.get(MULTIPROC):
    os.environ[MULTIPROC] = _folder()


def on_starting(server: Arbiter) -> None:
    """Counts of an earlier start would be added to this one's.  Not called by SIGHUP."""
    folder = Path(os.environ[MULTIPROC])
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink(missing_ok=True)


def child_exit(server: Arbiter, worker: AnyWorker) -> None:
    """What a dead process held at this moment is held no more; what it counted stays counted.

    As prometheus_client.multiprocess.mark_process_dead does, which is not loaded here (see above).
    """
    spread.child_exit(server, worker)
    for file in Path(os.environ[MULTIPROC]).glob(f"gauge_live*_{worker.pid}.db"):
        file.unlink(missing_ok=True)


def on_exit(server: Arbiter) -> None:
    """Its last act; a folder that was named by the operator stays."""
    folder = Path(os.environ[MULTIPROC])
    if folder.name.startswith(OWN):
        shutil.rmtree(folder, ignore_errors=True)


# ------------------------------------------------------------------ messages


def worker_exit(server: Arbiter, worker: AnyWorker) -> None:
    """The message under way is finished, and the turn to send passed on."""
    from portal.delivery import worker as sender  # noqa: PLC0415 - loaded by the process, not here

    sender.stop(LAST_MESSAGE_SECONDS)
