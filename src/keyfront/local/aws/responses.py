"""Errors in the format that AWS clients read: XML for S3 and the query protocols, JSON for all others."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

_JSON_TYPES: Final = ("application/json", "application/x-amz-json-1.0", "application/x-amz-json-1.1")


@dataclass(frozen=True)
class EndpointResponse:
    """A whole HTTP response. Header names and values must be ISO 8859-1 text."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class AWSError:
    """An error, before it is written in a protocol's format."""

    status: int
    code: str
    message: str
    json: bool = False
    """Whether the service writes JSON for every request."""

    def answer(self, headers: Mapping[str, str], service: str | None) -> EndpointResponse:
        """Return the response to a request with `headers` (names in lower case) for `service` (`None`: not named)."""
        if self.json or "x-amz-target" in headers or headers.get("content-type", "").startswith(_JSON_TYPES):
            kind = "application/x-amz-json-1.1"
            body = json.dumps({"__type": self.code, "message": self.message})
        else:
            kind = "application/xml"
            body = f"<Error><Code>{escape(self.code)}</Code><Message>{escape(self.message)}</Message></Error>"
            if service == "ec2":
                body = f"<Response><Errors>{body}</Errors></Response>"
            elif service not in (None, "s3"):
                body = f"<ErrorResponse>{body}</ErrorResponse>"
            body = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'
        encoded = body.encode()
        # REST-JSON clients read the code from a header first.
        named = [("Content-Type", kind), ("Content-Length", str(len(encoded))), ("x-amzn-ErrorType", self.code)]
        return EndpointResponse(self.status, named, encoded)


class RefusedError(Exception):
    """Raised by a WSGI application to send an `AWSError` to the client."""

    def __init__(self, error: AWSError) -> None:
        super().__init__(error.message)
        self.error = error
