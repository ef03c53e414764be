"""CloudFormation's custom resources: the endpoint calls a Lambda function, which sends its result to a response URL.

Source: CloudFormation User Guide, "Custom resource request and response reference". Unlike on Amazon, the call that
creates, changes or deletes a stack waits for the function, and a function that ends without sending a response has
failed. Amazon would wait for an hour. Importing this module imports moto.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswerError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import uuid4

from moto.awslambda.models import lambda_backends
from moto.cloudformation import parsing
from moto.cloudformation.custom_model import CustomModel
from moto.cloudformation.parsing import ResourceMap

from keyfront.local.aws.bridge import Environ
from keyfront.local.cloudformation import RESPONSE_PATH
from keyfront.local.lambdas import calls
from keyfront.local.lambdas.function import FunctionError

TYPE: Final = "AWS::CloudFormation::CustomResource"
_LARGEST_ANSWER: Final = 4096
_LONGEST_WAIT: Final = 3600

_class_from_type: Final = parsing.resource_class_from_type
_delete_all: Final = ResourceMap.delete
_difference: Final = ResourceMap.build_resource_diff
_asked: Final[dict[str, "Future[bytes]"]] = {}
"""The responses that are still expected, by token."""


class FailedError(BaseException):
    """A custom resource that could not be created, changed or deleted.

    Not an `Exception`, because moto retries after one and would call the function five times.
    """

    def __init__(self, logical_id: str, kind: str, physical_id: str, reason: str) -> None:
        super().__init__(reason)
        self.logical_id, self.kind, self.physical_id, self.reason = logical_id, kind, physical_id, reason


@dataclass(eq=False)
class CustomResource(CustomModel):
    """A custom resource of a stack. `--state` keeps it between runs."""

    account_id: str
    region_name: str
    stack_id: str
    logical_id: str
    kind: str
    properties: dict[str, Any]
    resource_name: str = ""
    """The physical id."""
    data: dict[str, Any] = field(default_factory=dict)

    def is_created(self) -> bool:
        """Return True: a stack only has custom resources that were created."""
        return True

    def get_cfn_attribute(self, attribute_name: str) -> Any:
        """Return the value for `Fn::GetAtt`. Raise `FailedError` if the function's response does not have that name."""
        found: Any = self.data
        for name in attribute_name.split("."):
            if not isinstance(found, dict) or name not in found:
                raise self._failed(
                    "CustomResource attribute error: Vendor response doesn't contain "
                    f"{attribute_name} attribute in object {self.stack_id}|{self.logical_id}"
                )
            found = found[name]
        return found

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **kwargs: Any
    ) -> "CustomResource":
        """Create a resource, as moto calls it. The function names it. Raise `FailedError` if the function fails."""
        del resource_name
        properties = _as_texts(cloudformation_json["Properties"])
        where = (account_id, region_name, kwargs["StackId"], kwargs["LogicalId"], kwargs["ResourceType"])
        made = cls(*where, properties)
        try:
            made._take(made._ask("Create"))
        except FailedError as failure:
            if failure.physical_id:
                # The function may clean up what it created in part, as on Amazon. A second failure is not reported.
                made.resource_name = failure.physical_id
                with suppress(FailedError):
                    made.delete(account_id, region_name)
            raise
        return made

    @classmethod
    def update_from_cloudformation_json(  # type: ignore[override]
        cls, original_resource: "CustomResource", cloudformation_json: dict[str, Any], **_: Any
    ) -> "CustomResource":
        """Change a resource, as moto calls it. Raise `FailedError` if the function fails."""
        changed = replace(original_resource, properties=_as_texts(cloudformation_json["Properties"]))
        before = original_resource.resource_name
        named = {"PhysicalResourceId": before, "OldResourceProperties": original_resource.properties}
        changed._take(changed._ask("Update", **named))
        if changed.resource_name != before:
            # Another physical id means another resource. The old one is deleted, and a failure is ignored.
            with suppress(FailedError):
                original_resource.delete(changed.account_id, changed.region_name)
        return changed

    def delete(self, account_id: str, region: str) -> None:  # noqa: ARG002  moto's way
        """Let the function delete the resource. Raise `FailedError` if it fails."""
        self._ask("Delete", PhysicalResourceId=self.resource_name)

    def _take(self, answer: Mapping[str, Any]) -> None:
        self.resource_name, self.data = answer["PhysicalResourceId"], answer.get("Data") or {}

    def _ask(self, request_type: str, **named: Any) -> Mapping[str, Any]:
        token, request_id = uuid4().hex, str(uuid4())
        event = {
            "RequestType": request_type,
            "ServiceToken": self.properties.get("ServiceToken"),
            "ResponseURL": f"{calls.current().url}{RESPONSE_PATH}{token}",
            "StackId": self.stack_id,
            "RequestId": request_id,
            "LogicalResourceId": self.logical_id,
            "ResourceType": self.kind,
            "ResourceProperties": self.properties,
            **named,
        }
        waiting = _asked[token] = Future()
        try:
            self._call(json.dumps(event).encode())
            sent = waiting.result(self._patience())
        except NoAnswerError:
            raise self._failed(
                "The function ended without sending a response to the event's ResponseURL. "
                "(Amazon would wait for an hour.)"
            ) from None
        finally:
            del _asked[token]
        return self._checked(sent, request_id, named.get("PhysicalResourceId"))

    def _call(self, event: bytes) -> None:
        token = str(self.properties.get("ServiceToken", ""))
        parts = token.split(":")
        if len(parts) < 7 or parts[2] != "lambda":
            raise self._failed(f"Invalid service token {token}: this endpoint supports functions only, not topics.")
        try:
            function = lambda_backends[parts[4]][parts[3]].get_function(":".join(parts[6:]), None)
            result = calls.run(function, event)
        except FunctionError as error:
            raise self._failed(f"The function {token} cannot be run: {error}") from None
        except Exception:  # noqa: BLE001  moto has many errors for a missing function
            raise self._failed(f"Invalid service token: the function {token} does not exist.") from None
        if result.failed:
            raise self._failed(f"The function failed: {result.payload.decode('utf-8', 'replace')[:500]}")

    def _patience(self) -> float:
        """Return the seconds to wait for a response from something that the function started."""
        try:
            return min(float(self.properties.get("ServiceTimeout", 0)), _LONGEST_WAIT)
        except ValueError:
            return 0

    def _checked(self, sent: bytes, request_id: str, physical_id: str | None) -> Mapping[str, Any]:
        if len(sent) > _LARGEST_ANSWER:
            raise self._failed(f"Response object is too long: {len(sent)} bytes of at most {_LARGEST_ANSWER}.")
        try:
            answer = json.loads(sent)
        except ValueError:
            raise self._failed("The response object is not JSON.") from None
        if not isinstance(answer, dict) or answer.get("Status") not in ("SUCCESS", "FAILED"):
            raise self._failed("Invalid response object: Status is neither SUCCESS nor FAILED.")
        named = answer.get("PhysicalResourceId") or physical_id or ""
        if answer["Status"] == "FAILED":
            raise self._failed(f"Received response status [FAILED] from custom resource. {_why(answer)}", str(named))
        if answer.get("RequestId") != request_id:
            raise self._failed("Invalid response object: RequestId differs from the event's.", str(named))
        if not isinstance(named, str) or not named:
            raise self._failed("Invalid PhysicalResourceId.")
        return {**answer, "PhysicalResourceId": named}

    def _failed(self, reason: str, physical_id: str = "") -> FailedError:
        return FailedError(self.logical_id, self.kind, physical_id, reason)


