"""AWS errors as keyfront's: each says in one line what was refused, and what to do."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from keyfront.errors import NO_CREDENTIALS, InputError, KeyfrontError, RefusedError, ServiceError

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

STALE: Final = ("PreconditionFailed", "InvalidIfMatchVersion")
"""The API's error codes for a change that another client made in between."""

_EXPIRED: Final = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_UNKNOWN_IDENTITY: Final = (
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "AuthFailure",
)
_THROTTLED: Final = ("Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded")


class DeniedError(RefusedError):
    """The caller lacks a permission. `action` is the IAM action that the request needs."""

    def __init__(self, text: str, action: str) -> None:
        super().__init__(text)
        self.action = action


class ExpiredError(RefusedError):
    """The caller's session has expired."""


class ThrottledError(RefusedError):
    """The service asks to wait before the next request."""


class StaleError(RefusedError):
    """Another client changed the resource after it was read."""


class UnreachableError(ServiceError):
    """The service did not answer."""


def code_of(error: "ClientError") -> str:
    """Return the API's error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def check_page(page: Mapping[str, object]) -> None:
    """Raise `ServiceError` unless a page of a listing has a quantity, as CloudFront's pages always do.

    botocore makes an empty list of any response with status 200.
    """
    if "Quantity" not in page:
        raise ServiceError("the response is not from CloudFront: check the endpoint URL")


@contextmanager
def clear_errors(service: str = "cloudfront") -> Iterator[None]:
    """Turn every AWS error in the block into a keyfront error. `service` is the prefix of its IAM actions.

    Raises `RefusedError` if the service refuses, `InputError` for wrong input, and `ServiceError` if the service could
    not be reached.
    """
    import botocore.exceptions

    try:
        yield
    except botocore.exceptions.ClientError as error:
        raise answered(error, service) from None
    except botocore.exceptions.BotoCoreError as error:
        raise _not_asked(error) from None


@contextmanager
def explaining(code: str, explain: Callable[[], str]) -> Iterator[None]:
    """Replace a refusal with `code` in the block by a `RefusedError` with the text from `explain`."""
    import botocore.exceptions as known

    try:
        yield
    except known.ClientError as error:
        if code_of(error) != code:
            raise
        try:
            text = explain()
        except (known.ClientError, known.BotoCoreError):
            raise error from None  # Without permission to list, the service's own error must do.
        raise RefusedError(text) from None


def answered(error: "ClientError", service: str = "cloudfront") -> KeyfrontError:
    """Return a service's error response as an error of keyfront's."""
    code = code_of(error)
    message = str(error.response.get("Error", {}).get("Message", "")).strip() or "no reason given"
    action = f"{service}:{error.operation_name}"
    if code.startswith("NoSuch") or code in ("InvalidArgument", "ValidationError", "MalformedInput"):
        return InputError(f"{message} ({code})")
    if code in ("AccessDenied", "AccessDeniedException"):
        return DeniedError(f"not allowed: this needs the IAM action {action} ({message})", action)
    if code in _EXPIRED:
        return ExpiredError(
            f"the AWS session has expired: sign in again, with `aws sso login` or new credentials ({code})"
        )
    if code in _UNKNOWN_IDENTITY:
        return RefusedError(
            f"AWS does not accept these credentials: check the profile, the access key and its secret ({code})"
        )
    if code in _THROTTLED:
        return ThrottledError(f"CloudFront is throttling requests: try again in a minute ({code})")
    if code in STALE:
        return StaleError(f"something else changed it at the same time: try again ({code})")
    return RefusedError(f"{message} ({code or action})")


def _not_asked(error: "BotoCoreError") -> InputError | ServiceError:
    import botocore.exceptions as known

    match error:
        case known.NoCredentialsError():
            return InputError(NO_CREDENTIALS)
        case known.ProfileNotFound() | known.PartialCredentialsError() | known.ParamValidationError():
            return InputError(_sentence(error))
        case known.EndpointConnectionError() | known.ConnectionError() | known.HTTPClientError():
            return UnreachableError(f"{_sentence(error)}: is it running, and is the endpoint URL right?")
        case _:
            return ServiceError(_sentence(error))


def _sentence(error: Exception) -> str:
    """Return botocore's message in one line, without the full stop and the quotes around URLs."""
    return " ".join(str(error).split()).removesuffix(".").replace('"', "")
