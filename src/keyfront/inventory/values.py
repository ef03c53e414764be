"""The configuration of an account as plain values. This module makes no decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from keyfront.core.keys import PublicKey
from keyfront.core.showing import refuse_text
from keyfront.inventory.continuous_deployment import DeploymentPolicy
from keyfront.inventory.functions import EdgeFunction, FunctionAssociation
from keyfront.inventory.realtime_logs import RealtimeLog
from keyfront.inventory.response_headers import ResponseHeadersPolicy


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key of the account. Its id is the key-pair id that a signed request names."""

    id: str
    name: str
    key: PublicKey
    created: datetime | None = None
    """When it was uploaded, if known."""

    def __post_init__(self) -> None:
        refuse_text(self.key, "the key", "load it with PublicKey.load(pem)")


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """A named set of public keys. Behaviors trust groups, not keys."""

    id: str
    name: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OriginAccessControl:
    """How CloudFront signs its requests to an origin."""

    id: str
    name: str
    signing_behavior: Literal["always", "never", "no-override"]
    origin_type: str


@dataclass(frozen=True, slots=True)
class OriginAccessIdentity:
    """The older way to sign requests to S3."""

    id: str
    comment: str


@dataclass(frozen=True, slots=True)
class CustomOrigin:
    """How to reach a web server. Timeouts are in seconds."""

    http_port: int = 80
    https_port: int = 443
    protocol_policy: Literal["http-only", "https-only", "match-viewer"] = "match-viewer"
    read_timeout: int = 30


@dataclass(frozen=True, slots=True)
class Origin:
    """Where objects come from: a web server if `custom` is set, otherwise an S3 bucket."""

    id: str
    domain_name: str
    path: str = ""
    custom: CustomOrigin | None = None
    custom_headers: tuple[tuple[str, str], ...] = ()
    access_control: str = ""
    """Id of the origin access control, or empty."""
    access_identity: str = ""
    """Id of the origin access identity, or empty."""
    connection_attempts: int = 3
    connection_timeout: int = 10
    completion_timeout: int | None = None
    """Seconds until the whole response must be there; `None`: no limit."""
    vpc_origin: str = ""
    """Id of the VPC origin, or empty."""


@dataclass(frozen=True, slots=True)
class OriginGroup:
    """Origins for failover: if one answers with a status in `statuses`, the request goes to the next."""

    id: str
    members: tuple[str, ...]
    statuses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """The headers, cookies or query parameters of a request that count. Header names are in lower case.

    `all` with names means all of the viewer's, and these from CloudFront (`allViewerAndWhitelistCloudFront`).
    """

    mode: Literal["none", "some", "all", "all-but"] = "none"
    names: frozenset[str] = frozenset()

    def __contains__(self, name: str) -> bool:
        return self.mode == "all" or (self.mode != "none" and (name in self.names) == (self.mode == "some"))


@dataclass(frozen=True, slots=True)
class ForwardedValues:
    """A behavior's legacy settings for the parts of a request that reach the origin and enter the cache key."""

    query_string: bool = False
    query_string_cache_keys: tuple[str, ...] = ()
    cookies: Selection = Selection()
    headers: Selection = Selection()


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """How long objects are kept (seconds), and which parts of a request enter the cache key and reach the origin."""

    id: str
    name: str
    min_ttl: int
    default_ttl: int
    max_ttl: int
    query_strings: Selection = Selection()
    cookies: Selection = Selection()
    headers: Selection = Selection()
    gzip: bool = False
    """Whether `gzip` in the viewer's Accept-Encoding is part of the cache key, and objects are compressed with it."""
    brotli: bool = False
    """The same for `br`."""


@dataclass(frozen=True, slots=True)
class OriginRequestPolicy:
    """The parts of a request that reach the origin in addition to the cache key."""

    id: str
    name: str
    query_strings: Selection = Selection()
    cookies: Selection = Selection()
    headers: Selection = Selection()


