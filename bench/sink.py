"""A mail server that takes everything at once: one for all rivals of a benchmark, at little cost.

    with Sink(folder) as sink:
        sink.port ... sink.wait_for("ann@example.org", since) ... sink.count()

Its process speaks plain SMTP (RFC 5321) and appends one line of JSON per message to a file.
"""

import asyncio
import io
import json
import subprocess
import sys
import time
from email import message_from_bytes, policy
from pathlib import Path

PATIENCE = 30.0  # seconds for a message to come
STOP_SECONDS = 10
GREETING = b"220 sink\r\n"
REPLIES = {b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}
OTHERWISE = b"250 ok\r\n"


class Sink:
    """The process, and what it has written down."""

    def __init__(self, folder: Path) -> None:
        self._file, self.port = folder / "mail.jsonl", 0

    def size(self) -> int:
        """Where the next message will stand; `wait_for` looks from there."""
        return self._file.stat().st_size

    def count(self) -> int:
        """How many messages it has taken."""
        return self._file.read_bytes().count(b"\n")

    def wait_for(self, address: str, since: int) -> str:
        """-> the text of the first message to them from `since` on.  Raises TimeoutError."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for line in self._lines(since):
                if line["to"] == address:
                    return _text(line["raw"])
            time.sleep(0.005)
        raise TimeoutError(f"No message to {address} came within {PATIENCE} s.")

    def __enter__(self) -> "Sink":
        self._file.touch()
        command = [sys.executable, "-m", "bench.sink", str(self._file)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        self._process.stdout.close()

    def _lines(self, since: int) -> list[dict[str, str]]:
        with self._file.open("rb") as file:
            file.seek(since)
            whole = file.read().rpartition(b"\n")[0]
        return [json.loads(line) for line in whole.splitlines()]


class Server:
    """Takes every message and writes it down."""

    def __init__(self, record: io.RawIOBase) -> None:
        self._record = record

    async def serve(self) -> None:
        """Until it is ended from outside; says its port on one line."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, limit=2**20)
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        to = verb = b""
        while verb != b"QUIT" and (line := await reader.readline()):
            verb = line[:4].upper()
            to = line if verb == b"RCPT" else to
            writer.write(REPLIES.get(verb, OTHERWISE))
            if verb == b"DATA":
                self._record.write(_written(to, await reader.readuntil(b"\r\n.\r\n")))
                writer.write(OTHERWISE)
        writer.close()


def _written(recipient: bytes, raw: bytes) -> bytes:
    """As it came: whoever looks for it reads it then, and the benchmark does not wait."""
    to = recipient.partition(b"<")[2].partition(b">")[0].decode()
    return json.dumps({"to": to, "raw": raw.decode("latin-1")}).encode() + b"\n"


def _text(raw: str) -> str:
    read = message_from_bytes(raw.encode("latin-1"), policy=policy.default)
    text = read.get_body(("plain",))
    return str(text.get_content()) if text else ""


if __name__ == "__main__":
    with Path(sys.argv[1]).open("ab", buffering=0) as taken:
        asyncio.run(Server(taken).serve())
