"""Where the edge runs functions: before the cache, and before a response is sent.

The order, as far as the guide has it: CloudFront decides first (host, protocol, geo restriction, signature), then runs
the viewer request function, then looks into the cache. That the signature comes before the function is assumed, and
what people observe: a preflight without cookies gets 403 before a function could answer it. A viewer response function
does not run for an error, for a custom error page, nor for a response that a viewer request function made (Developer
Guide, "CloudFront events that can trigger a Lambda@Edge function"). A response headers policy is applied before it
(assumed).
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Final

from keyfront.edge.behaviors import Behavior, BehaviorFunctions
from keyfront.edge.configuration import Distribution
from keyfront.edge.functions.events import (
    changed_request,
    changed_response,
    event,
    generated,
    is_response,
    response_shown,
)
from keyfront.edge.functions.failures import FunctionFailedError
from keyfront.edge.functions.lambda_edge import LambdaFunctions, failed
from keyfront.edge.functions.lambda_events import MOST_BODY
from keyfront.edge.functions.origins import towards
from keyfront.edge.functions.runtime import Execution, Runtime
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import EdgeResponse, Headers, page
from keyfront.edge.response.responding import edge_headers
from keyfront.inventory import EdgeFunction, FunctionAssociation
from keyfront.web.types import Message, Receive, Send

_log = logging.getLogger(__name__)

OnLog = Callable[[str, str, str, Iterable[str]], None]
"""Takes a function's name, the request's id, the distribution's id, and the lines of one run."""

_INVALID: Final = "The CloudFront function associated with the CloudFront distribution is invalid or could not run."
_X_CACHE: Final = {502: b"FunctionValidationError from cloudfront", 503: b"FunctionExecutionError from cloudfront"}
"""The forms are assumed."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A request that goes on to the cache."""

    viewer: Request
    behavior: Behavior
    """With the origin that the function chose."""
    receive: Receive
    """Receives the body, which the function may have replaced."""

    @property
    def origin_key(self) -> tuple[str, ...]:
        """What the choice of the origin adds to the cache key (assumed: another origin, another object)."""
        origin = self.behavior.origin
        host = self.behavior.host_header
        return (f"origin:{origin.domain_name}{origin.path} {host}",) if origin is not None else ()