@dataclass(frozen=True, slots=True)
class CacheBehavior:
    """The settings for paths that match `path_pattern` (`*` for the default behavior)."""

    path_pattern: str
    target_origin_id: str
    trusted_key_groups: tuple[str, ...] = ()
    trusted_signers: tuple[str, ...] = ()
    protected: bool = False
    """Whether requests need a signature: if trusted key groups or trusted signers are enabled or named."""
    viewer_protocol_policy: Literal["allow-all", "https-only", "redirect-to-https"] = "allow-all"
    allowed_methods: tuple[str, ...] = ("HEAD", "GET")
    cached_methods: tuple[str, ...] = ("HEAD", "GET")
    cache_policy_id: str = ""
    origin_request_policy_id: str = ""
    response_headers_policy_id: str = ""
    compress: bool = False
    forwarded_values: ForwardedValues | None = None
    min_ttl: int = 0
    default_ttl: int = 86400
    max_ttl: int = 31536000
    associations: tuple[FunctionAssociation, ...] = ()
    """The CloudFront functions and Lambda functions that run on its requests."""

    @property
    def functions(self) -> tuple[str, ...]:
        """The ARNs of the functions."""
        return tuple(each.arn for each in self.associations)

    realtime_log: str = ""
    """ARN of the real-time log configuration, or empty."""
    encryption: str = ""
    """Id of the configuration for field-level encryption, or empty."""


@dataclass(frozen=True, slots=True)
class CustomErrorResponse:
    """The response that replaces an error. `caching_min_ttl` is in seconds. Without a page only the caching changes."""

    error_code: int
    page_path: str = ""
    response_code: int = 0
    caching_min_ttl: int = 10


@dataclass(frozen=True, slots=True)
class GeoRestriction:
    """The countries (ISO 3166-1 alpha-2, upper case) that get content: only `countries`, or all others."""

    mode: Literal["none", "blacklist", "whitelist"] = "none"
    countries: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution's configuration, and its state in the API."""

    id: str
    domain_name: str
    default_behavior: CacheBehavior
    behaviors: tuple[CacheBehavior, ...] = ()
    origins: tuple[Origin, ...] = ()
    origin_groups: tuple[OriginGroup, ...] = ()
    aliases: tuple[str, ...] = ()
    default_root_object: str = ""
    custom_errors: tuple[CustomErrorResponse, ...] = ()
    geo_restriction: GeoRestriction = GeoRestriction()
    enabled: bool = True
    comment: str = ""
    status: str = "Deployed"
    etag: str = ""
    arn: str = ""
    last_modified: datetime | None = None
    ipv6: bool = False
    """Whether viewers reach it over IPv6 too."""
    minimum_protocol: str = ""
    """The oldest TLS policy of its own certificate, such as `TLSv1.2_2021`; empty with CloudFront's certificate."""
    access_logs: bool = False
    """Whether standard logging (legacy) is on. Newer kinds of logs are set up outside of the distribution."""
    web_acl: str = ""
    """Id or ARN of the web ACL, or empty."""
    staging: bool = False
    """Whether it is a staging distribution, which viewers reach only through its primary distribution."""
    deployment_policy: str = ""
    """Id of the continuous deployment policy, or empty."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """The contents of an account. Everything except distributions is found by its id."""

    distributions: tuple[Distribution, ...] = ()
    key_groups: Mapping[str, KeyGroup] = field(default_factory=dict)
    keys: Mapping[str, TrustedKey] = field(default_factory=dict)
    unusable_keys: Mapping[str, str] = field(default_factory=dict)
    """Ids of public keys that cannot be loaded, and why. Nothing trusts them."""
    access_controls: Mapping[str, OriginAccessControl] = field(default_factory=dict)
    access_identities: Mapping[str, OriginAccessIdentity] = field(default_factory=dict)
    cache_policies: Mapping[str, CachePolicy] = field(default_factory=dict)
    """The account's own and the managed policies, if a behavior names any policy."""
    origin_request_policies: Mapping[str, OriginRequestPolicy] = field(default_factory=dict)
    response_headers_policies: Mapping[str, ResponseHeadersPolicy] = field(default_factory=dict)
    deployment_policies: Mapping[str, DeploymentPolicy] = field(default_factory=dict)
    """The continuous deployment policies, if a distribution names any."""
    realtime_logs: Mapping[str, RealtimeLog] = field(default_factory=dict)
    """By ARN. Only if a behavior names any."""
    functions: Mapping[str, EdgeFunction] | None = None
    """The live CloudFront functions that behaviors name, by ARN; `None` if they were not read."""

    def trusted_keys(self, behavior: CacheBehavior) -> dict[str, PublicKey]:
        """Return the keys of the behavior's trusted key groups, by key-pair id. Missing groups and keys add none."""
        groups = (self.key_groups.get(group) for group in behavior.trusted_key_groups)
        ids = (key_id for group in groups if group for key_id in group.keys)
        return {key_id: self.keys[key_id].key for key_id in ids if key_id in self.keys}
