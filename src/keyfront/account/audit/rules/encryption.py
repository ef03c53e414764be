"""Checks of the KMS keys that encrypt protected buckets: whether CloudFront can and may use them.

Source: Developer Guide, "Restrict access to an Amazon S3 origin" (SSE-KMS); KMS Developer Guide, "Key states of AWS KMS
keys". A bucket's default encryption stands for its objects.
"""

import json
import shlex
from collections.abc import Iterator
from typing import Final

from keyfront.account.audit.rules.grants import (
    any_distribution,
    may_decrypt,
    named,
    put_key_policy,
    terraform_grant,
    with_grant,
)
from keyfront.account.audit.rules.origins import bucket_of, mark, protected_origins
from keyfront.account.audit.values import Bucket, EncryptionKey, Evidence, Finding, Plan, Rule, Severity, Stage
from keyfront.inventory import Distribution, Origin

_IDENTITY: Final = Rule(
    "kms-with-access-identity",
    "An origin access identity cannot read a bucket that KMS encrypts",
    "Its requests do not have Signature Version 4, so S3 refuses them: every signed link to these objects gets 400 or "
    "403.",
)
_REFUSES: Final = Rule(
    "kms-key-refuses-cloudfront",
    "A KMS key does not let CloudFront decrypt a bucket's objects",
    "S3 asks KMS in CloudFront's name. Without kms:Decrypt for the distribution, every signed link gets 403.",
    Stage.GRANT,
)
_ANY: Final = Rule(
    "kms-key-open-to-any-distribution",
    "A KMS key lets any distribution decrypt",
    "Without AWS:SourceArn, the key protects nothing against a distribution of another account.",
    Stage.CLOSE,
)
_DISABLED: Final = Rule(
    "kms-key-disabled",
    "The KMS key of a bucket is disabled or waits for deletion",
    "Nothing can decrypt the objects: every signed link gets an error. After its deletion they are lost.",
    Stage.RESTORE,
)
RULES: Final = (_IDENTITY, _REFUSES, _ANY, _DISABLED)


def _encrypted(account: Evidence) -> Iterator[tuple[Distribution, Origin, Bucket, EncryptionKey]]:
    for distribution, origin in protected_origins(account):
        bucket = account.buckets.get(bucket_of(origin))
        key = account.encryption_keys.get(bucket.kms_key or "") if bucket else None
        if bucket and key:
            yield distribution, origin, bucket, key


def _identities(account: Evidence) -> Iterator[Finding]:
    for distribution, origin, bucket, key in _encrypted(account):
        if origin.access_identity:
            yield Finding(
                _IDENTITY, Severity.HIGH, f"{distribution.id}/{origin.id}",
                f"{bucket.name} is encrypted with {key.id}, and read as {origin.access_identity}.",
                "replace the origin access identity by an origin access control: in origin: origin_access_control_id = "
                "aws_cloudfront_origin_access_control.content.id, without s3_origin_config",
                marks=mark(distribution, origin), distributions=(distribution.id,),
                plan=Plan(
                    edit=f"(.Origins.Items[] | select(.Id == {json.dumps(origin.id)})) |= "
                    '(.OriginAccessControlId = $oac | '
                    '.S3OriginConfig.OriginAccessIdentity = "")',
                    commands=(new_access_control(bucket.name),),
                    terraform=f"# origin {origin.id}: without s3_origin_config\norigin_access_control_id = "
                    "aws_cloudfront_origin_access_control.content.id",
                ),
            )  # fmt: skip


def new_access_control(bucket: str) -> str:
    """Return the command that makes an origin access control and keeps its id in `$oac`."""
    config = f"Name={bucket},SigningProtocol=sigv4,SigningBehavior=always,OriginAccessControlOriginType=s3"
    return (
        f"oac=$(aws cloudfront create-origin-access-control --origin-access-control-config {shlex.quote(config)} "
        "--query OriginAccessControl.Id --output text)"
    )


def _policies(account: Evidence) -> Iterator[Finding]:
    for distribution, origin, bucket, key in _encrypted(account):
        if origin.access_identity or (key.policy is None and not key.managed_by_aws):
            continue
        marks = mark(distribution, origin)
        if key.managed_by_aws:
            yield Finding(
                _REFUSES, Severity.HIGH, key.arn or key.id,
                f"{bucket.name} is encrypted with {key.id}, Amazon's own key, whose policy cannot be changed.",
                "encrypt the bucket with a KMS key of your own, copy the objects over themselves, and let "
                "cloudfront.amazonaws.com use kms:Decrypt in the key's policy", marks=marks,
                distributions=(distribution.id,),
            )  # fmt: skip
        elif not may_decrypt(key.policy or {}, key.arn, bucket.name, distribution):
            sharing = [each for each, _, _, other in _encrypted(account) if other is key]
            yield Finding(
                _REFUSES, Severity.HIGH, key.arn,
                f"Its policy does not let CloudFront decrypt objects of {bucket.name} for {distribution.id}. "
                + named(key.policy or {}, "kms:Decrypt"),
                "in the key's policy: allow kms:Decrypt to cloudfront.amazonaws.com with the condition "
                "AWS:SourceArn of the distribution", marks=marks, distributions=(distribution.id,),
                plan=_grant(key, sharing),
            )  # fmt: skip


def _open(account: Evidence) -> Iterator[Finding]:
    for key in account.encryption_keys.values():
        users = [(each, origin) for each, origin, _, other in _encrypted(account) if other is key]
        if users and any_distribution(key.policy or {}, "kms:Decrypt"):
            yield Finding(
                _ANY, Severity.MEDIUM, key.arn, "cloudfront.amazonaws.com may use kms:Decrypt without a condition.",
                "in the key's policy: \"Condition\": {\"StringEquals\": {\"AWS:SourceArn\": "
                "\"arn:aws:cloudfront::ACCOUNT:distribution/ID\"}}",
                marks=tuple(dict.fromkeys(each for pair in users for each in mark(*pair))),
                distributions=tuple(dict.fromkeys(each.id for each, _ in users)),
                plan=_grant(key, [each for each, _ in users]),
            )  # fmt: skip


def _grant(key: EncryptionKey, distributions: list[Distribution]) -> Plan:
    own = list(dict.fromkeys(distributions))
    policy = with_grant(key.policy or {}, "kms:Decrypt", "*", own)
    return Plan((put_key_policy(key.arn, policy),), terraform=terraform_grant("kms:Decrypt", "*", own))


def _states(account: Evidence) -> Iterator[Finding]:
    for distribution, origin, bucket, key in _encrypted(account):
        if key.state in ("", "Enabled"):
            continue
        cancel = (f"aws kms cancel-key-deletion --key-id {shlex.quote(key.arn)}",)
        enable = (f"aws kms enable-key --key-id {shlex.quote(key.arn)}",)
        commands = (*(cancel if key.state.startswith("Pending") else ()), *enable)
        yield Finding(
            _DISABLED, Severity.HIGH, key.arn, f"It encrypts {bucket.name}, and its state is {key.state}.",
            " && ".join(commands), marks=mark(distribution, origin), distributions=(distribution.id,),
            plan=Plan(commands, terraform="# in its aws_kms_key\nis_enabled = true"),
        )  # fmt: skip


CHECKS: Final = (_identities, _policies, _open, _states)
