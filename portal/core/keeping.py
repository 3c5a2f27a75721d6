"""Whether the bucket that keeps pictures is named so that it can be reached, and safely."""

import re
from collections.abc import Mapping
from typing import Any

from portal.core.danger import Danger, is_clear, split

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")  # older ones had capitals and _
REGION = re.compile(r"[A-Za-z0-9-]*")
WHOLE = "Give it like https://s3.example.org, without the bucket's name."


def dangers(values: Mapping[str, Any]) -> list[Danger]:
    """What is unsafe about the bucket; nothing without one.  Without keys a role lets us in."""
    if not values["AWS_STORAGE_BUCKET_NAME"]:
        return []
    name = Danger(
        "AWS_STORAGE_BUCKET_NAME", "is no name of a bucket.", "Give the name alone.", always=True
    )
    region = Danger("AWS_S3_REGION_NAME", "is no region.", "Use one like eu-west-1.", always=True)
    found = [
        (NAME.fullmatch(values["AWS_STORAGE_BUCKET_NAME"]), name),
        (REGION.fullmatch(values["AWS_S3_REGION_NAME"]), region),
    ]
    odd = [danger for fine, danger in found if not fine]
    return [*odd, *_half(values), *_endpoint(values["AWS_S3_ENDPOINT_URL"])]


def _half(values: Mapping[str, Any]) -> list[Danger]:
    """A key and its secret are of use together alone."""
    names = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
    missing = [name for name in names if not values[name]]
    cure = "Set both, or neither where the machine has a role that may use the bucket."
    return [Danger(missing[0], "is missing.", cure, always=True)] if len(missing) == 1 else []


def _endpoint(url: str) -> list[Danger]:
    parts, name = split(url), "AWS_S3_ENDPOINT_URL"
    is_web = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    if url and not (is_web and not parts.query and not parts.fragment):
        return [Danger(name, "is no address of a store.", WHOLE, always=True)]
    return [Danger(name, "is plain http: pictures cross the net.", WHOLE)] if is_clear(url) else []
