"""The CloudFront API for the commands: a client by boto3's own rules, with each error as one clear line."""

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, overload
from urllib.parse import urlsplit

from keyfront.account.key_groups import STALE, code_of
from keyfront.cli.extras import needs
from keyfront.cli.options import Connection
from keyfront.cli.output import RefusedError
from keyfront.errors import InputError, ServiceError

if TYPE_CHECKING:
    from boto3 import Session
    from botocore.exceptions import BotoCoreError, ClientError
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

_HOME: Final = "us-east-1"
"""CloudFront has no regions; its requests are signed for this one."""

_EXPIRED: Final = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_UNKNOWN_IDENTITY: Final = (
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "AuthFailure",
)
_THROTTLED: Final = ("Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded")


@contextmanager
def cloudfront(connection: Connection) -> "Iterator[CloudFrontClient]":
    """Yield a client, and turn every AWS error in the block into a keyfront error.

    Raises `RefusedError` if the service refuses, `InputError` for wrong input, and `ServiceError` if the service could
    not be reached.
    """
    with needs("cli,aws"):
        import botocore.exceptions
    try:
        yield _client(connection)
    except botocore.exceptions.ClientError as error:
        raise _answered(error) from None
    except botocore.exceptions.BotoCoreError as error:
        raise _not_asked(error) from None


@overload
def aws(service: Literal["ssm"], connection: Connection) -> "SSMClient": ...
@overload
def aws(service: Literal["kms"], connection: Connection) -> "KMSClient": ...
@overload
def aws(service: Literal["secretsmanager"], connection: Connection) -> "SecretsManagerClient": ...
def aws(
    service: Literal["ssm", "kms", "secretsmanager"], connection: Connection
) -> "SSMClient | KMSClient | SecretsManagerClient":
    """Return a client of another service, by the same options and rules. Raises `InputError` without a region."""
    import boto3
    import botocore.exceptions as known

    session = boto3.Session(profile_name=connection.profile, region_name=connection.region)
    key = any_key(connection, session)
    try:
        return session.client(
            service, endpoint_url=connection.endpoint_url, aws_access_key_id=key, aws_secret_access_key=key
        )
    except known.NoRegionError:
        raise InputError(f"{service} needs a region: set AWS_DEFAULT_REGION, or give --region") from None


def any_key(connection: Connection, session: "Session") -> str | None:
    """Return a made-up access key for an endpoint that is not Amazon's, if the user has none. Any key works there."""
    return "test" if connection.endpoint_url and not session.get_credentials() else None


def _client(connection: Connection) -> "CloudFrontClient":
    with needs("cli,aws"):
        import boto3
        from botocore.config import Config
    session = boto3.Session(profile_name=connection.profile, region_name=connection.region)
    signed_for = session.region_name or _HOME
    try:
        client = session.client("cloudfront", region_name=signed_for, endpoint_url=connection.endpoint_url)
    except ValueError as error:
        # botocore's message for an endpoint that is not a URL, from the option, the environment or the profile.
        raise InputError(f"{error}: write the whole URL, such as http://127.0.0.1:4566") from None
    if _on_this_machine(client.meta.endpoint_url):
        # A local server does not throttle. If it is not running, eight seconds of retries would only delay the error.
        once = Config(retries={"total_max_attempts": 1})
        # It needs no credentials either, but boto3 does not start without them.
        key = None if session.get_credentials() else "test"
        client = session.client(
            "cloudfront",
            region_name=signed_for,
            endpoint_url=connection.endpoint_url,
            config=once,
            aws_access_key_id=key,
            aws_secret_access_key=key,
        )
    return client


def _on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


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


def _answered(error: "ClientError") -> InputError | RefusedError:
    code = code_of(error)
    message = str(error.response.get("Error", {}).get("Message", "")).strip() or "no reason given"
    action = f"cloudfront:{error.operation_name}"
    if code.startswith("NoSuch") or code in ("InvalidArgument", "ValidationError", "MalformedInput"):
        return InputError(f"{message} ({code})")
    if code in ("AccessDenied", "AccessDeniedException"):
        return RefusedError(f"not allowed: this needs the IAM action {action} ({message})")
    if code in _EXPIRED:
        return RefusedError(
            f"the AWS session has expired: sign in again, with `aws sso login` or new credentials ({code})"
        )
    if code in _UNKNOWN_IDENTITY:
        return RefusedError(
            f"AWS does not accept these credentials: check the profile, the access key and its secret ({code})"
        )
    if code in _THROTTLED:
        return RefusedError(f"CloudFront is throttling requests: try again in a minute ({code})")
    if code in STALE:
        return RefusedError(f"something else changed it at the same time: try again ({code})")
    return RefusedError(f"{message} ({code or action})")


def _not_asked(error: "BotoCoreError") -> InputError | ServiceError:
    import botocore.exceptions as known

    match error:
        case known.NoCredentialsError():
            return InputError(
                "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile with "
                "--profile (any values work for keyfront up)"
            )
        case known.ProfileNotFound() | known.PartialCredentialsError() | known.ParamValidationError():
            return InputError(_sentence(error))
        case known.EndpointConnectionError() | known.ConnectionError() | known.HTTPClientError():
            return ServiceError(f"{_sentence(error)}: is it running, and is the endpoint URL right?")
        case _:
            return ServiceError(_sentence(error))


def _sentence(error: Exception) -> str:
    """Return botocore's message in one line, without the full stop and the quotes around URLs."""
    return " ".join(str(error).split()).removesuffix(".").replace('"', "")
