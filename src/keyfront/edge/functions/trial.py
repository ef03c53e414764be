"""Runs a CloudFront function on events that people write: for `keyfront functions` and for tests."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from keyfront.edge.functions.events import (
    changed_request,
    changed_response,
    generated,
    is_response,
    response_shown,
)
from keyfront.edge.functions.failures import FunctionFailedError
from keyfront.edge.functions.runtime import Runtime
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import Headers
from keyfront.errors import InputError
from keyfront.inventory import EdgeFunction, KeyValues

RUNTIMES = ("cloudfront-js-1.0", "cloudfront-js-2.0")


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What a function made of an event."""

    value: Any
    """The request or response that it returned; `None` if it failed."""
    error: str
    """Why viewers would get 502 or 503; empty if they would not."""
    logs: tuple[str, ...]
    utilization: int
    """In per cent of the allowed time."""
    milliseconds: float
    """Processor time."""


class Trial:
    """A function under test, until `close`. Its process starts with the first event."""

    def __init__(self, code: str, *, runtime: str = RUNTIMES[1], pairs: Mapping[str, str] | None = None) -> None:
        """`pairs` is the content of the function's key value store. Raises `InputError` for an unknown runtime."""
        if runtime not in RUNTIMES:
            raise InputError(f"the runtime is {runtime!r}: choose {' or '.join(RUNTIMES)}")
        store = KeyValues("store", "1", "", "", tuple((pairs or {}).items())) if pairs is not None else None
        self._function = EdgeFunction("function", "function", runtime, code, "1", store)
        self._runner = asyncio.Runner()
        self._engine = Runtime()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, event: Mapping[str, Any]) -> TrialResult:
        """Run the function on an event, and check its result as an edge does. Raises `InputError` for a bad event."""
        kind = checked_event(event)
        done = self._runner.run(self._engine.run(self._function, event))
        error = done.error or _refusal(event, kind, done.value)
        return TrialResult(None if error else done.value, error, done.logs, done.utilization, round(done.cpu * 1000, 3))

    def close(self) -> None:
        """End the process."""
        self._runner.run(self._engine.aclose())
        self._runner.close()


def checked_event(event: Any) -> str:
    """Return an event's type. Raises `InputError` if it is not an event of CloudFront Functions."""
    context = event.get("context") if isinstance(event, Mapping) else None
    kind = context.get("eventType") if isinstance(context, Mapping) else None
    if kind not in ("viewer-request", "viewer-response"):
        raise InputError(
            f"context.eventType of the event is {kind!r}: write viewer-request or viewer-response. "
            "See the guide's page on the event structure"
        )
    for part in ("request", "response") if kind == "viewer-response" else ("request",):
        if not isinstance(event.get(part), Mapping):
            raise InputError(f"the event has no {part}, which must be an object")
    if not isinstance(event["request"].get("uri"), str):
        raise InputError("the event's request has no uri, which must be a string such as /index.html")
    return str(kind)


def _refusal(event: Mapping[str, Any], kind: str, value: Any) -> str:
    try:
        if kind == "viewer-response":
            headers = _lines(event["response"].get("headers", {}))
            shown = response_shown(200, headers)
            shown["cookies"] = event["response"].get("cookies", {})
            changed_response(headers, shown, value)
        elif is_response(value):
            generated(value)
        else:
            changed_request(_viewer(event), _complete(event["request"]), value)
    except FunctionFailedError as failure:
        return str(failure)
    return ""


def _complete(request: Mapping[str, Any]) -> dict[str, Any]:
    return {"method": "GET", "querystring": {}, "headers": {}, "cookies": {}, **request}


def _viewer(event: Mapping[str, Any]) -> Request:
    request = event["request"]
    return Request(
        {
            "method": request.get("method", "GET"),
            "scheme": "https",
            "http_version": "1.1",
            "raw_path": request["uri"].encode("utf-8", "replace"),
            "query_string": b"",
            "client": ("127.0.0.1", 0),
            "headers": _lines(request.get("headers", {})),
        }
    )


def _lines(shown: Any) -> Headers:
    if not isinstance(shown, Mapping):
        raise InputError("the headers of the event must be an object")
    lines: Headers = []
    for name, one in shown.items():
        if not isinstance(one, Mapping) or not isinstance(one.get("value"), str):
            raise InputError(f'the header {name!r} of the event must be an object such as {{"value": "text"}}')
        values = one.get("multiValue") or [one]
        lines += [(name.lower().encode("latin-1", "replace"), str(each["value"]).encode("utf-8")) for each in values]
    return lines
