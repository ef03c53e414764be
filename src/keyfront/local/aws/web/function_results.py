"""The HTTP answer that a function's result means, in both payload formats."""

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
    """A result that is not a response. The client gets an internal error, and the log gets this text."""


def message(status: int, text: str, headers: Iterable[tuple[str, str]] = ()) -> EndpointResponse:
    """An answer of API Gateway's own."""
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    return EndpointResponse(status, [*_measured("application/json", body), *headers], body)


def reply(payload: bytes, version: Format) -> EndpointResponse:
    """What `payload`, a function's result, means. Raises `ReplyError`.

    In format 2.0 a result without a `statusCode` is itself the body. Source: API Gateway Developer Guide, "Create AWS
    Lambda proxy integrations for HTTP APIs".
    """
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        raise ReplyError("the result is no JSON") from None
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
        raise ReplyError(f"statusCode {said['statusCode']!r} is no status") from None
    body = _body(said)
    several = said.get("multiValueHeaders") or {}
    single = {name: value for name, value in (said.get("headers") or {}).items() if name not in several}
    named = [(str(name).lower(), _text(value)) for name, value in single.items()]
    named += [(str(name).lower(), _text(value)) for name, values in several.items() for value in values]
    named += [("set-cookie", str(cookie)) for cookie in said.get("cookies") or ()]
    if any(set("\r\n\0") & set(name + value) for name, value in named):
        raise ReplyError("a header holds a line end")
    kept = [pair for pair in named if pair[0] not in _CONNECTION]
    if body and not any(name == "content-type" for name, _ in kept):
        kept.append(("content-type", "text/plain;charset=UTF-8" if not said.get("isBase64Encoded") else "text/plain"))
    return EndpointResponse(status, [*kept, ("content-length", str(len(body)))], body)


def _body(said: dict[str, Any]) -> bytes:
    body = said.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        # Assumed: what is no text is sent as JSON.
        return json.dumps(body).encode()
    if not said.get("isBase64Encoded"):
        return body.encode("utf-8", "replace")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise ReplyError("the body is not the base64 that isBase64Encoded says") from None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _measured(kind: str, body: bytes) -> list[tuple[str, str]]:
    return [("content-type", kind), ("content-length", str(len(body)))]
