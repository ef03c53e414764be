"""Sets up private content through the API, as CloudFront's guide describes: from a key pair to a distribution that
lets in only requests signed with it.

Every call goes to the endpoint, as a user's would. Resources that a kept state already has stay as they are, with the
user's changes. Missing resources are created, also after a crash half-way.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from keyfront.core.keys import PublicKey, SigningKey
from keyfront.errors import KeyLoadError, ServiceError
from keyfront.local.clients import REGION, Clients

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_cloudfront.type_defs import DistributionTypeDef
    from mypy_boto3_s3 import S3Client

BUCKET: Final = "keyfront-content"
PARAMETER: Final = "/keyfront/signing-key"
KEY_GROUP: Final = "keyfront-demo"
_REFERENCE: Final = "keyfront-demo"
_KEY: Final = "keyfront-demo"
_NEXT_KEY: Final = "keyfront-demo-next"
_CACHING_OPTIMIZED: Final = "658327ea-f89d-4fab-a63d-7e88639e58f6"


@dataclass(frozen=True)
class Provisioned:
    """The ids and names of the resources."""

    key_pair_id: str
    key_group_id: str
    distribution_id: str
    domain_name: str
    bucket: str
    parameter: str


def provision(aws: Clients, key: SigningKey, next_key: PublicKey, fill_bucket: Callable[[str], object]) -> Provisioned:
    """Set up private content behind a distribution that trusts `key`.

    `next_key` is also in the group, as before a rotation, because the last key of a group cannot be removed.
    `fill_bucket` puts the content into the bucket of that name. Raises `ServiceError` if the endpoint refuses a call.
    The next start then continues with the resources that exist.
    """
    try:
        return _provision(aws, key, next_key, fill_bucket)
    except ClientError as error:
        raise ServiceError(f"the shop cannot be set up: {error.response['Error'].get('Message', error)}") from None


def _provision(aws: Clients, key: SigningKey, next_key: PublicKey, fill_bucket: Callable[[str], object]) -> Provisioned:
    _bucket(aws.s3)
    fill_bucket(BUCKET)
    public_key, is_new = _public_key(aws.cloudfront, _KEY, key.public_key)
    standby, _ = _public_key(aws.cloudfront, _NEXT_KEY, next_key)
    key_group = _key_group(aws.cloudfront, [public_key, standby], to_trust=public_key if is_new else None)
    distribution = _distribution(aws.cloudfront, key_group)
    if not _has_policy(aws.s3):
        aws.s3.put_bucket_policy(Bucket=BUCKET, Policy=_only_for(distribution["ARN"]))
    if is_new or not _has_parameter(aws):
        aws.ssm.put_parameter(
            Name=PARAMETER,
            Type="SecureString",
            # One document, so that the id and its key are always read together.
            Value=json.dumps({"key_pair_id": public_key, "private_key": key.pem()}),
            Overwrite=True,
        )
    return Provisioned(
        key_pair_id=public_key,
        key_group_id=key_group,
        distribution_id=distribution["Id"],
        domain_name=distribution["DomainName"],
        bucket=BUCKET,
        parameter=PARAMETER,
    )


def _bucket(s3: "S3Client") -> None:
    if BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=BUCKET)
    try:
        s3.get_public_access_block(Bucket=BUCKET)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
            raise
        s3.put_public_access_block(
            Bucket=BUCKET,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        )


def _public_key(cloudfront: "CloudFrontClient", name: str, key: PublicKey) -> tuple[str, bool]:
    """Return the id of the public key with these bytes, whatever its name, and whether it was uploaded now."""
    pages = cloudfront.get_paginator("list_public_keys").paginate()
    items = [item for page in pages for item in page["PublicKeyList"].get("Items", [])]
    if found := next((item["Id"] for item in items if _is(item["EncodedKey"], key)), None):
        return found, False
    if name in {item["Name"] for item in items}:
        # It belongs to a key pair that was moved away.
        name = f"{name}-{key.fingerprint[:12]}"
    made = cloudfront.create_public_key(
        PublicKeyConfig={"CallerReference": key.fingerprint, "Name": name, "EncodedKey": key.pem}
    )
    return made["PublicKey"]["Id"], True


def _is(pem: str, key: PublicKey) -> bool:
    try:
        return PublicKey.load(pem) == key
    except KeyLoadError:
        return False


def _key_group(cloudfront: "CloudFrontClient", keys: list[str], *, to_trust: str | None) -> str:
    """Return the key group's id. An existing group keeps its keys, and gets `to_trust` (a new key) in addition."""
    for item in cloudfront.list_key_groups()["KeyGroupList"].get("Items", []):
        group = item["KeyGroup"]
        if group["KeyGroupConfig"]["Name"] == KEY_GROUP:
            if to_trust:
                got = cloudfront.get_key_group_config(Id=group["Id"])
                config = got["KeyGroupConfig"]
                cloudfront.update_key_group(
                    Id=group["Id"],
                    IfMatch=got["ETag"],
                    KeyGroupConfig={**config, "Items": [*config["Items"], to_trust]},
                )
            return group["Id"]
    return cloudfront.create_key_group(KeyGroupConfig={"Name": KEY_GROUP, "Items": keys})["KeyGroup"]["Id"]


def _access_control(cloudfront: "CloudFrontClient") -> str:
    for item in cloudfront.list_origin_access_controls()["OriginAccessControlList"].get("Items", []):
        if item["Name"] == BUCKET:
            return item["Id"]
    return cloudfront.create_origin_access_control(
        OriginAccessControlConfig={
            "Name": BUCKET,
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
    )["OriginAccessControl"]["Id"]


def _distribution(cloudfront: "CloudFrontClient", key_group: str) -> "DistributionTypeDef":
    for page in cloudfront.get_paginator("list_distributions").paginate():
        for item in page["DistributionList"].get("Items", []):
            distribution = cloudfront.get_distribution(Id=item["Id"])["Distribution"]
            if distribution["DistributionConfig"]["CallerReference"] == _REFERENCE:
                return distribution
    return cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": _REFERENCE,
            "Comment": "keyfront's shop: everything needs a signature",
            "Enabled": True,
            "Origins": {
                "Quantity": 1,
                "Items": [
                    {
                        "Id": "content",
                        "DomainName": f"{BUCKET}.s3.{REGION}.amazonaws.com",
                        "OriginAccessControlId": _access_control(cloudfront),
                        "S3OriginConfig": {"OriginAccessIdentity": ""},
                    }
                ],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "content",
                # Browsers do not trust the laptop's certificates, so the shop's links use http.
                # At Amazon, use https-only.
                "ViewerProtocolPolicy": "allow-all",
                "TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": [key_group]},
                "CachePolicyId": _CACHING_OPTIMIZED,
                "Compress": False,
            },
        }
    )["Distribution"]


def _has_policy(s3: "S3Client") -> bool:
    try:
        s3.get_bucket_policy(Bucket=BUCKET)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        return False
    return True


def _has_parameter(aws: Clients) -> bool:
    try:
        aws.ssm.get_parameter(Name=PARAMETER)
    except aws.ssm.exceptions.ParameterNotFound:
        return False
    return True


def _only_for(distribution_arn: str) -> str:
    """Return the bucket policy that allows only this distribution to read."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudfront.amazonaws.com"},
                    "Action": "s3:GetObject",
                    "Resource": f"arn:aws:s3:::{BUCKET}/*",
                    "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn}},
                }
            ],
        }
    )
