"""Turns a function's result into an HTTP response, in both payload formats."""

import base64
import binascii
import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final, Literal

from keyfront.local.aws.responses import EndpointResponse

Format = Literal["1.0", "2.0"]

_CONNECTION: Final = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"})


class ReplyError(ValueError):
    """A result that is not a response. The client gets an internal error. The log gets this text."""


def message(
    status: int, text: str, headers: Iterable[tuple[str, str]] = (), member: str = "message"
) -> EndpointResponse:
    """Return a response from API Gateway or Lambda itself."""
    body = json.dumps({member: text}, separators=(",", ":")).encode()
    return EndpointResponse(status, [*_measured("application/json", body), *headers], body)


def reply(payload: bytes, version: Format) -> EndpointResponse:
    """Return the response for `payload`, a function's result. Raises `ReplyError`.

    In format 2.0, a result without a `statusCode` is the body itself. Source: API Gateway Developer Guide, "Create AWS
    Lambda proxy integrations for HTTP APIs".
    """
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        raise ReplyError("the result is not JSON") from None
    if not isinstance(said, dict) or "statusCode" not in said:
        if version == "1.0":
            raise ReplyError("the result has no statusCode, which payload format 1.0 needs")
        body = said.encode() if isinstance(said, str) else payload
        return EndpointResponse(200, _measured("application/json", body), body)
    return _stated(said)


def _stated(said: dict[str, Any]) -> EndpointResponse:
    try:
        status = int(said["statusCode"])
        HTTPStatus(status)
    except (TypeError, ValueError):
        raise ReplyError(f"statusCode {said['statusCode']!r} is not an HTTP status") from None
    body = _body(said)
    several = said.get("multiValueHeaders") or {}
    single = {name: value for name, value in (said.get("headers") or {}).items() if name not in several}
    named = [(str(name).lower(), _text(value)) for name, value in single.items()]
    named += [(str(name).lower(), _text(value)) for name, values in several.items() for value in values]
    named += [("set-cookie", str(cookie)) for cookie in said.get("cookies") or ()]
    if any(set("\r\n\0") & set(name + value) for name, value in named):
        raise ReplyError("a header contains a line break")
    kept = [pair for pair in named if pair[0] not in _CONNECTION]
    if body and not any(name == "content-type" for name, _ in kept):
        kept.append(("content-type", "text/plain;charset=UTF-8" if not said.get("isBase64Encoded") else "text/plain"))
    return EndpointResponse(status, [*kept, ("content-length", str(len(body)))], body)


def _body(said: dict[str, Any]) -> bytes:
    body = said.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        # Assumed: a body that is not text is sent as JSON.
        return json.dumps(body).encode()
    if not said.get("isBase64Encoded"):
        return body.encode("utf-8", "replace")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise ReplyError("isBase64Encoded is true, but the body is not base64") from None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _measured(kind: str, body: bytes) -> list[tuple[str, str]]:
    return [("content-type", kind), ("content-length", str(len(body)))]
