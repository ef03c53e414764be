"""Origins of private content, by name: buckets, HTTP servers, function URLs, and pairs of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from aws_cdk import Duration, Token, aws_lambda
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3

from keyfront.errors import InputError

_HOST: Final = re.compile(r"[A-Za-z0-9.-]+")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
_PROTOCOLS: Final = {
    "https-only": cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
    "http-only": cloudfront.OriginProtocolPolicy.HTTP_ONLY,
    "match-viewer": cloudfront.OriginProtocolPolicy.MATCH_VIEWER,
}
_FAILOVER: Final = frozenset({403, 404, 416, 429, 500, 502, 503, 504})
"""The statuses on which CloudFront fails over. Developer Guide, "Creating an origin group"."""


@dataclass(frozen=True)
class BucketOrigin:
    """An existing bucket as an origin. `path` begins with a slash, such as `/films`."""

    bucket: s3.IBucket
    path: str = ""
    origin_shield_region: str | None = None

    def origin(self) -> cloudfront.IOrigin:
        """Return the CDK's origin."""
        return origins.S3BucketOrigin.with_origin_access_control(
            self.bucket, origin_path=self.path or None, origin_shield_region=checked_region(self.origin_shield_region)
        )


@dataclass(frozen=True)
class CustomOrigin:
    """An HTTP server as an origin. Timeouts are in seconds."""

    domain_name: str
    protocol_policy: str = "https-only"
    """`https-only`, `http-only` or `match-viewer`."""
    http_port: int = 80
    https_port: int = 443
    path: str = ""
    read_timeout: int = 30
    keepalive_timeout: int = 5
    connection_attempts: int = 3
    connection_timeout: int = 10
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers that CloudFront adds to its requests. With a secret one, the origin can refuse requests that bypass it:
    take its value from Secrets Manager, since the template shows it."""
    origin_shield_region: str | None = None

    def origin(self) -> cloudfront.IOrigin:
        """Return the CDK's origin. Raises `InputError`."""
        if not Token.is_unresolved(self.domain_name) and not _HOST.fullmatch(self.domain_name):
            raise InputError(
                f"domain_name is {self.domain_name!r}: give a host name without https://, a port (set http_port, "
                "https_port) or a path (set path)"
            )
        if self.protocol_policy not in _PROTOCOLS:
            raise InputError(f"protocol_policy is {self.protocol_policy!r}: use {', '.join(_PROTOCOLS)}")
        return origins.HttpOrigin(
            self.domain_name,
            protocol_policy=_PROTOCOLS[self.protocol_policy],
            http_port=self.http_port,
            https_port=self.https_port,
            origin_path=self.path or None,
            origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
            read_timeout=Duration.seconds(self.read_timeout),
            keepalive_timeout=Duration.seconds(self.keepalive_timeout),
            connection_attempts=self.connection_attempts,
            connection_timeout=Duration.seconds(self.connection_timeout),
            custom_headers=dict(self.headers) or None,
            origin_shield_region=checked_region(self.origin_shield_region),
        )


@dataclass(frozen=True)
class OriginGroup:
    """Two origins, by name: if `primary` cannot be reached or answers with one of `status_codes`, `secondary` is asked.

    Only for GET, HEAD and OPTIONS. A bucket answers 403 for an object that does not exist.
    """

    primary: str
    secondary: str
    status_codes: Sequence[int] = (500, 502, 503, 504)

    def origin(self, known: Mapping[str, cloudfront.IOrigin]) -> cloudfront.IOrigin:
        """Return the CDK's origin, of the origins by name. Raises `InputError`."""
        for each in (self.primary, self.secondary):
            if each not in known:
                raise InputError(f"there is no origin {each!r} for an origin group: use one of {', '.join(known)}")
        if self.primary == self.secondary:
            raise InputError(f"primary and secondary of an origin group are both {self.primary!r}: give two origins")
        if not self.status_codes or not _FAILOVER.issuperset(self.status_codes):
            raise InputError(
                f"status_codes is {list(self.status_codes)}: give some of {', '.join(map(str, sorted(_FAILOVER)))}"
            )
        return origins.OriginGroup(
            primary_origin=known[self.primary],
            fallback_origin=known[self.secondary],
            fallback_status_codes=list(self.status_codes),
        )


Origins: TypeAlias = dict[str, cloudfront.IOrigin]


def by_name(
    buckets: Mapping[str, BucketOrigin],
    custom: Mapping[str, CustomOrigin],
    urls: Mapping[str, aws_lambda.IFunctionUrl],
    own: Mapping[str, cloudfront.IOrigin],
    groups: Mapping[str, OriginGroup],
) -> Origins:
    """Return all origins by their names. Raises `InputError`."""
    names = [*buckets, *custom, *urls, *own, *groups]
    if twice := [each for each in names if names.count(each) > 1]:
        raise InputError(f"two origins have the name {twice[0]!r}: each must have its own")
    found: Origins = {
        **{name: each.origin() for name, each in buckets.items()},
        **{name: each.origin() for name, each in custom.items()},
        **{name: origins.FunctionUrlOrigin.with_origin_access_control(each) for name, each in urls.items()},
        **own,
    }
    return found | {name: each.origin(found) for name, each in groups.items()}


def checked_region(region: str | None) -> str | None:
    """Return the region of an Origin Shield. Raises `InputError`."""
    if region is not None and not Token.is_unresolved(region) and not _REGION.fullmatch(region):
        raise InputError(f"origin_shield_region is {region!r}: give a region, such as us-east-1")
    return region
