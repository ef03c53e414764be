"""Private content: a bucket that only its distribution reads, and behaviors that require a signature."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from keyfront.errors import InputError

CONTENT: Final = "content"
"""The name of the construct's own bucket among the origins."""
_NEWEST_TLS: Final = cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021


@dataclass(frozen=True)
class Behavior:
    """A cache behavior. `key_groups` has no default: an empty list makes its paths public, and has to be written."""

    path_pattern: str
    key_groups: Sequence[cloudfront.IKeyGroup]
    origin: str | None = None
    """The name of its origin. If not given, the default behavior's."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """More settings, by the names of the CDK's `BehaviorOptions`: `cache_policy`, `function_associations`, …"""


class PrivateContent(Construct):  # type: ignore[misc]
    """A distribution with private content."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  the CDK's name
        *,
        key_groups: Sequence[cloudfront.IKeyGroup],
        behaviors: Sequence[Behavior] = (),
        default_origin: str | None = None,
        default_settings: Mapping[str, Any] | None = None,
        create_bucket: bool = True,
        bucket_name: str | None = None,
        bucket_key: kms.IKey | None = None,
        buckets: Mapping[str, s3.IBucket] | None = None,
        own_origins: Mapping[str, cloudfront.IOrigin] | None = None,
        aliases: Sequence[str] = (),
        certificate: acm.ICertificate | None = None,
        distribution_settings: Mapping[str, Any] | None = None,
        access_logs: bool = False,
        comment: str | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        """Create the distribution, and the bucket unless `create_bucket` is false.

        - `key_groups` are trusted by the default behavior. An empty list makes it public, and has to be written.
        - `buckets` are existing buckets, and `own_origins` any origins of the CDK, by names for `Behavior.origin` and
          `default_origin`. The construct's own bucket has the name `content`, and is the default.
        - `default_settings` are those of the CDK's `BehaviorOptions`, and `distribution_settings` those of its
          `Distribution`, such as `geo_restriction`, `price_class` and `web_acl_id`. IPv6 is off if not given.
        - `access_logs` makes a bucket for CloudFront's standard logs.
        - `removal_policy` is that of the buckets.

        Raises `InputError`.
        """
        super().__init__(scope, id)
        if aliases and certificate is None:
            raise InputError(
                f"aliases has {aliases[0]!r}, and certificate is missing: CloudFront needs one for aliases"
            )
        self._removal_policy = removal_policy
        self.bucket: s3.IBucket | None = self._bucket(bucket_name, bucket_key) if create_bucket else None
        """The content's bucket. `None` if there is none of its own."""
        own = {CONTENT: self.bucket} if self.bucket else {}
        every = {**own, **(buckets or {})}
        self._origins: dict[str, cloudfront.IOrigin] = {
            **{name: origins.S3BucketOrigin.with_origin_access_control(each) for name, each in every.items()},
            **(own_origins or {}),
        }
        if not self._origins:
            raise InputError("there is no origin: set create_bucket, buckets or own_origins")
        self._default = default_origin or next(iter(self._origins))
        self._check(behaviors)
        self.log_bucket: s3.IBucket | None = self._log_bucket() if access_logs else None
        """The bucket for access logs. `None` if there is none."""
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=comment,
            default_behavior=self._options(Behavior("*", key_groups, None, default_settings or {})),
            additional_behaviors={each.path_pattern: self._options(each) for each in behaviors},
            domain_names=list(aliases) or None,
            certificate=certificate,
            minimum_protocol_version=_NEWEST_TLS if certificate is not None else None,
            log_bucket=self.log_bucket,
            # A policy with an address refuses every viewer that comes over IPv6.
            **{"enable_ipv6": False, **(distribution_settings or {})},
        )
        self.domain_name: str = self.distribution.distribution_domain_name
        """The distribution's own host name."""
        self.url: str = f"https://{aliases[0] if aliases else self.domain_name}"
        """The address of the content, without a slash at the end."""
        self.distribution_arn: str = (
            f"arn:{Aws.PARTITION}:cloudfront::{Aws.ACCOUNT_ID}:distribution/{self.distribution.distribution_id}"
        )

    def _options(self, behavior: Behavior) -> cloudfront.BehaviorOptions:
        settings = {
            "viewer_protocol_policy": cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            "compress": True,
            **behavior.settings,
        }
        return cloudfront.BehaviorOptions(
            origin=self._origins[behavior.origin or self._default],
            trusted_key_groups=list(behavior.key_groups) or None,
            **settings,
        )

    def _check(self, behaviors: Sequence[Behavior]) -> None:
        names = ", ".join(self._origins)
        for used in (self._default, *(each.origin for each in behaviors if each.origin)):
            if used not in self._origins:
                raise InputError(f"there is no origin {used!r}: use one of {names}")
        patterns = [each.path_pattern for each in behaviors]
        if twice := [each for each in patterns if patterns.count(each) > 1]:
            raise InputError(f"two behaviors have the path pattern {twice[0]!r}: each pattern must be unique")

    def _bucket(self, name: str | None, key: kms.IKey | None) -> s3.Bucket:
        return s3.Bucket(
            self,
            "Content",
            bucket_name=name,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=True if key else None,
            enforce_ssl=True,
            versioned=True,
            lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(7))],
            removal_policy=self._removal_policy,
        )

    def _log_bucket(self) -> s3.Bucket:
        # CloudFront writes through an ACL, so this bucket must allow ACLs.
        return s3.Bucket(
            self,
            "Logs",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            removal_policy=self._removal_policy,
        )
