"""CloudFormation's custom resources: the endpoint calls a Lambda function, which sends its result to a response URL.

Source: CloudFormation User Guide, "Custom resource request and response reference". Unlike on Amazon, a function that
ends without sending a response has failed. Amazon would wait for an hour.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswerError
from contextlib import suppress
from typing import Any, Final
from uuid import uuid4

from moto.awslambda.models import lambda_backends

from keyfront.local.aws.bridge import Environ
from keyfront.local.cloudformation import RESPONSE_PATH
from keyfront.local.cloudformation.faults import ResourceError
from keyfront.local.cloudformation.kinds.kind import Task
from keyfront.local.cloudformation.stack import Made
from keyfront.local.lambdas import calls
from keyfront.local.lambdas.function import FunctionError

TYPE: Final = "AWS::CloudFormation::CustomResource"
_PREFIX: Final = "Custom::"
_LARGEST_ANSWER: Final = 4096
_LONGEST_WAIT: Final = 3600

_asked: Final[dict[str, "Future[bytes]"]] = {}
"""The responses that are still expected, by token."""


def is_custom(kind: str) -> bool:
    """Return whether a resource type is a custom one."""
    return kind == TYPE or kind.startswith(_PREFIX)


class CustomResourceKind:
    """Custom resources. The function names each one, and says what it is worth."""

    def create(self, task: Task) -> Made:
        """Let the function create the resource."""
        try:
            return _made(_ask(task, "Create"))
        except ResourceError as failure:
            if failure.physical_id:
                # The function may clean up what it created in part, as on Amazon. A second failure is not reported.
                with suppress(ResourceError):
                    self.delete(task, Made(failure.physical_id))
            raise

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Let the function change the resource. Another physical id means another resource."""
        named = {"PhysicalResourceId": made.physical_id, "OldResourceProperties": _as_texts(before)}
        return _made(_ask(task, "Update", **named))

    def delete(self, task: Task, made: Made) -> None:
        """Let the function delete the resource."""
        _ask(task, "Delete", PhysicalResourceId=made.physical_id)


def take(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Accept a function's response, as S3 does for a presigned URL: once, from anybody who has the token."""
    waiting = _asked.get(environ["PATH_INFO"].removeprefix(RESPONSE_PATH))
    if waiting is None or waiting.done() or environ["REQUEST_METHOD"] not in ("PUT", "POST"):
        start_response("403 Forbidden", [("Content-Type", "application/xml")])
        return [b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"]
    waiting.set_result(environ["wsgi.input"].read())
    start_response("200 OK", [("Content-Length", "0")])
    return []


def _made(answer: Mapping[str, Any]) -> Made:
    return Made(answer["PhysicalResourceId"], answer.get("Data") or {})


def _ask(task: Task, request_type: str, **named: Any) -> Mapping[str, Any]:
    token, request_id = uuid4().hex, str(uuid4())
    properties = _as_texts(task.properties)
    event = {
        "RequestType": request_type,
        "ServiceToken": properties.get("ServiceToken"),
        "ResponseURL": f"{task.url}{RESPONSE_PATH}{token}",
        "StackId": task.stack_id,
        "RequestId": request_id,
        "LogicalResourceId": task.logical_id,
        "ResourceType": task.kind,
        "ResourceProperties": properties,
        **named,
    }
    waiting = _asked[token] = Future()
    try:
        _call(str(properties.get("ServiceToken", "")), json.dumps(event).encode())
        sent = waiting.result(_patience(properties))
    except NoAnswerError:
        raise ResourceError(
            "The function ended without sending a response to the event's ResponseURL. (Amazon would wait for an hour.)"
        ) from None
    finally:
        del _asked[token]
    return _checked(sent, request_id, named.get("PhysicalResourceId"))


def _call(token: str, event: bytes) -> None:
    parts = token.split(":")
    if len(parts) < 7 or parts[2] != "lambda":
        raise ResourceError(f"Invalid service token {token}: this endpoint supports functions only, not topics.")
    try:
        function = lambda_backends[parts[4]][parts[3]].get_function(":".join(parts[6:]), None)
        result = calls.run(function, event)
    except FunctionError as error:
        raise ResourceError(f"The function {token} cannot be run: {error}") from None
    except Exception:  # noqa: BLE001  moto has many errors for a missing function
        raise ResourceError(f"Invalid service token: the function {token} does not exist.") from None
    if result.failed:
        raise ResourceError(f"The function failed: {result.payload.decode('utf-8', 'replace')[:500]}")


def _patience(properties: Mapping[str, Any]) -> float:
    """Return the seconds to wait for a response from something that the function started."""
    try:
        return min(float(properties.get("ServiceTimeout", 0)), _LONGEST_WAIT)
    except ValueError:
        return 0


def _checked(sent: bytes, request_id: str, physical_id: str | None) -> Mapping[str, Any]:
    if len(sent) > _LARGEST_ANSWER:
        raise ResourceError(f"Response object is too long: {len(sent)} bytes of at most {_LARGEST_ANSWER}.")
    try:
        answer = json.loads(sent)
    except ValueError:
        raise ResourceError("The response object is not JSON.") from None
    if not isinstance(answer, dict) or answer.get("Status") not in ("SUCCESS", "FAILED"):
        raise ResourceError("Invalid response object: Status is neither SUCCESS nor FAILED.")
    named = answer.get("PhysicalResourceId") or physical_id or ""
    if answer["Status"] == "FAILED":
        reason = answer.get("Reason") or "no reason was given"
        said = f"Received response status [FAILED] from custom resource. Message returned: {reason}"
        raise ResourceError(f"{said} (RequestId: {request_id})", str(named))
    if answer.get("RequestId") != request_id:
        raise ResourceError("Invalid response object: RequestId differs from the event's.", str(named))
    if not isinstance(named, str) or not named:
        raise ResourceError("Invalid PhysicalResourceId.")
    return {**answer, "PhysicalResourceId": named}


def _as_texts(value: Any) -> Any:
    """Return properties as functions get them, with every number and boolean as a string."""
    if isinstance(value, Mapping):
        return {name: _as_texts(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_texts(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value
