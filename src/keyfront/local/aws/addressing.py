"""Reads from a request's head its host, the service that it was signed for, and its bucket."""

import re
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import parse_qs

from keyfront.web.types import Scope

_CREDENTIAL: Final = re.compile(r"Credential=([^,\s]+)")
_BASE: Final = r"(?:localhost(?:\.localstack\.cloud)?|amazonaws\.com(?:\.cn)?)"
_S3_HOST: Final = re.compile(rf"(?:(?P<bucket>.+)\.)?s3(?:[.-][a-z0-9-]+)*\.{_BASE}")
# boto3 puts the bucket directly before the endpoint's host, without a label that names S3.
_BARE_HOST: Final = re.compile(r"(?P<bucket>[a-z0-9][a-z0-9.-]+)\.localhost(?:\.localstack\.cloud)?")
_S3_CONTROL_PATH: Final = b"/v20180820/"


@dataclass(frozen=True)
class Target:
    """Where a request goes, according to its head.

    `service` is the service in its SigV4 scope, or `None` if it is not signed. `bucket` is the S3 bucket in its host,
    or `None` if there is none or the path names it.
    """

    host: str
    service: str | None
    bucket: str | None
    path: bytes

    @classmethod
    def of(cls, scope: Scope, headers: dict[str, str]) -> Self:
        """Return the target of an ASGI scope with these headers (names in lower case)."""
        host, path = host_name(headers.get("host", "")), raw_path(scope)
        service = signed_service(headers.get("authorization", ""), scope["query_string"])
        bucket = None
        if service in (None, "s3") and not path.startswith(_S3_CONTROL_PATH) and not _is_query_call(headers):
            bucket = virtual_bucket(host)
        return cls(host, service, bucket, path)


def raw_path(scope: Scope) -> bytes:
    """Return the path as the client sent it. Decoding would lose `%2F`, `+` and `//` in keys."""
    path: Any = scope["raw_path"]
    return bytes(path)


def host_name(header: str) -> str:
    """Return the name in a `Host` header, in lower case, without port and brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.rpartition(":")[0].lower() if header.count(":") == 1 else header.lower()


def signed_service(authorization: str, query: bytes) -> str | None:
    """Return the service in a SigV4 (or SigV4a) credential scope, `AKID/DATE[/REGION]/SERVICE/aws4_request`.

    Returns `None` if there is no such scope. Source: IAM User Guide, "Elements of an AWS API request signature".
    """
    found = _CREDENTIAL.search(authorization)
    if found:
        credential = found[1]
    elif b"X-Amz-Credential=" in query:
        credential = parse_qs(query.decode("latin-1")).get("X-Amz-Credential", [""])[0]
    else:
        return None
    parts = credential.split("/")
    return parts[-2].lower() if len(parts) >= 4 and parts[-1] == "aws4_request" else None


def virtual_bucket(host: str) -> str | None:
    """Return the bucket in a virtual-hosted S3 address: `BUCKET.s3[.REGION].BASE`, or `BUCKET.localhost`."""
    if found := _S3_HOST.fullmatch(host):
        return found["bucket"]
    found = _BARE_HOST.fullmatch(host)
    return found["bucket"] if found else None


def _is_query_call(headers: dict[str, str]) -> bool:
    """Return whether it calls another service, such as `AssumeRoleWithWebIdentity`, unsigned, at `sts.localhost`."""
    form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return form or "x-amz-target" in headers
