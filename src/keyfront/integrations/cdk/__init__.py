"""Constructs for the AWS CDK: the twins of keyfront's Terraform modules."""

from keyfront.home import install as installing

try:
    import aws_cdk as _aws_cdk  # noqa: F401  it is heavy, and only its absence matters here
except ModuleNotFoundError as error:
    text = f"keyfront.integrations.cdk needs aws-cdk-lib: {installing('cdk')}"
    raise ModuleNotFoundError(text, name=error.name) from None

from keyfront.integrations.cdk.behaviors import Behavior
from keyfront.integrations.cdk.content_buckets import AccessLogs
from keyfront.integrations.cdk.content_origins import BucketOrigin, CustomOrigin, OriginGroup
from keyfront.integrations.cdk.download_endpoint import DownloadEndpoint, JWTAuthorizer
from keyfront.integrations.cdk.log_queries import LogQueries
from keyfront.integrations.cdk.private_content import PrivateContent
from keyfront.integrations.cdk.signing_key import SigningKey
from keyfront.integrations.cdk.trusted_key_group import TrustedKeyGroup

__all__ = [
    "AccessLogs",
    "Behavior",
    "BucketOrigin",
    "CustomOrigin",
    "DownloadEndpoint",
    "JWTAuthorizer",
    "LogQueries",
    "OriginGroup",
    "PrivateContent",
    "SigningKey",
    "TrustedKeyGroup",
]
