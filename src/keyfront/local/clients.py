"""boto3 clients for the endpoint of this machine, independent of the user's configuration."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keyfront.local.controlplane.model import loader

if TYPE_CHECKING:
    from boto3 import Session
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient

REGION: Final = "us-east-1"
CREDENTIALS: Final = ("test", "test")
"""The endpoint accepts any credentials, but clients do not start without them."""


@dataclass(frozen=True)
class Clients:
    """The services that provisioning and the backend call."""

    cloudfront: "CloudFrontClient"
    s3: "S3Client"
    ssm: "SSMClient"


def session(region: str = REGION) -> "Session":
    """Return a session with this machine's credentials. All of them share one loader of botocore's models."""
    import boto3
    from botocore.session import get_session

    core = get_session()
    core.register_component("data_loader", loader())
    return boto3.Session(*CREDENTIALS, region_name=region, botocore_session=core)


def clients(endpoint: str) -> Clients:
    """Return clients for `endpoint`. They use no proxy and no profile."""
    from botocore.config import Config

    made = session()
    config = Config(proxies={}, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    return Clients(
        cloudfront=made.client("cloudfront", endpoint_url=endpoint, config=config),
        s3=made.client("s3", endpoint_url=endpoint, config=config),
        ssm=made.client("ssm", endpoint_url=endpoint, config=config),
    )


def environment(endpoint: str) -> dict[str, str]:
    """Return the variables that boto3, the AWS CLI, Terraform and keyfront's commands need to use `endpoint`."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": CREDENTIALS[0],
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS[1],
        "AWS_DEFAULT_REGION": REGION,
    }
