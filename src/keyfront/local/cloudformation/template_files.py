"""Reads templates from this endpoint's S3, by any of its addresses."""

import re
from typing import Final
from urllib.parse import unquote, urlsplit

from keyfront.local.cloudformation.faults import StackError
from keyfront.local.cloudformation.kinds.kind import Task

_VIRTUAL: Final = re.compile(r"(?P<bucket>[a-z0-9.-]+?)\.s3([.-][a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|localhost)")


def read_url(url: str, region: str, endpoint: str) -> str:
    """Return the text of an object. Raises `StackError` if there is none."""
    address = urlsplit(url)
    host, path = address.hostname or "", unquote(address.path.lstrip("/"))
    found = _VIRTUAL.fullmatch(host)
    bucket, key = (found["bucket"], path) if found else (path.partition("/")[0], path.partition("/")[2])
    client = Task("", "", "", region, "", "", {}, endpoint).client("s3")
    try:
        body: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body.decode()
    except (client.exceptions.ClientError, UnicodeDecodeError, ValueError) as error:
        raise StackError(f"S3 error: Access Denied for {url}: {error}") from None
