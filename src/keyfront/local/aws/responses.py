"""Errors in the format that AWS clients read: XML, JSON or CBOR, as the request or its service has it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from keyfront.local.aws.service_models import writes_json

_CBOR: Final = "rpc-v2-cbor"
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

    def answer(self, headers: Mapping[str, str], service: str | None) -> EndpointResponse:
        """Return the response to a request with `headers` (names in lower case) for `service` (`None`: not named)."""
        told = {"__type": self.code, "message": self.message}
        more: list[tuple[str, str]] = []
        if headers.get("smithy-protocol") == _CBOR:
            kind, encoded, more = "application/cbor", _cbor(told), [("smithy-protocol", _CBOR)]
        elif _asks_for_json(headers) or writes_json(service):
            kind, encoded = "application/x-amz-json-1.1", json.dumps(told).encode()
        else:
            kind, encoded = "application/xml", self._xml(service)
        # REST-JSON clients read the code from a header first.
        named = [("Content-Type", kind), ("Content-Length", str(len(encoded))), ("x-amzn-ErrorType", self.code), *more]
        return EndpointResponse(self.status, named, encoded)

    def _xml(self, service: str | None) -> bytes:
        body = f"<Error><Code>{escape(self.code)}</Code><Message>{escape(self.message)}</Message></Error>"
        if service == "ec2":
            body = f"<Response><Errors>{body}</Errors></Response>"
        elif service not in (None, "s3"):
            body = f"<ErrorResponse>{body}</ErrorResponse>"
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()


class RefusedError(Exception):
    """Raised by a WSGI application to send an `AWSError` to the client."""

    def __init__(self, error: AWSError) -> None:
        super().__init__(error.message)
        self.error = error


def _asks_for_json(headers: Mapping[str, str]) -> bool:
    return "x-amz-target" in headers or headers.get("content-type", "").startswith(_JSON_TYPES)


def _cbor(texts: Mapping[str, str]) -> bytes:
    """Return a map of texts in CBOR (RFC 8949). Lengths have four bytes, whatever they are."""

    def text(value: str) -> bytes:
        encoded = value.encode()
        return b"\x7a" + len(encoded).to_bytes(4) + encoded

    return bytes([0xA0 + len(texts)]) + b"".join(text(name) + text(value) for name, value in texts.items())
