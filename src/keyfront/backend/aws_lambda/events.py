"""Turn Lambda events into requests: HTTP API (payload 2.0), function URL, REST API (1.0), load balancer.

Source: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs" and "Lambda proxy
integrations in API Gateway"; Lambda Developer Guide, "Invoking Lambda function URLs" and "Process Application Load
Balancer requests with Lambda".
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import unquote

from keyfront.backend.service.exchange import Fields, WholeRequest

Kind = Literal["http", "rest", "balancer", "balancer-multi"]
"""The sender's response format; `balancer-multi`: a load balancer with multi-value headers."""


class MalformedError(Exception):
    """An event that is not an HTTP request. Its text names the missing part, and repeats nothing of the event."""


@dataclass(frozen=True, slots=True)
class Event:
    """A request, and its sender's format."""

    kind: Kind
    request: WholeRequest


def read(event: object, *, base_path: str = "") -> Event:
    """Return the request in `event`. Raises `MalformedError`.

    `base_path` is the path prefix of a custom domain's mapping. Claims come only from `requestContext`, which the
    gateway writes; anyone can write a header.
    """
    if not isinstance(event, Mapping):
        raise MalformedError("the event is not a JSON object")
    context = event.get("requestContext")
    if not isinstance(context, Mapping):
        raise MalformedError(
            "the event has no requestContext: it does not come from an API, a function URL or a load balancer"
        )
    if isinstance(context.get("http"), Mapping):
        return Event("http", _http(event, context, base_path))
    if "elb" in context:
        kind: Kind = "balancer-multi" if isinstance(event.get("multiValueHeaders"), Mapping) else "balancer"
        return Event(kind, _asked(event, event.get("httpMethod"), event.get("path"), base_path, None))
    if "httpMethod" in event:
        claims = _claims(context.get("authorizer"))
        return Event("rest", _asked(event, event["httpMethod"], event.get("path"), base_path, claims))
    raise MalformedError("the event has neither requestContext.http nor httpMethod")


def _http(event: Mapping[str, object], context: Mapping[str, object], base_path: str) -> WholeRequest:
    http = cast("Mapping[str, object]", context["http"])
    path, stage = event.get("rawPath", http.get("path")), context.get("stage")
    if isinstance(path, str) and isinstance(stage, str) and stage != "$default":
        path = _without(f"/{stage}", path)
    authorizer = context.get("authorizer")
    claims = _claims(authorizer.get("jwt")) if isinstance(authorizer, Mapping) else None
    return _asked(event, http.get("method"), path, base_path, claims)


def _asked(
    event: Mapping[str, object], method: object, path: object, base_path: str, claims: Mapping[str, object] | None
) -> WholeRequest:
    if not isinstance(method, str) or not method:
        raise MalformedError("the event has no method")
    if not isinstance(path, str):
        raise MalformedError("the event has no path")
    if base_path:
        path = _without(base_path, path)
    # Assumed: no sender decodes a path twice. HTTP APIs decode it once; then only keys that contain "%41" are lost.
    return WholeRequest(method.upper(), unquote(path) or "/", Fields(_fields(event)), _body(event), claims)


def _without(prefix: str, path: str) -> str:
    """Return `path` without `prefix`, if the prefix ends at a segment's end."""
    return path[len(prefix) :] or "/" if path == prefix or path.startswith(f"{prefix}/") else path


def _claims(authorizer: object) -> Mapping[str, object] | None:
    claims = authorizer.get("claims") if isinstance(authorizer, Mapping) else None
    return claims if isinstance(claims, Mapping) else None


def _fields(event: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    many, single = event.get("multiValueHeaders"), event.get("headers")
    if isinstance(many, Mapping):
        for name, values in many.items():
            if not isinstance(values, list):
                raise MalformedError("a header's values in the event are not a list")
            yield from ((str(name), str(value)) for value in values)
    elif isinstance(single, Mapping):
        yield from ((str(name), str(value)) for name, value in single.items())
    elif single is not None:
        raise MalformedError("the event's headers are not a JSON object")


def _body(event: Mapping[str, object]) -> bytes:
    body = event.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedError("the event's body is not text")
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedError("the event says that its body is base64, but it is not") from None
