"""The CloudFront API for the commands: a client by boto3's own rules, with each error as one clear line."""

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, overload
from urllib.parse import urlsplit

from keyfront.account.api_errors import clear_errors
from keyfront.cli.extras import needs
from keyfront.cli.options import Connection
from keyfront.errors import InputError

if TYPE_CHECKING:
    from boto3 import Session
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

_HOME: Final = "us-east-1"
"""CloudFront has no regions; its requests are signed for this one."""


@contextmanager
def cloudfront(connection: Connection) -> "Iterator[CloudFrontClient]":
    """Yield a client, and turn every AWS error in the block into a keyfront error.

    Raises `RefusedError` if the service refuses, `InputError` for wrong input, and `ServiceError` if the service could
    not be reached.
    """
    with needs("cli,aws"):
        import botocore.exceptions  # noqa: F401  to say what is missing
    with clear_errors():
        yield _client(connection)


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


def any_service(connection: Connection) -> Callable[[str], Any]:
    """Return a function that makes clients of any service, by the same options and rules."""
    import boto3
    from botocore.config import Config

    # One session for all services, because each session parses botocore's endpoint data.
    session = boto3.Session(profile_name=connection.profile, region_name=connection.region)
    key = any_key(connection, session)

    def client(name: str) -> Any:
        return session.client(
            name,  # type: ignore[call-overload]
            region_name=session.region_name or _HOME,
            endpoint_url=connection.endpoint_url,
            aws_access_key_id=key,
            aws_secret_access_key=key,
            config=Config(s3={"addressing_style": "path"}) if connection.endpoint_url else None,
        )

    return client


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
