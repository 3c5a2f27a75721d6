"""Debian's nginx in front of the portal, with the configuration that is shipped.

front = Nginx(tmp_path)                                # its addresses are known before it starts
with Gunicorn(tmp_path, PUBLIC_URL=front.url, TRUSTED_PROXIES="127.0.0.1/32") as portal:
    with front.before(portal):                         # several portals: one upstream each
        requests.get(front.url + "/sign-in", verify=front.ca_file)

Names of files, ports and processes are all that is changed; `plain` speaks http to the same place,
for attacks on what stands below TLS.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from tests.rigs.server import ROOT, Server
from tests.rigs.smtp import free_port

CONF = ROOT / "deploy" / "nginx.conf"
NAME = "account.example.org"
USER = "" if os.getuid() else "user root;"  # tests' folders are closed to others
START_SECONDS, STOP_SECONDS = 10, 10
LOGS = "stderr.log", "error.log", "access.log"
_BUILT = tempfile.TemporaryDirectory(prefix="latchkey-built-")  # files below /static, once built


def missing() -> str | None:
    """Why no server can be started on this machine; None when one can."""
    if not shutil.which("nginx"):
        return "nginx is not installed (Debian: apt-get install nginx-light)"
    return None


class Nginx:
    """A server on loopback ports, with a certificate for `localhost`."""

    def __init__(self, folder: Path) -> None:
        self.port, self.plain_port, self.redirect_port = free_port(), free_port(), free_port()
        self.url = f"https://localhost:{self.port}"
        self.plain = f"http://127.0.0.1:{self.plain_port}"
        self.folder = folder / "nginx"
        self.ca_file = str(self.folder / "ca.pem")

    @contextmanager
    def before(self, *portals: Server) -> Iterator[Nginx]:
        """Serves in front of these; files below /static are built by the first of them."""
        self._prepare()
        self._give_files(portals[0])
        (self.folder / "nginx.conf").write_text(self._conf([portal.port for portal in portals]))
        command = ["nginx", "-p", str(self.folder), "-c", "nginx.conf", "-g", f"daemon off;{USER}"]
        with (self.folder / "stderr.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            self._wait(process)
            yield self
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)

    def logs(self, *files: str) -> str:
        """Everything that it has written, or what stands in these files."""
        found = (self.folder / name for name in files or LOGS)
        return "".join(file.read_text() for file in found if file.exists())

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        certificate.private_key_pem.write_to_path(self.folder / "privkey.pem")
        for part in certificate.cert_chain_pems:
            part.write_to_path(self.folder / "fullchain.pem", append=True)
        authority.cert_pem.write_to_path(self.ca_file)

    def _give_files(self, portal: Server) -> None:
        """Packing takes seconds, and always makes the same."""
        kept, own = Path(_BUILT.name) / "static", self.folder / "public" / "static"
        if not kept.exists():
            portal.flask("assets", "build", str(kept))
        shutil.copytree(kept, own)

    def _conf(self, ports: list[int]) -> str:
        made = CONF.read_text()
        paths = {
            "/etc/ssl/latchkey": str(self.folder),
            "/var/log/nginx": str(self.folder),
            "/run/nginx.pid": str(self.folder / "nginx.pid"),
            "/srv/latchkey/public": str(self.folder / "public"),
            "buffer=32k flush=5s": "",
            f"https://{NAME}": self.url,
            NAME: "localhost",
        }
        for shipped, own in paths.items():
            assert shipped in made, shipped
            made = made.replace(shipped, own)
        made = re.sub(r"\n +listen \[::\][^\n]*", "", made)
        made = made.replace("listen 80", f"listen 127.0.0.1:{self.redirect_port}")
        made = made.replace("listen 443", f"listen 127.0.0.1:{self.port}")
        processes = "".join(
            f"server 127.0.0.1:{port} max_fails=3 fail_timeout=2s;" for port in ports
        )
        made, count = re.subn(r"(\n +)server 127\.0\.0\.1:8000 [^\n]*", rf"\1{processes}", made)
        assert count == 1
        return self._below_tls(made)

    def _below_tls(self, made: str) -> str:
        """The same server once more, without TLS."""
        listen = f"listen 127.0.0.1:{self.port} ssl http2;"
        own = f"server_name localhost;\n        ssl_certificate {self.folder}"
        assert made.count(f"{listen}\n        {own}") == 1
        plain = f"listen 127.0.0.1:{self.plain_port};"
        return made.replace(
            f"{listen}\n        {own}",
            f"{listen}\n        {plain}\n        {own.replace('localhost', 'localhost 127.0.0.1')}",
        ).replace("http {", f"http {{\n{self._temporary()}", 1)

    def _temporary(self) -> str:
        kinds = "client_body", "proxy", "fastcgi", "uwsgi", "scgi"
        return "".join(f"    {kind}_temp_path {self.folder}/{kind};\n" for kind in kinds)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + START_SECONDS
        while not self._listens():
            alive = process.poll() is None and time.monotonic() < until
            assert alive, f"nginx did not start:\n{self.logs()}"
            time.sleep(0.05)

    def _listens(self) -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self.port)) == 0
