"""Runs Lambda@Edge functions: before the cache, before and after an origin, and before a response is sent.

The function's version runs where the account's Lambda API is: on the laptop, or at Amazon. Source: Developer Guide,
"CloudFront events that can trigger a Lambda@Edge function".
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from html import escape
from typing import Any, Final

from keyfront.edge.behaviors import Behavior, BehaviorFunctions
from keyfront.edge.functions import lambda_events as events
from keyfront.edge.functions.failures import FunctionFailedError, ThrottledError
from keyfront.edge.functions.headers import Fields, served, without_length
from keyfront.edge.origin.client import Ask, Made, OriginRequest, OriginResponse
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import GENERATED_BY_LAMBDA, EdgeResponse, Headers, page
from keyfront.inventory import FunctionAssociation, Origin

_log = logging.getLogger(__name__)

Invoke = Callable[[str, bytes], tuple[bytes, str]]
"""Takes a function's ARN with its version and an event. Returns the result, and an error or an empty text. Blocks.

Raises `ThrottledError`.
"""

LAMBDA_EDGE_REGION: Final = "us-east-1"
_INVALID: Final = (
    "The Lambda function associated with the CloudFront distribution is invalid "
    "or doesn't have the required permissions."
)
_X_CACHE: Final = {502: b"LambdaValidationError from cloudfront", 503: b"LambdaExecutionError from cloudfront"}
_LIMIT_EXCEEDED: Final = b"LambdaLimitExceeded from cloudfront"
_TOO_MANY: Final = "TooManyRequestsException"
_COUNTRY: Final = "cloudfront-viewer-country"


class LambdaFunctions:
    """The Lambda@Edge functions of an edge."""

    def __init__(self, invoke: Invoke) -> None:
        self._invoke = invoke

    async def viewer_request(
        self, function: FunctionAssociation, functions: BehaviorFunctions, viewer: Request, body: bytes | None
    ) -> tuple[Request, bytes | None] | EdgeResponse:
        """Run a viewer request function. Return the request and its body, or the response to send."""
        before = Fields.of(viewer.headers)
        shown = _request_shown(viewer, viewer.method, viewer.path, viewer.query, before)
        if function.include_body and body is not None:
            most = events.MOST_BODY["viewer-request"]
            shown["body"] = events.body_shown(body[:most], truncated=len(body) > most)
        try:
            value = await self._run(function, functions, viewer, shown)
            if "status" in value:
                return _generated(value, "viewer-request")
            path, query = events.target_of(value)
            fields = events.fields_of(value, before, "viewer-request")
            if _COUNTRY in fields.values and _COUNTRY not in before.values:
                raise events.refused(f"The function tried to add a disallowed header: {_COUNTRY}")
            if value.get("method", viewer.method) != viewer.method:
                raise events.refused("The method is read-only.")
            replaced = events.request_body(value, events.MOST_BODY["viewer-request"])
        except FunctionFailedError as failure:
            return failed(failure, function, viewer)
        headers = fields.written(viewer.headers)
        if replaced is not None:
            headers = [*without_length(headers), (b"content-length", b"%d" % len(replaced))]
        return viewer.with_target(path, query, headers), body if replaced is None else replaced

    async def viewer_response(
        self,
        function: FunctionAssociation,
        functions: BehaviorFunctions,
        viewer: Request,
        status: int,
        headers: Headers,
    ) -> tuple[int, Headers]:
        """Run a viewer response function. Return status and headers. Raises `FunctionFailedError`."""
        before = Fields.of(headers)
        shown = _request_shown(viewer, viewer.method, viewer.path, viewer.query, Fields.of(viewer.headers))
        value = await self._run(function, functions, viewer, shown, events.response_shown(status, before))
        fields = events.fields_of(value, before, "viewer-response")
        if events.status_of(value) != status:
            raise events.refused("The status of a viewer response is read-only.")
        return status, fields.written(headers)

    async def around(self, behavior: Behavior, viewer: Request, asked: OriginRequest, ask: Ask) -> OriginResponse:
        """Ask an origin, with the functions before and after it."""
        functions, origin = behavior.functions, behavior.origin
        assert functions is not None
        assert origin is not None
        function: FunctionAssociation | None = None
        try:
            if (function := functions.origin_request) is not None:
                changed = await self._origin_request(function, functions, behavior, viewer, asked)
                if isinstance(changed, EdgeResponse):
                    return _made(changed)
                behavior, asked = changed
            response = await ask(behavior.origin or origin, behavior, viewer, asked)
            if (function := functions.origin_response) is not None:
                try:
                    return await self._origin_response(function, functions, viewer, asked, response)
                except BaseException:
                    response.close()
                    raise
        except FunctionFailedError as failure:
            assert function is not None
            return _made(failed(failure, function, viewer))
        return response

    async def _origin_request(
        self,
        function: FunctionAssociation,
        functions: BehaviorFunctions,
        behavior: Behavior,
        viewer: Request,
        asked: OriginRequest,
    ) -> tuple[Behavior, OriginRequest] | EdgeResponse:
        origin = behavior.origin
        assert origin is not None
        host = viewer.host if "host" in behavior.rules.sent_headers else origin.domain_name
        headers: Headers = [(b"host", host.encode("latin-1")), *asked.headers]
        if asked.content_length:
            headers.append((b"content-length", asked.content_length.encode("ascii")))
        before = Fields.of(headers)
        shown = _request_shown(viewer, asked.method, asked.path, asked.query, before)
        shown["origin"] = events.origin_shown(origin)
        body, most = asked.body, events.MOST_BODY["origin-request"]
        if function.include_body and body is not None:
            seen, body = await _peeked(body, most)
            shown["body"] = events.body_shown(seen[:most], truncated=len(seen) > most)
        value = await self._run(function, functions, viewer, shown)
        if "status" in value:
            return _generated(value, "origin-request")
        path, query = events.target_of(value)
        fields = events.fields_of(value, before, "origin-request")
        chosen = events.changed_origin(origin, value.get("origin", shown["origin"]))
        replaced, length = events.request_body(value, most), asked.content_length
        if replaced is not None:
            body, length = _once(replaced), str(len(replaced))
        named = fields.values.get("host", (host,))[0]
        written = [item for item in fields.written(headers) if item[0] not in (b"host", b"content-length")]
        request = OriginRequest(asked.method, path, query, written, body, length, "" if named == host else named)
        return _towards(behavior, origin, chosen), request

    async def _origin_response(
        self,
        function: FunctionAssociation,
        functions: BehaviorFunctions,
        viewer: Request,
        asked: OriginRequest,
        response: OriginResponse,
    ) -> OriginResponse:
        before = Fields.of(response.headers)
        shown = _request_shown(viewer, asked.method, asked.path, asked.query, Fields.of(asked.headers))
        value = await self._run(function, functions, viewer, shown, events.response_shown(response.status, before))
        status = events.status_of(value)
        fields = events.fields_of(value, before, "origin-response")
        headers, body = fields.written(response.headers), None
        if value.get("body") is not None:
            body = events.response_body(value, fields, "origin-response")
        if body is None:
            length = [item for item in response.headers if item[0] == b"content-length"]
            headers = [*(item for item in headers if item[0] != b"content-length"), *length]
            return response.changed(status, headers)
        response.close()
        return OriginResponse(Made(status, [*without_length(headers), _length(body)], body))

    async def _run(
        self,
        function: FunctionAssociation,
        functions: BehaviorFunctions,
        viewer: Request,
        request: Mapping[str, Any],
        response: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the function's result. Raises `FunctionFailedError`."""
        config = {
            "distributionDomainName": functions.domain_name,
            "distributionId": functions.distribution_id,
            "requestId": viewer.id.decode("ascii"),
        }
        event = events.record(function.event_type, config, request, response)
        payload, error = await asyncio.to_thread(self._invoke, function.arn, event)
        if error:
            viewer.logs.append(f"{_name(function)}: {error}")
            _log.warning("the Lambda function %s failed: %s", function.arn, error)
            raise FunctionFailedError(503, _INVALID)
        return events.result_of(payload)


