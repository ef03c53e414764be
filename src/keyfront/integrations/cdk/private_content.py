"""Private content: a bucket that only its distribution reads, and behaviors that require a signature."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_cdk import Aws, RemovalPolicy, aws_lambda
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from keyfront.errors import InputError
from keyfront.integrations.cdk.behaviors import Behavior
from keyfront.integrations.cdk.content_buckets import AccessLogs, content_bucket
from keyfront.integrations.cdk.content_origins import BucketOrigin, CustomOrigin, OriginGroup, Origins, by_name

CONTENT: Final = "content"
"""The name of the construct's own bucket among the origins."""
_NEWEST_TLS: Final = cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021


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
        default_response_headers_policy: cloudfront.IResponseHeadersPolicy | None = None,
        default_functions: Mapping[str, cloudfront.IFunction] | None = None,
        default_lambda_functions: Mapping[str, aws_lambda.IVersion] | None = None,
        create_bucket: bool = True,
        bucket_name: str | None = None,
        bucket_key: kms.IKey | None = None,
        abort_incomplete_uploads_days: int = 7,
        origin_shield_region: str | None = None,
        buckets: Mapping[str, s3.IBucket | BucketOrigin] | None = None,
        custom_origins: Mapping[str, CustomOrigin] | None = None,
        function_urls: Mapping[str, aws_lambda.IFunctionUrl] | None = None,
        own_origins: Mapping[str, cloudfront.IOrigin] | None = None,
        origin_groups: Mapping[str, OriginGroup] | None = None,
        aliases: Sequence[str] = (),
        certificate: acm.ICertificate | None = None,
        distribution_settings: Mapping[str, Any] | None = None,
        access_logs: AccessLogs | bool = False,
        comment: str | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        """Create the distribution, and the bucket unless `create_bucket` is false.

        - `key_groups` are trusted by the default behavior. An empty list makes it public, and has to be written.
        - Origins have names, for `Behavior.origin` and `default_origin`: `buckets` are existing buckets,
          `custom_origins` HTTP servers, `function_urls` Lambda function URLs with IAM, `own_origins` any origins of the
          CDK, and `origin_groups` pairs of these. The construct's own bucket has the name `content`, and is the
          default. `origin_shield_region` is the region of its Origin Shield, which costs extra.
        - `default_functions` and `default_lambda_functions` are those of the default behavior, as in `Behavior`.
          `default_settings` are more of its settings, by the names of the CDK's `BehaviorOptions`.
        - `default_response_headers_policy` is for every behavior that has none of its own.
        - `distribution_settings` are those of the CDK's `Distribution`, such as `geo_restriction`, `price_class` and
          `web_acl_id`. IPv6 is off if not given.
        - `access_logs` writes CloudFront's standard logs. `True` makes a bucket for them.
        - `removal_policy` is that of the construct's own buckets.

        Raises `InputError`.
        """
        super().__init__(scope, id)
        if aliases and certificate is None:
            raise InputError(
                f"aliases has {aliases[0]!r}, and certificate is missing: CloudFront needs one for aliases"
            )
        self.bucket: s3.IBucket | None = None
        """The content's bucket. `None` if there is none of its own."""
        if create_bucket:
            self.bucket = content_bucket(
                self, removal_policy, name=bucket_name, key=bucket_key, abort_days=abort_incomplete_uploads_days
            )
        own = {CONTENT: BucketOrigin(self.bucket, "", origin_shield_region)} if self.bucket else {}
        existing = {
            name: each if isinstance(each, BucketOrigin) else BucketOrigin(each)
            for name, each in (buckets or {}).items()
        }
        if self.bucket and CONTENT in existing:
            raise InputError(f"two origins have the name {CONTENT!r}: each must have its own")
        self._origins = by_name(
            {**own, **existing}, custom_origins or {}, function_urls or {}, own_origins or {}, origin_groups or {}
        )
        first = Behavior(
            "*",
            key_groups,
            default_origin or next(iter(self._origins), None),
            default_settings or {},
            functions=default_functions or {},
            lambda_functions=default_lambda_functions or {},
        )
        _check([first, *behaviors], self._origins)
        logs = AccessLogs() if access_logs is True else access_logs or None
        self.log_bucket: s3.IBucket | None = logs.made_bucket(self, removal_policy) if logs else None
        """The bucket for access logs. `None` if there is none."""
        headers = default_response_headers_policy
        settings = {
            "comment": comment,
            "domain_names": list(aliases) or None,
            "certificate": certificate,
            "minimum_protocol_version": _NEWEST_TLS if certificate is not None else None,
            "log_bucket": self.log_bucket,
            "log_file_prefix": (logs.prefix or None) if logs else None,
            "log_includes_cookies": (logs.include_cookies or None) if logs else None,
            # A policy with an address refuses every viewer that comes over IPv6.
            "enable_ipv6": False,
        }
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            default_behavior=self._options(first, first, headers),
            additional_behaviors={each.path_pattern: self._options(each, first, headers) for each in behaviors},
            **{**settings, **(distribution_settings or {})},
        )
        self.domain_name: str = self.distribution.distribution_domain_name
        """The distribution's own host name."""
        self.url: str = f"https://{aliases[0] if aliases else self.domain_name}"
        """The address of the content, without a slash at the end."""
        self.distribution_arn: str = (
            f"arn:{Aws.PARTITION}:cloudfront::{Aws.ACCOUNT_ID}:distribution/{self.distribution.distribution_id}"
        )

    def _options(
        self, behavior: Behavior, first: Behavior, headers: cloudfront.IResponseHeadersPolicy | None
    ) -> cloudfront.BehaviorOptions:
        return behavior.options(self._origins[str(behavior.origin or first.origin)], headers)


def _check(behaviors: Sequence[Behavior], origins: Origins) -> None:
    if not origins:
        raise InputError("there is no origin: set create_bucket, buckets, custom_origins, function_urls or own_origins")
    for each in behaviors:
        if each.origin is not None and each.origin not in origins:
            raise InputError(f"there is no origin {each.origin!r}: use one of {', '.join(origins)}")
    patterns = [each.path_pattern for each in behaviors[1:]]
    if twice := [each for each in patterns if patterns.count(each) > 1]:
        raise InputError(f"two behaviors have the path pattern {twice[0]!r}: each pattern must be unique")
