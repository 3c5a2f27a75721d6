"""HTTP/1.1 over kept lines, as little as can be: for senders that must not be the slow part."""

import asyncio
from urllib.parse import urlsplit

from bench.ways import Expected
from bench.wrk import Request, Work

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Wires:
    """As many lines to one port as are needed at the same time; they are used again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[Line] = []

    async def ask(self, work: Work, request: Request) -> str:
        """-> what is wrong with the answer, "" when nothing is.

        Raises OSError or EOFError when none comes, ValueError when it cannot be read.
        """
        reader, writer = await self._line()
        try:
            writer.write(_written(self._port, work.method, request))
            status, headers = _head(await reader.readuntil(b"\r\n\r\n"))
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        except BaseException:
            writer.close()
            raise
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return _trouble(work.expected, status, headers, body)

    async def _line(self) -> Line:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)


def _written(port: int, method: str, request: Request) -> bytes:
    body = request.body.encode()
    headers = {"Host": f"127.0.0.1:{port}"} | request.headers
    if method != "GET":
        headers["Content-Length"] = str(len(body))
    lines = [f"{method} {request.path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _head(raw: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = raw.decode("latin-1").split("\r\n")[:-2]
    pairs = (line.partition(": ") for line in lines)
    headers = {name.lower(): value for name, _colon, value in pairs}
    if "transfer-encoding" in headers:
        raise ValueError("An answer in chunks: its length is not known.")
    return int(first.split()[1]), headers


def _trouble(wanted: Expected, status: int, headers: dict[str, str], body: bytes) -> str:
    place = urlsplit(headers.get("location", "")).path
    if (status, place) != (wanted.status, wanted.place):
        return f"{status} {place}".strip()
    return "" if wanted.words.encode() in body else f"{status} without {wanted.words!r}"
