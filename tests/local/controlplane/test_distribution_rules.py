"""What a distribution's configuration is refused for, as a table: a change to one that is fine, and the error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.local.controlplane import Quotas

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Config = dict[str, Any]
Refusal = Callable[..., tuple[str, int, str]]
NOWHERE = "00000000-0000-4000-8000-000000000000"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/6c5f2e58-0000-4000-8000-000000000000"
OWN_CERTIFICATE = {"ACMCertificateArn": CERTIFICATE, "SSLSupportMethod": "sni-only"}
EVERY_METHOD = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")
OTHERS_LOG = "arn:aws:cloudfront::999999999999:realtime-log-config/x"


def counted(*items: Any) -> Config:
    return {"Quantity": len(items), "Items": list(items)}


def top(**members: object) -> Callable[[Config], None]:
    return lambda config: config.update(members)


def origin(**members: object) -> Callable[[Config], None]:
    return lambda config: config["Origins"]["Items"][0].update(members)


def custom(**members: object) -> Callable[[Config], None]:
    return lambda config: config["Origins"]["Items"][0]["CustomOriginConfig"].update(members)


def s3(
    domain: str = "shop.s3.us-east-1.amazonaws.com", identity: str = "", **members: object
) -> Callable[[Config], None]:
    def change(config: Config) -> None:
        bucket = {"Id": "shop", "DomainName": domain, "S3OriginConfig": {"OriginAccessIdentity": identity}}
        config["Origins"] = counted({**bucket, **members})

    return change


def behavior(**members: object) -> Callable[[Config], None]:
    return lambda config: config["DefaultCacheBehavior"].update(members)


def both(first: Callable[[Config], None], second: Callable[[Config], None]) -> Callable[[Config], None]:
    def change(config: Config) -> None:
        first(config)
        second(config)

    return change


def legacy(**members: object) -> Callable[[Config], None]:
    def change(config: Config) -> None:
        del config["DefaultCacheBehavior"]["CachePolicyId"]
        forwarded = {"QueryString": False, "Cookies": {"Forward": "none"}}
        config["DefaultCacheBehavior"].update({"ForwardedValues": forwarded, "MinTTL": 0} | members)

    return change


def forwarded(**members: object) -> Callable[[Config], None]:
    return legacy(ForwardedValues={"QueryString": False, "Cookies": {"Forward": "none"}} | members)


def listed(*patterns: str) -> Callable[[Config], None]:
    def change(config: Config) -> None:
        default = config["DefaultCacheBehavior"]
        config["CacheBehaviors"] = counted(*({**default, "PathPattern": pattern} for pattern in patterns))

    return change


def methods(*allowed: str, cached: tuple[str, ...] = ("GET", "HEAD")) -> Callable[[Config], None]:
    return behavior(AllowedMethods={**counted(*allowed), "CachedMethods": counted(*cached)})


def certificate(**members: object) -> Callable[[Config], None]:
    return top(ViewerCertificate=members)


def error_page(**members: object) -> Callable[[Config], None]:
    return top(CustomErrorResponses=counted({"ErrorCode": 404} | members))


def header(name: str, value: str = "v") -> Callable[[Config], None]:
    return origin(CustomHeaders=counted({"HeaderName": name, "HeaderValue": value}))


def group(*members: str, statuses: tuple[int, ...] = (500,), identifier: str = "both") -> Callable[[Config], None]:
    def change(config: Config) -> None:
        first = config["Origins"]["Items"][0]
        config["Origins"] = counted(first, {**first, "Id": "spare"})
        criteria = {"StatusCodes": counted(*statuses)}
        group = {
            "Id": identifier,
            "FailoverCriteria": criteria,
            "Members": counted(*({"OriginId": m} for m in members)),
        }
        config["OriginGroups"] = counted(group)

    return change


def geography(kind: str, *countries: str) -> Callable[[Config], None]:
    return top(Restrictions={"GeoRestriction": {"RestrictionType": kind, **counted(*countries)}})


Row = tuple[str, Callable[[Config], None], str, int]
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:rewrite"

REFUSED: list[Row] = [
    # Names and numbers of the distribution.
    ("empty reference", top(CallerReference=""), "InvalidArgument", 400),
    ("long reference", top(CallerReference="r" * 129), "InvalidArgument", 400),
    ("root object with a slash", top(DefaultRootObject="/index.html"), "InvalidDefaultRootObject", 400),
    ("long root object", top(DefaultRootObject="i" * 256), "InvalidDefaultRootObject", 400),
    ("root object with a space", top(DefaultRootObject="a b"), "InvalidDefaultRootObject", 400),
    ("web ACL", top(WebACLId="mine"), "InvalidWebACLId", 400),
    ("price class", top(PriceClass="PriceClass_1"), "MalformedXML", 400),
    ("HTTP version", top(HttpVersion="http4"), "MalformedXML", 400),
    ("log without bucket", top(Logging={"Enabled": True}), "InvalidArgument", 400),
    # Resources of kinds that are not there.
    ("deployment policy", top(ContinuousDeploymentPolicyId="x"), "NoSuchContinuousDeploymentPolicy", 404),
    ("Anycast list", top(AnycastIpListId="x"), "EntityNotFound", 404),
    ("connection function", top(ConnectionFunctionAssociation={"Id": "x"}), "EntityNotFound", 404),
    ("trust store", top(ViewerMtlsConfig={"TrustStoreConfig": {"TrustStoreId": "x"}}), "EntityNotFound", 404),
    (
        "staging with an alias",
        top(Staging=True, Aliases=counted("a.example.com"), ViewerCertificate=OWN_CERTIFICATE),
        "InvalidArgument",
        400,
    ),
    ("staging with a policy", top(Staging=True, ContinuousDeploymentPolicyId="x"), "InvalidArgument", 400),
    ("staging with HTTP/3", top(Staging=True, HttpVersion="http2and3"), "InvalidArgument", 400),
    ("another account's log", behavior(RealtimeLogConfigArn=OTHERS_LOG), "RealtimeLogConfigOwnerMismatch", 401),
    ("tenants", top(ConnectionMode="tenant-only"), "InvalidArgument", 400),
    ("tenant config", top(TenantConfig={"ParameterDefinitions": []}), "InvalidArgument", 400),
    # Origins.
    ("no origin", top(Origins={"Quantity": 0, "Items": []}), "MalformedXML", 400),
    ("origin twice", lambda c: c.update(Origins=counted(*c["Origins"]["Items"] * 2)), "InvalidArgument", 400),
    ("origin without id", both(origin(Id=""), behavior(TargetOriginId="")), "InvalidArgument", 400),
    ("origin of no kind", lambda c: c["Origins"]["Items"][0].pop("CustomOriginConfig"), "InvalidOrigin", 400),
    ("origin of two kinds", origin(S3OriginConfig={"OriginAccessIdentity": ""}), "InvalidOrigin", 400),
    ("scheme in an origin", origin(DomainName="https://example.com"), "InvalidArgument", 400),
    ("port in an origin", origin(DomainName="localhost:8000"), "InvalidArgument", 400),
    ("path in an origin", origin(DomainName="example.com/books"), "InvalidArgument", 400),
    ("space in an origin", origin(DomainName="exa mple.com"), "InvalidArgument", 400),
    ("address of an origin", origin(DomainName="127.0.0.1"), "InvalidArgument", 400),
    ("origin without name", origin(DomainName=""), "InvalidArgument", 400),
    ("bucket that is none", s3("example.com"), "InvalidArgument", 400),
    ("bucket's website", s3("shop.s3-website.us-east-1.amazonaws.com"), "InvalidArgument", 400),
    ("origin path without slash", origin(OriginPath="books"), "InvalidArgument", 400),
    ("origin path that ends in a slash", origin(OriginPath="/books/"), "InvalidArgument", 400),
    ("connection attempts", origin(ConnectionAttempts=4), "InvalidArgument", 400),
    ("connection timeout", origin(ConnectionTimeout=0), "InvalidArgument", 400),
    ("HTTP port", custom(HTTPPort=81), "InvalidArgument", 400),
    ("HTTPS port", custom(HTTPSPort=65536), "InvalidArgument", 400),
    ("read timeout", custom(OriginReadTimeout=121), "InvalidOriginReadTimeout", 400),
    ("keep-alive timeout", custom(OriginKeepaliveTimeout=0), "InvalidOriginKeepaliveTimeout", 400),
    ("completion before read timeout", origin(ResponseCompletionTimeout=29), "InvalidArgument", 400),
    ("shield nowhere", origin(OriginShield={"Enabled": True}), "InvalidArgument", 400),
    ("shield in no region", origin(OriginShield={"Enabled": True, "OriginShieldRegion": "here"}), "MalformedXML", 400),
    (
        "VPC origin",
        lambda c: c.update(Origins=counted({"Id": "shop", "DomainName": "a", "VpcOriginConfig": {"VpcOriginId": "x"}})),
        "EntityNotFound",
        404,
    ),
    ("protocol policy", custom(OriginProtocolPolicy="gopher"), "MalformedXML", 400),
    ("no such access control", s3(OriginAccessControlId="E0000000000000"), "InvalidOriginAccessControl", 400),
    ("no such identity", s3(identity="origin-access-identity/cloudfront/E0"), "InvalidOriginAccessIdentity", 400),
    ("identity of another form", s3(identity="E0"), "InvalidOriginAccessIdentity", 400),
    ("reserved header", header("Host"), "InvalidArgument", 400),
    ("reserved header prefix", header("X-Amz-Meta-A"), "InvalidArgument", 400),
    ("header that is none", header("a b"), "InvalidArgument", 400),
    ("long header name", header("n" * 257), "InvalidArgument", 400),
    ("long header value", header("x-secret", "v" * 1784), "InvalidArgument", 400),
    ("header with a line break", header("x-secret", "a\nb"), "InvalidArgument", 400),
    (
        "header twice",
        origin(CustomHeaders=counted(*({"HeaderName": n, "HeaderValue": ""} for n in ("a", "A")))),
        "InvalidArgument",
        400,
    ),
    (
        "headers too large",
        origin(CustomHeaders=counted(*({"HeaderName": f"x{n}", "HeaderValue": "v" * 1700} for n in range(7)))),
        "InvalidArgument",
        400,
    ),
    # Origin groups.
    ("group of a missing origin", group("shop", "nowhere"), "NoSuchOrigin", 404),
    ("group of one origin twice", group("shop", "shop"), "InvalidArgument", 400),
    ("group of one origin", group("shop"), "MalformedXML", 400),
    ("group that fails over on success", group("shop", "spare", statuses=(200,)), "InvalidArgument", 400),
    ("group named as an origin", group("shop", "spare", identifier="shop"), "InvalidArgument", 400),
    (
        "group for all methods",
        lambda c: (group("shop", "spare")(c), behavior(TargetOriginId="both")(c), methods(*EVERY_METHOD)(c))[0],
        "InvalidArgument",
        400,
    ),
    # Cache behaviors.
    ("long path pattern", listed("/" + "a" * 255), "InvalidArgument", 400),
    ("empty path pattern", listed(""), "InvalidArgument", 400),
    ("path pattern with a space", listed("/a b"), "InvalidArgument", 400),
    ("path pattern twice", listed("/a/*", "/a/*"), "InvalidArgument", 400),
    ("path pattern twice, once without slash", listed("/a/*", "a/*"), "InvalidArgument", 400),
    ("viewer protocol policy", behavior(ViewerProtocolPolicy="http-only"), "MalformedXML", 400),
    ("GET alone", methods("GET"), "InvalidArgument", 400),
    ("a method twice", methods("GET", "GET"), "InvalidArgument", 400),
    ("an unknown method", methods("GET", "HEAD", "TRACE"), "MalformedXML", 400),
    (
        "POST cached",
        methods("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE", cached=("GET", "HEAD", "POST")),
        "InvalidArgument",
        400,
    ),
    ("OPTIONS cached, not allowed", methods("GET", "HEAD", cached=("GET", "HEAD", "OPTIONS")), "InvalidArgument", 400),
    ("no such cache policy", behavior(CachePolicyId=NOWHERE), "NoSuchCachePolicy", 404),
    ("no such request policy", behavior(OriginRequestPolicyId=NOWHERE), "NoSuchOriginRequestPolicy", 404),
    ("no such headers policy", behavior(ResponseHeadersPolicyId=NOWHERE), "NoSuchResponseHeadersPolicy", 404),
    ("no such encryption", behavior(FieldLevelEncryptionId="C0"), "NoSuchFieldLevelEncryptionConfig", 404),
    ("no such log", behavior(RealtimeLogConfigArn="arn:x"), "NoSuchRealtimeLogConfig", 404),
    ("TTL beside a cache policy", behavior(MinTTL=0), "InvalidArgument", 400),
    (
        "values beside a cache policy",
        behavior(ForwardedValues={"QueryString": False, "Cookies": {"Forward": "none"}}),
        "InvalidArgument",
        400,
    ),
    ("neither policy nor values", behavior(CachePolicyId=""), "InvalidArgument", 400),
    (
        "values without MinTTL",
        lambda c: (legacy()(c), c["DefaultCacheBehavior"].pop("MinTTL"))[0],
        "InvalidArgument",
        400,
    ),
    (
        "request policy without cache policy",
        legacy(OriginRequestPolicyId="216adef6-5c7f-47e4-b989-5492eafa07d3"),
        "InvalidArgument",
        400,
    ),
    ("negative TTL", legacy(MinTTL=-1), "InvalidTTLOrder", 400),
    ("default below minimum", legacy(MinTTL=10, DefaultTTL=5), "InvalidTTLOrder", 400),
    ("maximum below default", legacy(DefaultTTL=20, MaxTTL=10), "InvalidTTLOrder", 400),
    (
        "cookie names without whitelist",
        forwarded(Cookies={"Forward": "all", "WhitelistedNames": counted("a")}),
        "InvalidForwardCookies",
        400,
    ),
    ("whitelist without cookie names", forwarded(Cookies={"Forward": "whitelist"}), "InvalidForwardCookies", 400),
    (
        "too many cookies",
        forwarded(Cookies={"Forward": "whitelist", "WhitelistedNames": counted(*"abcdefghijk")}),
        "TooManyCookieNamesInWhiteList",
        400,
    ),
    ("too many headers", forwarded(Headers=counted(*"abcdefghijk")), "TooManyHeadersInForwardedValues", 400),
    ("query keys without query", forwarded(QueryStringCacheKeys=counted("a")), "InvalidQueryStringParameters", 400),
    (
        "too many query keys",
        forwarded(QueryString=True, QueryStringCacheKeys=counted(*"abcdefghijk")),
        "TooManyQueryStringParameters",
        400,
    ),
    (
        "trust switched off, with groups",
        behavior(TrustedKeyGroups={"Enabled": False, **counted(NOWHERE)}),
        "InvalidArgument",
        400,
    ),
    ("trust in nobody", behavior(TrustedKeyGroups={"Enabled": True, "Quantity": 0}), "InvalidArgument", 400),
    ("signers switched off", behavior(TrustedSigners={"Enabled": False, **counted("self")}), "InvalidArgument", 400),
    (
        "a signer that is no account",
        behavior(TrustedSigners={"Enabled": True, **counted("me")}),
        "TrustedSignerDoesNotExist",
        400,
    ),
    (
        "CloudFront function",
        behavior(
            FunctionAssociations=counted(
                {"FunctionARN": "arn:aws:cloudfront::123456789012:function/f", "EventType": "viewer-request"}
            )
        ),
        "InvalidFunctionAssociation",
        400,
    ),
    (
        "Lambda function without version",
        behavior(LambdaFunctionAssociations=counted({"LambdaFunctionARN": LAMBDA, "EventType": "viewer-request"})),
        "InvalidLambdaFunctionAssociation",
        400,
    ),
    (
        "two Lambda functions for one event",
        behavior(
            LambdaFunctionAssociations=counted(
                *({"LambdaFunctionARN": f"{LAMBDA}:{n}", "EventType": "viewer-request"} for n in (1, 2))
            )
        ),
        "InvalidLambdaFunctionAssociation",
        400,
    ),
    # Aliases and certificates.
    ("alias without certificate", top(Aliases=counted("shop.example.com")), "InvalidViewerCertificate", 400),
    ("alias that is none", top(Aliases=counted("shop example")), "InvalidArgument", 400),
    ("alias with a wildcard inside", top(Aliases=counted("a.*.example.com")), "InvalidArgument", 400),
    ("empty alias", top(Aliases=counted("")), "InvalidArgument", 400),
    ("alias twice", top(Aliases=counted("a.example.com", "A.example.com")), "InvalidArgument", 400),
    (
        "two certificates",
        certificate(ACMCertificateArn=CERTIFICATE, IAMCertificateId="A"),
        "InvalidViewerCertificate",
        400,
    ),
    (
        "default and another",
        certificate(ACMCertificateArn=CERTIFICATE, CloudFrontDefaultCertificate=True, SSLSupportMethod="sni-only"),
        "InvalidViewerCertificate",
        400,
    ),
    ("no certificate at all", certificate(CloudFrontDefaultCertificate=False), "InvalidViewerCertificate", 400),
    ("certificate without method", certificate(ACMCertificateArn=CERTIFICATE), "InvalidViewerCertificate", 400),
    (
        "SSLv3 for SNI",
        certificate(ACMCertificateArn=CERTIFICATE, SSLSupportMethod="sni-only", MinimumProtocolVersion="SSLv3"),
        "InvalidProtocolSettings",
        400,
    ),
    (
        "new protocol for old clients",
        certificate(IAMCertificateId="A", SSLSupportMethod="vip", MinimumProtocolVersion="TLSv1.2_2021"),
        "InvalidMinimumProtocolVersion",
        400,
    ),
    # Error pages and countries.
    ("page for a teapot", error_page(ErrorCode=418), "InvalidErrorCode", 400),
    ("page without status", error_page(ResponsePagePath="/404.html"), "InvalidResponseCode", 400),
    ("status without page", error_page(ResponseCode="200"), "InvalidResponseCode", 400),
    (
        "page with a strange status",
        error_page(ResponsePagePath="/404.html", ResponseCode="201"),
        "InvalidResponseCode",
        400,
    ),
    ("page without slash", error_page(ResponsePagePath="404.html", ResponseCode="200"), "InvalidRelativePath", 400),
    ("countries without restriction", geography("none", "DE"), "InvalidGeoRestrictionParameter", 400),
    ("restriction without countries", geography("whitelist"), "InvalidGeoRestrictionParameter", 400),
    ("country that is none", geography("blacklist", "DE", ""), "InvalidLocationCode", 400),
]


@pytest.mark.parametrize(("change", "code", "status"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_configuration_that_breaks_a_rule_is_refused(
    careless: CloudFrontClient,
    refused: Refusal,
    config: Callable[..., Config],
    change: Callable[[Config], None],
    code: str,
    status: int,
) -> None:
    given = config()
    change(given)
    assert refused(careless.create_distribution, DistributionConfig=given)[:2] == (code, status)
    assert careless.list_distributions()["DistributionList"]["Quantity"] == 0


ACCEPTED: list[tuple[str, Callable[[Config], None]]] = [
    ("a bucket", s3()),
    ("a bucket's older name", s3("my.shop.s3.amazonaws.com")),
    ("a bucket's dashed name", s3("shop.s3-us-west-2.amazonaws.com")),
    ("a bucket on both protocols", s3("shop.s3.dualstack.eu-west-1.amazonaws.com")),
    ("a bucket's website as a custom origin", origin(DomainName="shop.s3-website.us-east-1.amazonaws.com")),
    ("an origin path", origin(OriginPath="/production/images")),
    ("a secret header", header("X-Origin-Secret", "v" * 1783)),
    ("a shield", origin(OriginShield={"Enabled": True, "OriginShieldRegion": "eu-central-1"})),
    ("an origin group", group("shop", "spare", statuses=(403, 404, 500, 502, 503, 504))),
    ("a behavior for a group", lambda c: (group("shop", "spare")(c), behavior(TargetOriginId="both")(c))[0]),
    ("patterns", listed("/private/*", "*.jpg", "a??.jpg", "/" + "a" * 254, "/~u/@x:y+z&\"'$_-")),
    ("every method", methods("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")),
    ("OPTIONS cached", methods("HEAD", "GET", "OPTIONS", cached=("HEAD", "GET", "OPTIONS"))),
    (
        "managed policies",
        behavior(
            OriginRequestPolicyId="b689b0a8-53d0-40ab-baf2-68738e2966ac",
            ResponseHeadersPolicyId="67f7725c-6f97-4210-82d7-5512b31e9d03",
        ),
    ),
    ("the older settings", legacy(DefaultTTL=60, MaxTTL=60)),
    (
        "cookies and queries",
        forwarded(
            QueryString=True,
            QueryStringCacheKeys=counted("v"),
            Cookies={"Forward": "whitelist", "WhitelistedNames": counted("session")},
            Headers=counted("Origin"),
        ),
    ),
    (
        "a Lambda function",
        behavior(
            LambdaFunctionAssociations=counted(
                {"LambdaFunctionARN": f"{LAMBDA}:7", "EventType": "origin-request", "IncludeBody": True}
            )
        ),
    ),
    ("a certificate of IAM", certificate(IAMCertificateId="ASCA0000", SSLSupportMethod="vip")),
    (
        "a certificate in the older form",
        certificate(Certificate=CERTIFICATE, CertificateSource="acm", SSLSupportMethod="sni-only"),
    ),
    ("an error page", error_page(ResponsePagePath="/404.html", ResponseCode="200", ErrorCachingMinTTL=5)),
    ("no page, a TTL", error_page(ErrorCachingMinTTL=0)),
    ("a country", geography("whitelist", "DE", "FR")),
    (
        "a web ACL",
        top(WebACLId="arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/473e64fd-f30b-4765-81a0-62ad96dd167a"),
    ),
    ("a root object", top(DefaultRootObject="books/index.html")),
    ("a log", top(Logging={"Enabled": True, "IncludeCookies": False, "Bucket": "logs.s3.amazonaws.com", "Prefix": ""})),
    ("an empty list beside a zero", top(Aliases={"Quantity": 0, "Items": []})),
]


@pytest.mark.parametrize("change", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_a_configuration_within_the_rules_is_taken_and_can_be_sent_back(
    cloudfront: CloudFrontClient, config: Callable[..., Config], change: Callable[[Config], None]
) -> None:
    given: Any = config()
    change(given)
    made: Any = cloudfront.create_distribution(DistributionConfig=given)
    kept = made["Distribution"]["DistributionConfig"]
    again = cloudfront.update_distribution(Id=made["Distribution"]["Id"], IfMatch=made["ETag"], DistributionConfig=kept)
    assert again["Distribution"]["DistributionConfig"] == kept


QUOTAS: list[tuple[Quotas, Callable[[Config], None], str]] = [
    (Quotas(origins_per_distribution=1), group("shop", "spare"), "TooManyOrigins"),
    (Quotas(origin_groups_per_distribution=0), group("shop", "spare"), "TooManyOriginGroupsPerDistribution"),
    (Quotas(cache_behaviors_per_distribution=1), listed("/a", "/b"), "TooManyCacheBehaviors"),
    (Quotas(aliases_per_distribution=1), top(Aliases=counted("a.b.c", "b.b.c")), "TooManyDistributionCNAMEs"),
    (Quotas(custom_headers_per_origin=0), header("x-a"), "TooManyOriginCustomHeaders"),
    (Quotas(distributions=0), top(), "TooManyDistributions"),
]


@pytest.mark.parametrize(("quotas", "change", "code"), QUOTAS, ids=[row[2] for row in QUOTAS])
def test_a_quota_bounds_what_a_distribution_has(
    cloudfront: CloudFrontClient,
    refused: Refusal,
    with_plane: Callable[..., object],
    config: Callable[..., Config],
    quotas: Quotas,
    change: Callable[[Config], None],
    code: str,
) -> None:
    with_plane(quotas)
    given = config()
    change(given)
    assert refused(cloudfront.create_distribution, DistributionConfig=given)[:2] == (code, 400)


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        (origin(DomainName="127.0.0.1"), "InvalidArgument", "The parameter origin name cannot be an IP address"),
        (header("Host", "a"), "InvalidArgument", "The parameter HeaderName : Host is not allowed."),
        (
            lambda c: (group("shop", "spare")(c), behavior(TargetOriginId="both")(c), methods(*EVERY_METHOD)(c))[0],
            "InvalidArgument",
            "The parameter AllowedMethods cannot include POST, PUT, PATCH, or DELETE for a cached behavior",
        ),
        (
            top(
                ViewerCertificate={
                    **OWN_CERTIFICATE,
                    "ACMCertificateArn": CERTIFICATE.replace("us-east-1", "eu-west-1"),
                }
            ),
            "InvalidViewerCertificate",
            "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid",
        ),
        (behavior(TargetOriginId="x" * 129), "NoSuchOrigin", "One or more of your origins"),
        (top(Comment="c" * 129), "InvalidArgument", "The parameter Comment is too big"),
    ],
)
def test_a_refusal_has_the_words_that_were_seen_in_the_field(
    careless: CloudFrontClient,
    refused: Refusal,
    config: Callable[..., Config],
    change: Callable[[Config], None],
    code: str,
    text: str,
) -> None:
    given = config()
    change(given)
    refusal = refused(careless.create_distribution, DistributionConfig=given)
    assert refusal[0] == code
    assert refusal[2].startswith(text)
