"""Lists the files of a log in S3, and brings them to this machine in parts, so that the disk holds a part at a time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from keyfront.account.logs.files import wanted
from keyfront.account.logs.values import LogFile, Window
from keyfront.errors import InputError
from keyfront.keystore.services import asked

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ADDRESS: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?")


@dataclass(frozen=True, slots=True)
class StoredLog:
    """An object in a bucket."""

    bucket: str
    key: str
    size: int


def is_address(text: str) -> bool:
    """Return whether `text` names a place in S3."""
    return text.startswith("s3:")


def find(client: "S3Client", address: str, window: Window) -> tuple[list[StoredLog], int]:
    """Return the objects below `s3://BUCKET/PREFIX`, and how many were left out by their names.

    Raises `InputError` for an address that is not one, and `ServiceError` if S3 refuses.
    """
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        raise InputError(f"{address[:200]!r} is not an address in S3: write s3://BUCKET/PREFIX")
    bucket, prefix = parts[1], parts[2] or ""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)

    def listed() -> tuple[list[StoredLog], int]:
        found, left_out = [], 0
        for page in pages:
            for item in page.get("Contents", ()):
                if item["Key"].endswith("/") or not item["Size"]:
                    continue
                if wanted(item["Key"], window):
                    found.append(StoredLog(bucket, item["Key"], item["Size"]))
                else:
                    left_out += 1
        return found, left_out

    return asked(f"s3://{bucket}/{prefix}", "s3:ListBucket", listed)


def fetch(client: "S3Client", part: list[StoredLog], folder: Path) -> Iterator[LogFile]:
    """Yield the objects as files in `folder`. Raises `ServiceError`."""
    for number, each in enumerate(part):
        # The name carries the distribution and the hour. It comes from the bucket, so only harmless parts of it stay.
        base = re.sub(r"[^A-Za-z0-9._-]", "_", each.key.rpartition("/")[2])[-120:]
        path = folder / f"{number}" / base
        path.parent.mkdir(parents=True, exist_ok=True)
        asked(
            f"s3://{each.bucket}/{each.key}",
            "s3:GetObject",
            partial(client.download_file, each.bucket, each.key, str(path)),
        )
        yield LogFile(path, f"s3://{each.bucket}/{each.key}", each.size)
