"""The buckets of private content: one for the content, and one for its access logs."""

from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from keyfront.errors import InputError


@dataclass(frozen=True)
class AccessLogs:
    """Standard access logs. They have whole query strings, including signatures."""

    bucket: s3.IBucket | None = None
    """Your own bucket, which must allow ACLs. If not given, the construct makes one."""
    prefix: str = ""
    include_cookies: bool = False
    """Whether they also have cookies, including signed ones."""
    expire_days: int = 90
    """After how many days the construct's own bucket deletes them."""
    kms_key: kms.IKey | None = None
    """Encrypts the construct's own bucket. A key of the same app gets the permission that CloudFront needs. Any other
    must allow the principal `delivery.logs.amazonaws.com` the action `kms:GenerateDataKey*`."""

    def made_bucket(self, scope: Construct, removal_policy: RemovalPolicy) -> s3.IBucket:
        """Return the bucket for the logs, made if not given. Raises `InputError`."""
        if self.bucket is not None:
            if self.kms_key is not None:
                raise InputError(
                    "kms_key of access_logs is for the construct's own bucket: encrypt yours where it is made"
                )
            return self.bucket
        if self.expire_days < 1:
            raise InputError(f"expire_days of access_logs is {self.expire_days}: give at least 1")
        if self.kms_key is not None:
            self.kms_key.grant(iam.ServicePrincipal("delivery.logs.amazonaws.com"), "kms:GenerateDataKey*")
        # CloudFront writes through an ACL, so this bucket must allow ACLs.
        return _private_bucket(
            scope,
            "Logs",
            removal_policy,
            self.kms_key,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(self.expire_days))],
        )


def content_bucket(
    scope: Construct, removal_policy: RemovalPolicy, *, name: str | None, key: kms.IKey | None, abort_days: int
) -> s3.Bucket:
    """Make the bucket for the content. `abort_days`: after how many days parts of unfinished uploads are deleted."""
    if abort_days < 1:
        raise InputError(f"abort_incomplete_uploads_days is {abort_days}: give at least 1")
    unfinished = s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(abort_days))
    return _private_bucket(
        scope,
        "Content",
        removal_policy,
        key,
        bucket_name=name,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        versioned=True,
        lifecycle_rules=[unfinished],
    )


def _private_bucket(
    scope: Construct,
    id: str,  # noqa: A002  the CDK's name
    removal_policy: RemovalPolicy,
    key: kms.IKey | None,
    **settings: object,
) -> s3.Bucket:
    return s3.Bucket(
        scope,
        id,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
        encryption_key=key,
        bucket_key_enabled=True if key else None,
        enforce_ssl=True,
        removal_policy=removal_policy,
        **settings,
    )