def install() -> None:
    """Let moto's CloudFormation create custom resources, and delete them before the functions that they call."""

    def class_from_type(resource_type: str) -> Any:
        custom = resource_type.startswith("Custom::") or resource_type == TYPE
        return CustomResource if custom else _class_from_type(resource_type)

    def delete_all(self: ResourceMap) -> None:
        for name, resource in list(self._parsed_resources.items()):
            retained = self._resource_json_map.get(name, {}).get("DeletionPolicy") == "Retain"
            if isinstance(resource, CustomResource) and not retained:
                resource.delete(resource.account_id, resource.region_name)
                del self._parsed_resources[name]
        _delete_all(self)

    def difference(self: ResourceMap, *arguments: Any, **named: Any) -> dict[str, Any]:
        found: dict[str, Any] = _difference(self, *arguments, **named)
        found["Remove"].sort(key=lambda name: not isinstance(self._parsed_resources.get(name), CustomResource))
        return found

    parsing.resource_class_from_type = class_from_type
    ResourceMap.delete = delete_all  # type: ignore[method-assign]
    ResourceMap.build_resource_diff = difference  # type: ignore[method-assign]


def take(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Accept a function's response, as S3 does for a presigned URL: once, from anybody who has the token."""
    waiting = _asked.get(environ["PATH_INFO"].removeprefix(RESPONSE_PATH))
    if waiting is None or waiting.done() or environ["REQUEST_METHOD"] not in ("PUT", "POST"):
        start_response("403 Forbidden", [("Content-Type", "application/xml")])
        return [b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"]
    waiting.set_result(environ["wsgi.input"].read())
    start_response("200 OK", [("Content-Length", "0")])
    return []


def _as_texts(value: Any) -> Any:
    """Return properties as functions get them, with every number and boolean as a string."""
    if isinstance(value, dict):
        return {name: _as_texts(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_texts(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _why(answer: Mapping[str, Any]) -> str:
    return f"Message returned: {answer.get('Reason') or 'no reason was given'}"
