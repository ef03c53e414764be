"""boto3 clients for the endpoint of this machine, independent of the user's configuration."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
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


def clients(endpoint: str) -> Clients:
    """Return clients for `endpoint`. They use no proxy and no profile."""
    import boto3
    from botocore.config import Config

    session = boto3.Session(*CREDENTIALS, region_name=REGION)
    config = Config(proxies={}, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    return Clients(
        cloudfront=session.client("cloudfront", endpoint_url=endpoint, config=config),
        s3=session.client("s3", endpoint_url=endpoint, config=config),
        ssm=session.client("ssm", endpoint_url=endpoint, config=config),
    )


def environment(endpoint: str) -> dict[str, str]:
    """Return the variables that boto3, the AWS CLI, Terraform and keyfront's commands need to use `endpoint`."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": CREDENTIALS[0],
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS[1],
        "AWS_DEFAULT_REGION": REGION,
    }
