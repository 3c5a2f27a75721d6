"""The portal as it is run in production, for benchmarks: gunicorns, and nginx in front of them.

    site = Site(folder, (2,), DATABASE_URL=url)         # one gunicorn of two processes
    site.flask("db", "upgrade")
    with site: site.port ... site.portals[0].reload() ... site.memory()

Loopback and plain http: what TLS costs is not the portal's.  Throttles count as always, with limits
that nobody reaches.
"""

import re
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.rivals import ENDLESS, LIMITS
from tests.rigs.gunicorn import Gunicorn
from tests.rigs.nginx import Nginx
from tests.rigs.server import Server

COUNTED = dict.fromkeys(LIMITS, str(ENDLESS)) | {"SEND_COOLDOWN_SECONDS": "0"}
COUNTS = "PROMETHEUS_MULTIPROC_DIR"
SHARED = Path("/dev/shm")  # noqa: S108 - where gunicorn's own counts lie as well
RSS, PSS = re.compile(r"^Rss: +(\d+)", re.M), re.compile(r"^Pss: +(\d+)", re.M)


@dataclass(frozen=True)
class Memory:
    """MB of all web processes together: resident, and with what they share counted once."""

    rss: float
    pss: float


class Site:
    """Starts with its block, and ends with all its processes; `concurrency`: of each gunicorn."""

    def __init__(self, folder: Path, concurrency: tuple[int, ...], **settings: str) -> None:
        self.front, self._stack = Nginx(folder), ExitStack()
        near = {"PUBLIC_URL": self.front.plain, "TRUSTED_PROXIES": "127.0.0.1/32"}
        first = Gunicorn(folder, BCRYPT_COST="12", **COUNTED, **near, **settings)
        others = [Gunicorn(folder) for _other in concurrency[1:]]
        self.portals = [first, *others]
        for portal, number in zip(self.portals, concurrency, strict=True):
            own = {"PORT": str(portal.port), "WEB_CONCURRENCY": str(number)}
            portal.environment = first.environment | own

    @property
    def port(self) -> int:
        """nginx's, without TLS."""
        return self.front.plain_port

    @property
    def environment(self) -> dict[str, str]:
        """All settings, the port being the first gunicorn's."""
        return self.portals[0].environment

    def flask(self, *arguments: str) -> None:
        """The operator's commands.  Raises AssertionError."""
        self.portals[0].flask(*arguments)

    def memory(self) -> Memory:
        """Of masters and workers, as they are now."""
        all_ = [pid for each in self.portals for pid in (each.process.pid, *each.workers())]
        maps = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in all_]
        rss, pss = (sum(int(what.search(each)[1]) for each in maps) for what in (RSS, PSS))
        return Memory(rss / 1024, pss / 1024)

    def __enter__(self) -> "Site":
        with ExitStack() as stack:
            for portal in self.portals:
                launch(stack, portal)
            stack.enter_context(self.front.before(*self.portals))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()


def launch(stack: ExitStack, portal: Server) -> None:
    """Starts a server on what is migrated already; it ends with `stack`, however that ends."""
    if isinstance(portal, Gunicorn):
        portal.environment[COUNTS] = stack.enter_context(_counts())
    stack.callback(_end, portal)
    portal.start()


def _counts() -> tempfile.TemporaryDirectory[str]:
    """Where a gunicorn counts that may be killed, and then cannot clear up itself."""
    where = SHARED if SHARED.is_dir() else None
    return tempfile.TemporaryDirectory(prefix="latchkey-bench-", dir=where)


def _end(portal: Server) -> None:
    process = getattr(portal, "process", None)  # None: interrupted before there was one
    if process and process.poll() is None:
        portal.stop()