class FunctionPhases:
    """Runs the functions of an edge's behaviors, until `aclose`."""

    def __init__(self, on_log: OnLog | None = None, lambdas: LambdaFunctions | None = None) -> None:
        self._runtime = Runtime()
        self._on_log = on_log
        self._lambdas = lambdas

    async def viewer_request(
        self, viewer: Request, distribution: Distribution, behavior: Behavior, receive: Receive
    ) -> Passed | EdgeResponse:
        """Run the viewer request function, if there is one. Return the request that goes on, or a response to send."""
        functions = behavior.functions
        assert functions is not None
        function = functions.viewer_request
        if function is None or (isinstance(function, FunctionAssociation) and self._lambdas is None):
            return Passed(viewer, behavior, receive)
        if isinstance(function, FunctionAssociation):
            return await self._lambda_request(function, viewer, behavior, receive)
        given = event("viewer-request", viewer, distribution)
        try:
            done = await self._run(function, given, viewer, distribution)
            if is_response(done.value):
                return generated(done.value)
            changed = changed_request(viewer, given["request"], done.value)
            if done.origin is not None:
                behavior = replace(towards(behavior, functions.targets, done.origin), functions=functions)
        except FunctionFailedError as failure:
            return _failed(failure, function, viewer)
        return Passed(changed, behavior, receive)

    def sending(self, viewer: Request, distribution: Distribution, behavior: Behavior, send: Send) -> Send:
        """Return a `send` that runs the viewer response function, if there is one, on the response to `viewer`."""
        functions = behavior.functions
        function = functions.viewer_response if functions is not None else None
        if functions is None or function is None:
            return send
        body: bytes | None = None
        is_replaced = is_sent = False

        async def changed(message: Message) -> None:
            nonlocal body, is_replaced, is_sent
            if message["type"] == "http.response.start":
                status, headers, body = await self._response(
                    function, functions, viewer, distribution, message["status"], message["headers"]
                )
                is_replaced = body is not None
                await send({**message, "status": status, "headers": headers})
            elif not is_replaced:
                await send(message)
            elif not is_sent:
                is_sent = True
                await send({"type": "http.response.body", "body": b"" if viewer.method == "HEAD" else body})

        return changed

    async def aclose(self) -> None:
        """End the functions' process."""
        await self._runtime.aclose()

    async def _response(
        self,
        function: EdgeFunction | FunctionAssociation,
        functions: BehaviorFunctions,
        viewer: Request,
        distribution: Distribution,
        status: int,
        headers: Headers,
    ) -> tuple[int, Headers, bytes | None]:
        if status >= 400 or any(name == b"x-cache" and value.startswith(b"Error") for name, value in headers):
            return status, headers, None
        try:
            if isinstance(function, FunctionAssociation):
                if self._lambdas is None:
                    return status, headers, None
                return *await self._lambdas.viewer_response(function, functions, viewer, status, headers), None
            given: dict[str, Any] = event("viewer-response", viewer, distribution)
            given["response"] = response_shown(status, headers)
            done = await self._run(function, given, viewer, distribution)
            return changed_response(headers, given["response"], done.value)
        except FunctionFailedError as failure:
            failing = failed if isinstance(function, FunctionAssociation) else _failed
            answer = failing(failure, function, viewer)  # type: ignore[arg-type]
        length = (b"content-length", b"%d" % len(answer.body))
        marks = [*edge_headers(answer.x_cache, distribution.marks), (b"x-amz-cf-id", viewer.id)]
        return answer.status, [*answer.headers, length, *marks], answer.body

    async def _lambda_request(
        self, function: FunctionAssociation, viewer: Request, behavior: Behavior, receive: Receive
    ) -> Passed | EdgeResponse:
        assert self._lambdas is not None
        assert behavior.functions is not None
        body: bytes | None = None
        if function.include_body and viewer.has_body:
            body, receive = await _body(receive)
        done = await self._lambdas.viewer_request(function, behavior.functions, viewer, body)
        if isinstance(done, EdgeResponse):
            return done
        changed, given = done
        return Passed(
            changed, behavior, receive if given is body or given is None else _again([_message(given)], receive)
        )

    async def _run(
        self, function: EdgeFunction, given: dict[str, Any], viewer: Request, distribution: Distribution
    ) -> Execution:
        """Run a function, and keep its log. Raises `FunctionFailedError` if it did not run to its end."""
        done = await self._runtime.run(function, given)
        lines = (*done.logs, *([f"{function.name}: {done.error}"] if done.error else []))
        viewer.logs.extend(f"{function.name}: {line}" for line in done.logs)
        if self._on_log is not None and lines:
            self._on_log(function.name, viewer.id.decode("ascii"), distribution.id, lines)
        if done.error:
            viewer.logs.append(lines[-1])
            raise FunctionFailedError(503, _INVALID)
        return done


async def _body(receive: Receive) -> tuple[bytes, Receive]:
    """Return the first bytes of a body, as many as a function may see, and a `receive` that gives all of it again."""
    seen: list[Message] = []
    size, more = 0, True
    while more and size <= MOST_BODY["viewer-request"]:
        message = await receive()
        seen.append(message)
        size += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
    return b"".join(message.get("body", b"") for message in seen), _again(seen, receive)


def _again(messages: Iterable[Message], receive: Receive) -> Receive:
    waiting = list(messages)

    async def received() -> Message:
        return waiting.pop(0) if waiting else await receive()

    return received


def _message(body: bytes) -> Message:
    return {"type": "http.request", "body": body, "more_body": False}


def _failed(failure: FunctionFailedError, function: EdgeFunction, viewer: Request) -> EdgeResponse:
    if failure.status == 502:
        viewer.logs.append(f"{function.name}: {failure}")
    # The text may have a name that the viewer sent.
    text = escape(str(failure), quote=False).encode("ascii", "xmlcharrefreplace").decode("ascii")
    answer = page(failure.status, text, "function-error", viewer.id)
    answer.x_cache = _X_CACHE[failure.status]
    return answer