def invoke_with(client: Callable[[], Any]) -> Invoke:
    """Return an `Invoke` that calls the Lambda API with the client that `client` returns."""

    def invoke(arn: str, event: bytes) -> tuple[bytes, str]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = client().invoke(FunctionName=arn, Payload=event)
            payload: bytes = answer["Payload"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] == _TOO_MANY:
                raise ThrottledError(str(error)) from error
            return b"", str(error)
        except BotoCoreError as error:
            return b"", str(error)
        if "FunctionError" not in answer:
            return payload, ""
        try:
            told = json.loads(payload)
            return b"", f"{told.get('errorType', answer['FunctionError'])}: {told.get('errorMessage', '')}"[:500]
        except (ValueError, AttributeError):
            return b"", str(answer["FunctionError"])

    return invoke


def failed(failure: FunctionFailedError, function: FunctionAssociation, viewer: Request) -> EdgeResponse:
    """Return CloudFront's page for a function that failed."""
    throttled = isinstance(failure, ThrottledError)
    if failure.status == 502 or throttled:
        viewer.logs.append(f"{_name(function)}: {failure.told}")
    text = escape(str(failure), quote=False).encode("ascii", "xmlcharrefreplace").decode("ascii")
    answer = page(failure.status, text, "function-error", viewer.id)
    answer.x_cache = _LIMIT_EXCEEDED if throttled else _X_CACHE[failure.status]
    return answer


def _name(function: FunctionAssociation) -> str:
    return function.arn.partition(":function:")[2]


def _request_shown(viewer: Request, method: str, path: str, query: str, fields: Fields) -> dict[str, Any]:
    return {
        "clientIp": viewer.ip,
        "headers": events.headers_shown(fields),
        "method": method,
        "querystring": query,
        "uri": path,
    }


def _generated(value: Mapping[str, Any], event_type: str) -> EdgeResponse:
    status, fields = events.status_of(value), events.fields_of(value, Fields({}), "origin-response")
    body = events.response_body(value, fields, event_type) or b""
    return EdgeResponse(status, served(fields.written([])), body, GENERATED_BY_LAMBDA, "function-response")


def _made(answer: EdgeResponse) -> OriginResponse:
    return OriginResponse(Made(answer.status, [*answer.headers, _length(answer.body)], answer.body, answer.x_cache))


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % len(body)


def _towards(behavior: Behavior, before: Origin, chosen: Origin) -> Behavior:
    if chosen is before:
        return behavior
    signs = chosen.custom is None and (chosen.access_control or chosen.access_identity)
    return replace(behavior, origin=chosen, signing=behavior.signing if signs else "never")


async def _peeked(body: AsyncIterator[bytes], most: int) -> tuple[bytes, AsyncIterator[bytes]]:
    """Return the first bytes of a body (more than `most` if there are more), and the whole body."""
    seen = b""
    async for chunk in body:
        seen += chunk
        if len(seen) > most:
            break

    async def whole() -> AsyncIterator[bytes]:
        yield seen
        async for chunk in body:
            yield chunk

    return seen, whole()


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
