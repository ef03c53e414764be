"""Amazon S3's host names: recognises them, and finds the bucket and region that they name.

Source: S3 User Guide, "Virtual hosting of buckets" (BUCKET.s3.REGION.amazonaws.com, BUCKET.s3-REGION.…,
BUCKET.s3.dualstack.REGION.…, BUCKET.s3.amazonaws.com) and "Website endpoints".
"""

import re
from typing import NamedTuple

_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?P<kind>[.-](?:[a-z0-9-]+\.)*)amazonaws\.com(?:\.cn)?")
_REGION = re.compile(r"(?:\.dualstack)?(?:[.-](?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?\.")


class S3Host(NamedTuple):
    """The bucket and region that a host of S3 names."""

    bucket: str
    """Empty if the path names the bucket."""
    region: str
    """`us-east-1` if the name has no region; empty for an access point, a website and other special endpoints."""
    website: bool


def s3_host(host: str) -> S3Host | None:
    """Return what `host` (lower case, without a port) names in S3; `None` for any other host."""
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    region = _REGION.fullmatch(found["kind"])
    return S3Host(
        found["bucket"] or "",
        "" if region is None else region["region"] or "us-east-1",
        found["kind"].startswith("-website"),
    )


def is_s3(host: str) -> bool:
    """Return whether `host`, with a port or not, is a host of S3."""
    return s3_host(host.partition(":")[0]) is not None
