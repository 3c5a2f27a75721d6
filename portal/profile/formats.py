"""The formats of pictures that are taken: how a file of each is known, and read within bounds."""

import re
from collections.abc import Callable
from io import BytesIO
from itertools import islice
from typing import NamedTuple

from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

_JPEG_EXIF = re.compile(rb"\xff\xe1..Exif\0\0(.{8,65525})", re.DOTALL)
_SEGMENT = re.compile(rb"\xff[\xc0-\xcf\xdb-\xfe]")  # ITU T.81, table B.1
_SCAN = re.compile(rb"\xff\xda\0[\x06\x08\x0a\x0c\x0e][\0-\x04]")  # B.2.3
_CHUNK = re.compile(rb"\0\0..[A-Za-z]{4}", re.DOTALL)  # ISO/IEC 15948, 5.3
_PACKED = re.compile(rb"iCCP|zTXt|iTXt")


class Kind(NamedTuple):
    """A file format: its first bytes, its reader, and how many of some parts a file may have.

    Pillow walks through headers in Python, unpacks every note and decodes every scan: without
    bounds 5 MB of empty or packed parts keep it busy for 10 s and more.  Honest files have few.
    """

    magic: re.Pattern[bytes]
    reader: Callable[[BytesIO], ImageFile]
    bounds: dict[re.Pattern[bytes], int]

    def takes(self, data: bytes) -> bool:
        beyond = (islice(part.finditer(data), most, None) for part, most in self.bounds.items())
        return self.magic.match(data) is not None and not any(map(any, beyond))


def _jpeg(file: BytesIO) -> ImageFile:
    """Hides EXIF records from Pillow, which joins and parses all of them, at a quadratic price."""
    data = file.getvalue()
    picture = JpegImageFile(BytesIO(data.replace(b"Exif\0\0", bytes(6))))
    found = _JPEG_EXIF.search(data)
    picture.info["exif"] = found[1] if found else b""
    return picture


class _Still(WebPImageFile):
    """Only its first picture is read: the frames that its decoder holds need not outlive it."""

    def load_prepare(self) -> None:
        """Makes room for the pixels, of which the decoder has two copies more."""
        self._decoder = None
        super().load_prepare()


KINDS = (
    Kind(re.compile(rb"\xff\xd8\xff"), _jpeg, {_SEGMENT: 10_000, _SCAN: 40}),
    Kind(re.compile(rb"\x89PNG\r\n\x1a\n"), PngImageFile, {_CHUNK: 10_000, _PACKED: 20}),
    Kind(re.compile(rb"RIFF.{4}WEBP", re.DOTALL), _Still, {}),
)
