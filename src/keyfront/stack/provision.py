"""What a reader of CloudFront's guide would set up by hand, done through the API: from a key pair to a
distribution that lets in only what the key signed.

Every call goes to the endpoint like anybody's; nothing here reaches around the API.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keyfront.keys import PublicKey, SigningKey
from keyfront.stack.aws import REGION, Clients

if TYPE_CHECKING:
    from mypy_boto3_cloudfront.type_defs import PublicKeyConfigTypeDef

BUCKET: Final = "keyfront-content"
PARAMETER: Final = "/keyfront/signing-key"
KEY_GROUP: Final = "keyfront-demo"
_CACHING_OPTIMIZED: Final = "658327ea-f89d-4fab-a63d-7e88639e58f6"


@dataclass(frozen=True)
class Provisioned:
    """What was made, by the names that CloudFront gave it."""

    key_pair_id: str
    key_group_id: str
    distribution_id: str
    domain_name: str
    bucket: str
    parameter: str


def provision(aws: Clients, key: SigningKey, next_key: PublicKey, fill_bucket: Callable[[str], object]) -> Provisioned:
    """Set up private content behind a distribution that trusts `key`.

    `next_key` stands in the group beside it, as before a rotation: the last key of a group cannot be taken out.
    `fill_bucket` puts the content into the bucket of that name.
    """
    s3, cloudfront = aws.s3, aws.cloudfront
    s3.create_bucket(Bucket=BUCKET)
    s3.put_public_access_block(
        Bucket=BUCKET,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    fill_bucket(BUCKET)

    public_key = _upload(aws, "keyfront-demo", key.public_key)
    standby = _upload(aws, "keyfront-demo-next", next_key)
    key_group = cloudfront.create_key_group(KeyGroupConfig={"Name": KEY_GROUP, "Items": [public_key, standby]})[
        "KeyGroup"
    ]["Id"]
    access_control = cloudfront.create_origin_access_control(
        OriginAccessControlConfig={
            "Name": BUCKET,
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
    )["OriginAccessControl"]["Id"]
    distribution = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": "keyfront-demo",
            "Comment": "keyfront's shop: everything needs a signature",
            "Enabled": True,
            "Origins": {
                "Quantity": 1,
                "Items": [
                    {
                        "Id": "content",
                        "DomainName": f"{BUCKET}.s3.{REGION}.amazonaws.com",
                        "OriginAccessControlId": access_control,
                        "S3OriginConfig": {"OriginAccessIdentity": ""},
                    }
                ],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "content",
                # A browser does not trust the laptop's certificates, so the shop's links are http.
                # In an account: https-only.
                "ViewerProtocolPolicy": "allow-all",
                "TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": [key_group]},
                "CachePolicyId": _CACHING_OPTIMIZED,
                "Compress": False,
            },
        }
    )["Distribution"]
    s3.put_bucket_policy(Bucket=BUCKET, Policy=_only_for(distribution["ARN"]))
    aws.ssm.put_parameter(
        Name=PARAMETER,
        Type="SecureString",
        # One document, so that the id and the key it belongs to cannot be read apart.
        Value=json.dumps({"key_pair_id": public_key, "private_key": key.pem()}),
    )
    return Provisioned(
        key_pair_id=public_key,
        key_group_id=key_group,
        distribution_id=distribution["Id"],
        domain_name=distribution["DomainName"],
        bucket=BUCKET,
        parameter=PARAMETER,
    )


def _upload(aws: Clients, name: str, key: PublicKey) -> str:
    config: PublicKeyConfigTypeDef = {"CallerReference": key.fingerprint, "Name": name, "EncodedKey": key.pem}
    return aws.cloudfront.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]


def _only_for(distribution_arn: str) -> str:
    """The bucket policy that lets one distribution read, and nobody else."""
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
