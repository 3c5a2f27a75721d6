"""What waitress lets pass, and others may read otherwise: refused, and the line closed."""

import re

from waitress.parser import HTTPRequestParser, ParsingError
from waitress.utilities import BadRequest

REQUEST_LINE = re.compile(rb"[!-~]+ [!-~]+ HTTP/1\.[01]")
FOLDED = re.compile(rb"\r\n[ \t]")
LENGTH = re.compile(rb"\r\n(?:content-length|transfer-encoding)[^:\r\n]*:", re.IGNORECASE)
HOST = re.compile(rb"\r\nhost[^:\r\n]*:", re.IGNORECASE)
CHUNKED_AND_MORE = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*,", re.IGNORECASE)
NO_LINE_END = re.compile(rb"(?<!\r)\n")
NOTHING = b"GET / HTTP/1.0\r\n"  # what stands in for a request that cannot be read


class StrictParser(HTTPRequestParser):
    """Two ways to say where a request ends are one too many (RFC 9112, 6.3)."""

    completed = False  # as in the base class, which has no types

    def received(self, data):
        taken = super().received(data)
        if not self.completed and NO_LINE_END.search(self.header_plus[-len(data) - 1 :]):
            self.parse_header(NOTHING)
            self.error = BadRequest("A line ends without CR.")
            self.completed = True
        return taken

    def parse_header(self, header_plus):
        if found := next(_faults(header_plus), None):
            raise ParsingError(found)
        super().parse_header(header_plus)
        if self.proxy_netloc not in ("", self.headers.get("HOST")):
            raise ParsingError("Two hosts are named.")
        if "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("HTTP/1.0 has no chunks.")


def _faults(head):
    if not REQUEST_LINE.fullmatch(head.partition(b"\r\n")[0]):
        yield "The first line is no request of HTTP/1.1."
    if FOLDED.search(head):
        yield "A header goes on in the next line."
    if len(LENGTH.findall(head)) > 1 or CHUNKED_AND_MORE.search(head):
        yield "Its length is told twice."
    if len(HOST.findall(head)) > 1:
        yield "Two hosts are named."
