"""Runs functions for `Invoke` and for moto's other services: moto finds the function, and keyfront runs it.

Importing this module imports moto.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from contextvars import ContextVar
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

from flask import request
from moto.awslambda.models import LambdaFunction
from moto.awslambda.responses import LambdaResponse
from moto.core.common_types import TYPE_RESPONSE

from keyfront.local.aws.deferred import DEFERRED
from keyfront.local.aws.responses import EndpointResponse
from keyfront.local.lambdas import saved_functions
from keyfront.local.lambdas.function import BusyError, Function, FunctionError
from keyfront.local.lambdas.function_runner import FunctionRunner
from keyfront.local.lambdas.sandbox import Result

_LARGEST: Final = 6 * 1024 * 1024
_LARGEST_EVENT: Final = 1024 * 1024
"""The largest payload in bytes, synchronous and asynchronous. Source: Developer Guide, "Lambda quotas"."""
_KINDS: Final = ("RequestResponse", "Event", "DryRun")

_functions: ContextVar[FunctionRunner | None] = ContextVar("functions", default=None)
_latest: list[FunctionRunner] = []
"""The runner of the last request, for moto's own threads without a request, such as those of state machines."""


def use(functions: FunctionRunner) -> None:
    """Use this runner for the request in this thread."""
    _functions.set(functions)
    _latest[:] = [functions]


def current() -> FunctionRunner:
    """Return the runner of functions. Raises `NotImplementedError` if `use` was never called."""
    functions = _functions.get() or next(iter(_latest), None)
    if functions is None:
        raise NotImplementedError("functions do not run at this endpoint")
    return functions


def install() -> None:
    """Make moto's Lambda pass its calls to this module."""
    LambdaResponse.invoke = _invoke  # type: ignore[method-assign]
    LambdaResponse.invoke_async = _invoke_async  # type: ignore[method-assign]
    LambdaFunction.invoke = _invoke_within  # type: ignore[method-assign,assignment]


def run(function: LambdaFunction, payload: bytes) -> Result:
    """Run a function on an event, for another service of moto. Blocks. Raises `FunctionError` if it cannot run."""
    return current().call_from_thread(saved_functions.as_value(function), payload)


def _invoke(self: LambdaResponse) -> TYPE_RESPONSE:
    """Invoke (API Reference). moto finds the function, or refuses the call."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return _hand_over(self, headers, unquote(self.path.rstrip("/").rsplit("/", 2)[-2]), request.args.get("Qualifier"))


def _invoke_async(self: LambdaResponse) -> TYPE_RESPONSE:
    """InvokeAsync, the old name of an asynchronous invocation."""
    return _hand_over(self, {"x-amz-invocation-type": "Event"}, unquote(self.path.rstrip("/").rsplit("/", 2)[-2]), None)


def _hand_over(self: LambdaResponse, headers: Mapping[str, str], name: str, qualifier: str | None) -> TYPE_RESPONSE:
    found = self.backend.get_function(name, qualifier)
    functions = current()
    payload = self.body.encode() if isinstance(self.body, str) else self.body
    try:
        function = saved_functions.as_value(found)
        arn = found.function_arn.removesuffix(f":{found.version}") + (f":{qualifier}" if qualifier else "")
        context = _checked(payload, headers)
    except FunctionError as error:
        request.environ[DEFERRED] = partial(_refuse, error)
    else:
        request.environ[DEFERRED] = partial(_perform, functions, function, arn, payload or b"{}", headers, context)
    return 200, {}, ""


def _checked(payload: bytes, headers: Mapping[str, str]) -> str | None:
    """Check a call, and return its client context. Raises `FunctionError`."""
    kind = headers.get("x-amz-invocation-type", "RequestResponse")
    if kind not in _KINDS:
        raise FunctionError(
            "InvalidParameterValueException", f"InvocationType {kind!r} is not one of {', '.join(_KINDS)}", 400
        )
    largest = _LARGEST_EVENT if kind == "Event" else _LARGEST
    if len(payload) > largest:
        said = f"Request must be smaller than {largest} bytes for the InvokeFunction operation"
        raise FunctionError("RequestTooLargeException", said, 413)
    try:
        json.loads(payload or b"{}")
    except (ValueError, RecursionError) as error:
        said = f"Could not parse request body into json: {error}"
        raise FunctionError("InvalidRequestContentException", said, 400) from None
    context = headers.get("x-amz-client-context")
    try:
        return base64.b64decode(context, validate=True).decode() if context else None
    except (binascii.Error, UnicodeDecodeError):
        raise FunctionError("InvalidRequestContentException", "Could not base64-decode ClientContext", 400) from None


async def _perform(
    functions: FunctionRunner,
    function: Function,
    arn: str,
    payload: bytes,
    headers: Mapping[str, str],
    context: str | None,
) -> EndpointResponse:
    kind = headers.get("x-amz-invocation-type", "RequestResponse")
    if kind == "DryRun":
        return EndpointResponse(204, [], b"")
    if kind == "Event":
        functions.call_later(function, payload, arn=arn, client_context=context)
        return EndpointResponse(202, [("Content-Length", "0")], b"")
    try:
        result = await functions.call(function, payload, arn=arn, client_context=context)
    except FunctionError as error:
        return _refusal(error)
    told = [("Content-Type", "application/json"), ("x-amzn-RequestId", result.request_id)]
    told += [("X-Amz-Executed-Version", result.version), ("Content-Length", str(len(result.payload)))]
    if result.failed:
        told.append(("X-Amz-Function-Error", "Unhandled"))
    if headers.get("x-amz-log-type") == "Tail":
        told.append(("X-Amz-Log-Result", base64.b64encode(result.log).decode()))
    return EndpointResponse(200, told, result.payload)


async def _refuse(error: FunctionError) -> EndpointResponse:
    return _refusal(error)


def _refusal(error: FunctionError) -> EndpointResponse:
    reason = {"Reason": error.reason} if isinstance(error, BusyError) else {}
    side = "User" if error.status < HTTPStatus.INTERNAL_SERVER_ERROR else "Service"
    body = json.dumps({"Type": side, "Message": str(error), "message": str(error), **reason}).encode()
    named = [("Content-Type", "application/json"), ("x-amzn-ErrorType", error.code), ("Content-Length", str(len(body)))]
    return EndpointResponse(error.status, named, body)


def _invoke_within(self: LambdaFunction, body: str, _: Any, response_headers: Any) -> bytes:
    """Run a function for moto's other services (a topic, a queue, a table's stream)."""
    result = run(self, body if isinstance(body, bytes) else (body or "{}").encode())
    if result.failed:
        response_headers["x-amz-function-error"] = "Unhandled"
    return result.payload
