"""Pictures in a bucket of S3, or of a store that speaks as S3 does.

The bucket is private and stays so: people get its pictures from the portal alone.  No ACL is sent
with an object, because buckets of today refuse every ACL, and private is what none means.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from datetime import datetime
from typing import Any, TypeVar

from portal.core.settings import setting
from portal.profile import filenames, roads
from portal.profile.roads import Place

T = TypeVar("T")
KIND = {"ContentType": "image/webp", "CacheControl": "private, max-age=31536000, immutable"}
LARGEST = 4 * 1024 * 1024  # bytes: far more than any of ours has, so that it is none of ours


def save(name: str, files: Mapping[int, bytes]) -> None:
    """As `stores.save`.  What a crash or a silent store leaves behind is found by `kept_before`."""
    objects = {filenames.path(name, side): data for side, data in files.items()}

    def put(client: Any, bucket: str) -> None:
        for key, data in objects.items():
            client.put_object(Bucket=bucket, Key=key, Body=data, **KIND)

    try:
        _ask(put)
    except OSError:
        with suppress(OSError):
            remove(name)
        raise


def read(name: str, side: int) -> bytes | None:
    """As `stores.read`."""
    try:
        key = filenames.path(name, side)
    except ValueError:
        return None
    return _ask(lambda client, bucket: _read(client, bucket, key))


def exists(name: str, side: int) -> bool:
    """As `stores.exists`."""
    try:
        key = filenames.path(name, side)
    except ValueError:
        return False
    return _ask(lambda client, bucket: _exists(client, bucket, key))


def kept_before(moment: datetime) -> Iterator[set[str]]:
    """As `stores.kept_before`."""
    for folder in folders():
        old = (each for each in _objects(folder) if each["LastModified"] < moment)
        yield {name for each in old if (name := filenames.named(_file(each)))}


def folders() -> list[str]:
    """As `stores.Store.folders`."""
    told = (each["Prefix"].removesuffix("/") for each in _told("CommonPrefixes", Delimiter="/"))
    return sorted(name for name in told if filenames.FOLDER.fullmatch(name))


def listed(folder: str) -> dict[str, dict[int, int]]:
    """As `stores.Store.listed`."""
    found: dict[str, dict[int, int]] = {}
    for each in _objects(folder):
        if ours := filenames.parsed(_file(each)):
            found.setdefault(ours[0], {})[ours[1]] = each["Size"]
    return found


def remove(name: str) -> None:
    """As `stores.remove`."""
    start = filenames.of_picture(name)

    def delete(client: Any, bucket: str) -> None:
        for each in client.list_objects_v2(Bucket=bucket, Prefix=start).get("Contents", []):
            client.delete_object(Bucket=bucket, Key=each["Key"])

    _ask(delete)


def place() -> Place:
    """The bucket of the settings."""
    return Place(
        bucket=setting("AWS_STORAGE_BUCKET_NAME"),
        endpoint=setting("AWS_S3_ENDPOINT_URL"),
        region=setting("AWS_S3_REGION_NAME"),
        key=setting("AWS_ACCESS_KEY_ID"),
        secret=setting("AWS_SECRET_ACCESS_KEY"),
    )


def _ask(work: Callable[[Any, str], T]) -> T:
    there = place()
    return roads.to(there).ask(lambda client: work(client, there.bucket))


def _read(client: Any, bucket: str, key: str) -> bytes | None:
    try:
        answer = client.get_object(Bucket=bucket, Key=key)
    except client.exceptions.NoSuchKey:
        return None
    with closing(answer["Body"]) as body:
        data: bytes = body.read(LARGEST + 1)
    if len(data) > LARGEST:
        return None
    if len(data) != answer.get("ContentLength", len(data)):
        raise OSError("The bucket's answer was cut short.")
    return data


def _exists(client: Any, bucket: str, key: str) -> bool:
    try:
        client.head_object(Bucket=bucket, Key=key)
    except client.exceptions.ClientError as err:
        if err.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def _objects(folder: str) -> Iterator[dict[str, Any]]:
    return _told("Contents", Prefix=f"{folder}/")


def _told(what: str, **which: str) -> Iterator[dict[str, Any]]:
    """What a list says, a page of a thousand at a time."""
    page = _page(**which)
    while True:
        yield from page.get(what, [])
        if not page.get("IsTruncated"):
            return
        page = _page(**which, ContinuationToken=page["NextContinuationToken"])


def _page(**which: str) -> dict[str, Any]:
    return _ask(lambda client, bucket: client.list_objects_v2(Bucket=bucket, **which))


def _file(told: Mapping[str, Any]) -> str:
    return str(told["Key"]).partition("/")[2]
