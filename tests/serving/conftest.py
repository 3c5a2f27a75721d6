"""The portal as it is run in production: gunicorn, and nginx in front of it."""

import pytest

from tests.rigs import nginx
from tests.rigs.gunicorn import Gunicorn
from tests.rigs.nginx import Nginx


@pytest.fixture
def front(tmp_path):
    """An nginx that is not started; skips where there is none."""
    return _front(tmp_path)


@pytest.fixture
def machines(front, tmp_path):
    """machines(2) -> so many gunicorns of one portal, not started, each with one process."""
    return lambda count: _machines(front, tmp_path, count)


@pytest.fixture(scope="module")
def _site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    front = _front(folder)
    (portal,) = _machines(front, folder, 1)
    with portal, front.before(portal):
        front.portal = portal
        yield front


@pytest.fixture
def site(_site):
    """An nginx that serves a portal, one for all tests of a file; started again when killed."""
    yield _site
    if _site.portal.process.poll() is not None:
        _site.portal.start()


def _front(folder):
    if reason := nginx.missing():
        pytest.skip(reason)
    return Nginx(folder)


def _machines(front, folder, count):
    settings = {"PUBLIC_URL": front.url, "TRUSTED_PROXIES": "127.0.0.1/32"}
    first = Gunicorn(folder, WEB_CONCURRENCY="1", **settings)
    others = [Gunicorn(folder) for _ in range(count - 1)]
    for other in others:
        other.environment = first.environment | {"PORT": str(other.port)}
    return [first, *others]
