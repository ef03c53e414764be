"""Why a resource failed, in the words of CloudFormation's resource handlers.

The text of a handler for CloudFront's keys and groups has no reason, whatever CloudFront said (aws-cdk, issues 12852,
15109 and 15301). The endpoint's log has the reason.
"""

from typing import Final
from uuid import uuid4

from botocore.exceptions import ClientError

_SILENT: Final = frozenset({"AWS::CloudFront::PublicKey", "AWS::CloudFront::KeyGroup"})
_GONE: Final = ("NoSuch", "ResourceNotFound")
_BY_STATUS: Final = {403: "AccessDenied", 404: "NotFound", 429: "Throttling", 501: "NotUpdatable"}
_EXISTS: Final = "Exists"


def handler_reason(kind: str, error: ClientError) -> str:
    """Return the reason for the events of the stack."""
    said, meta = error.response["Error"], error.response.get("ResponseMetadata", {})
    status = meta.get("HTTPStatusCode", 400)
    code = _code(str(said.get("Code", "")), status)
    message = str(said.get("Message", "")) or str(said.get("Code", ""))
    service = kind.split("::")[1]
    request = meta.get("RequestId") or uuid4()
    if kind in _SILENT and code == "InvalidRequest":
        message = f"Invalid request provided: {kind}"
    else:
        start = "Invalid request provided: " if code == "InvalidRequest" else ""
        message = f"{start}{message} (Service: {service}, Status Code: {status}, Request ID: {request})"
    return f'Resource handler returned message: "{message}" (RequestToken: {uuid4()}, HandlerErrorCode: {code})'


def is_gone(error: ClientError) -> bool:
    """Return whether an error means that the resource does not exist."""
    return _is_missing(str(error.response["Error"].get("Code", "")))


def _code(code: str, status: int) -> str:
    if _EXISTS in code:
        return "AlreadyExists"
    if _is_missing(code):
        return "NotFound"
    if status >= 500 and status != 501:
        return "ServiceInternalError"
    return _BY_STATUS.get(status, "InvalidRequest")


def _is_missing(code: str) -> bool:
    return code.startswith(_GONE) or code.endswith(("NotFound", "NotFoundException", "NotFoundError"))


def invalid_reason(error: Exception) -> str:
    """Return the reason for properties that no API takes."""
    said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    token = f"(RequestToken: {uuid4()}, HandlerErrorCode: InvalidRequest)"
    return f'Resource handler returned message: "Model validation failed ({said})" {token}'
