"""An account as values: from the API's answers, page by page, and from saved JSON."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from keyfront.core.keys import SigningKey
from keyfront.errors import InputError, ServiceError
from keyfront.inventory import (
    AddedHeader,
    CachePolicy,
    Cors,
    CustomErrorResponse,
    CustomOrigin,
    DeploymentPolicy,
    ForwardedValues,
    GeoRestriction,
    Inventory,
    Origin,
    OriginGroup,
    RealtimeLog,
    ResponseHeadersPolicy,
    Selection,
    parse_distribution,
    read,
)

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

WHEN = datetime(2026, 11, 23, tzinfo=UTC)
KEY = SigningKey.generate("ecdsa").public_key
NOTHING: dict[str, Any] = {"Quantity": 0, "MaxItems": 100}

BEHAVIOR: dict[str, Any] = {
    "TargetOriginId": "bucket",
    "TrustedSigners": {"Enabled": False, "Quantity": 0},
    "TrustedKeyGroups": {"Enabled": True, "Quantity": 2, "Items": ["g1", "g2"]},
    "ViewerProtocolPolicy": "redirect-to-https",
    "AllowedMethods": {
        "Quantity": 3,
        "Items": ["HEAD", "GET", "OPTIONS"],
        "CachedMethods": {"Quantity": 2, "Items": ["HEAD", "GET"]},
    },
    "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    "OriginRequestPolicyId": "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
    "LambdaFunctionAssociations": {
        "Quantity": 1,
        "Items": [{"LambdaFunctionARN": "arn:lambda", "EventType": "viewer-request"}],
    },
    "FunctionAssociations": {"Quantity": 1, "Items": [{"FunctionARN": "arn:function", "EventType": "viewer-request"}]},
}
LEGACY: dict[str, Any] = {
    "PathPattern": "api/*",
    "TargetOriginId": "group",
    "TrustedSigners": {"Enabled": True, "Quantity": 1, "Items": ["self"]},
    "TrustedKeyGroups": {"Enabled": False, "Quantity": 0},
    "ViewerProtocolPolicy": "allow-all",
    "ForwardedValues": {
        "QueryString": True,
        "Cookies": {"Forward": "whitelist", "WhitelistedNames": {"Quantity": 1, "Items": ["lang"]}},
        "Headers": {"Quantity": 2, "Items": ["Accept-Language", "Host"]},
        "QueryStringCacheKeys": {"Quantity": 1, "Items": ["page"]},
    },
    "MinTTL": 1,
    "DefaultTTL": 2,
    "MaxTTL": 3,
}
CONFIG: dict[str, Any] = {
    "CallerReference": "r",
    "Aliases": {"Quantity": 1, "Items": ["films.example.com"]},
    "DefaultRootObject": "index.html",
    "Origins": {
        "Quantity": 2,
        "Items": [
            {
                "Id": "bucket",
                "DomainName": "films.s3.amazonaws.com",
                "OriginPath": "/v1",
                "CustomHeaders": {"Quantity": 1, "Items": [{"HeaderName": "X-Secret", "HeaderValue": "shh"}]},
                "S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/E127EXAMPLE51Z"},
                "OriginAccessControlId": "OAC1",
                "ConnectionAttempts": 2,
                "ConnectionTimeout": 5,
            },
            {
                "Id": "web",
                "DomainName": "api.example.com",
                "OriginPath": "",
                "CustomHeaders": {"Quantity": 0},
                "CustomOriginConfig": {
                    "HTTPPort": 8000,
                    "HTTPSPort": 8001,
                    "OriginProtocolPolicy": "match-viewer",
                    "OriginReadTimeout": 20,
                    "OriginKeepaliveTimeout": 6,
                },
            },
        ],
    },
    "OriginGroups": {
        "Quantity": 1,
        "Items": [
            {
                "Id": "group",
                "FailoverCriteria": {"StatusCodes": {"Quantity": 2, "Items": [500, 502]}},
                "Members": {"Quantity": 2, "Items": [{"OriginId": "web"}, {"OriginId": "bucket"}]},
            }
        ],
    },
    "DefaultCacheBehavior": BEHAVIOR,
    "CacheBehaviors": {"Quantity": 1, "Items": [LEGACY]},
    "CustomErrorResponses": {
        "Quantity": 2,
        "Items": [
            {"ErrorCode": 403, "ResponsePagePath": "/403.html", "ResponseCode": "200", "ErrorCachingMinTTL": 5},
            {"ErrorCode": 404, "ResponsePagePath": "", "ResponseCode": "", "ErrorCachingMinTTL": 0},
        ],
    },
    "Comment": "films",
    "Enabled": True,
}


def test_a_saved_configuration_becomes_values() -> None:
    saved = json.loads(json.dumps({"ETag": "E2", "DistributionConfig": CONFIG}))
    found = parse_distribution(saved, id="EDFDVBD6EXAMPLE", domain_name="d111111abcdef8.cloudfront.net")
    assert (found.id, found.domain_name, found.etag) == ("EDFDVBD6EXAMPLE", "d111111abcdef8.cloudfront.net", "E2")
    assert (found.aliases, found.default_root_object, found.enabled) == (("films.example.com",), "index.html", True)
    default = found.default_behavior
    assert (default.path_pattern, default.target_origin_id) == ("*", "bucket")
    assert (default.protected, default.trusted_key_groups, default.trusted_signers) == (True, ("g1", "g2"), ())
    assert default.viewer_protocol_policy == "redirect-to-https"
    assert (default.allowed_methods, default.cached_methods) == (("HEAD", "GET", "OPTIONS"), ("HEAD", "GET"))
    assert default.functions == ("arn:function", "arn:lambda")
    (legacy,) = found.behaviors
    assert (legacy.path_pattern, legacy.protected, legacy.trusted_signers) == ("api/*", True, ("self",))
    assert (legacy.min_ttl, legacy.default_ttl, legacy.max_ttl) == (1, 2, 3)
    assert (legacy.allowed_methods, legacy.cached_methods) == (("HEAD", "GET"), ("HEAD", "GET"))
    assert legacy.forwarded_values == ForwardedValues(
        query_string=True,
        query_string_cache_keys=("page",),
        cookies=Selection("some", frozenset({"lang"})),
        headers=Selection("some", frozenset({"accept-language", "host"})),
    )
    assert found.origins == (
        Origin(
            "bucket",
            "films.s3.amazonaws.com",
            "/v1",
            custom_headers=(("X-Secret", "shh"),),
            access_control="OAC1",
            access_identity="E127EXAMPLE51Z",
            connection_attempts=2,
            connection_timeout=5,
        ),
        Origin("web", "api.example.com", custom=CustomOrigin(8000, 8001, "match-viewer", 20)),
    )
    assert found.origin_groups == (OriginGroup("group", ("web", "bucket"), (500, 502)),)
    assert found.custom_errors == (CustomErrorResponse(403, "/403.html", 200, 5), CustomErrorResponse(404, "", 404, 0))


def test_a_bare_configuration_and_a_whole_distribution_are_taken_as_well() -> None:
    bare = parse_distribution(CONFIG, id="E1")
    around = {"Id": "E2", "ARN": "arn", "Status": "InProgress", "DomainName": "d", "DistributionConfig": CONFIG}
    whole = parse_distribution({"Distribution": around, "ETag": "e"}, id="ignored")
    assert (bare.id, whole.id, whole.domain_name, whole.status, whole.etag) == ("E1", "E2", "d", "InProgress", "e")
    assert bare.behaviors == whole.behaviors


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"Enabled": True},
        {"DistributionConfig": None},
        {"DistributionConfig": []},
        {"DefaultCacheBehavior": {}},
        {**CONFIG, "Origins": {"Items": [{"Id": "x"}]}},
        {**CONFIG, "CacheBehaviors": {"Items": [BEHAVIOR]}},
        {**CONFIG, "CustomErrorResponses": {"Items": [{"ErrorCode": 404, "ResponseCode": "many"}]}},
    ],
)
def test_a_document_that_is_no_configuration_is_refused_with_what_to_give(document: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="get-distribution-config --id"):
        parse_distribution(document)


@pytest.mark.parametrize(
    ("trusted", "protected"),
    [
        ({"Enabled": False, "Quantity": 0}, False),
        ({"Enabled": True, "Quantity": 1, "Items": ["g"]}, True),
        ({"Enabled": True, "Quantity": 0}, True),
        ({"Enabled": False, "Quantity": 1, "Items": ["g"]}, True),
        (None, False),
    ],
)
@pytest.mark.parametrize("kind", ["TrustedKeyGroups", "TrustedSigners"])
def test_a_behavior_is_protected_when_anything_says_so(
    kind: str, trusted: dict[str, Any] | None, protected: bool
) -> None:
    behavior = {**BEHAVIOR, "TrustedKeyGroups": None, "TrustedSigners": None, kind: trusted}
    assert parse_distribution({**CONFIG, "DefaultCacheBehavior": behavior}).default_behavior.protected is protected


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        (Selection(), set()),
        (Selection("all"), {"a", "b"}),
        (Selection("some", frozenset("a")), {"a"}),
        (Selection("all-but", frozenset("a")), {"b"}),
    ],
)
def test_a_selection_says_what_counts(selection: Selection, chosen: set[str]) -> None:
    assert {name for name in "ab" if name in selection} == chosen


@pytest.fixture
def stubbed() -> Iterator[tuple[CloudFrontClient, Stubber]]:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    client = session.client("cloudfront", config=Config(retries={"total_max_attempts": 1}))
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def config(**changes: Any) -> dict[str, Any]:
    """A configuration that the API model takes, without managed policies."""
    made = copy.deepcopy(CONFIG)
    for behavior in (made["DefaultCacheBehavior"], made["CacheBehaviors"]["Items"][0]):
        behavior.pop("CachePolicyId", None)
        behavior.pop("OriginRequestPolicyId", None)
    return {**made, **changes}


def summary(distribution_id: str, etag: str | None, modified: datetime = WHEN, status: str = "Deployed") -> Any:
    keep = (
        "Aliases",
        "Origins",
        "CustomErrorResponses",
        "DefaultCacheBehavior",
        "CacheBehaviors",
        "Comment",
        "Enabled",
    )
    return {
        **{name: config()[name] for name in keep},
        "Id": distribution_id,
        "ARN": "arn",
        "Status": status,
        "LastModifiedTime": modified,
        "DomainName": f"{distribution_id.lower()}.cloudfront.net",
        "PriceClass": "PriceClass_All",
        "ViewerCertificate": {},
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
        "WebACLId": "",
        "HttpVersion": "http2",
        "IsIPV6Enabled": True,
        "Staging": False,
        **({"ETag": etag} if etag else {}),
    }


def whole(distribution_id: str, etag: str, modified: datetime = WHEN, **changes: Any) -> Any:
    return {
        "ETag": etag,
        "Distribution": {
            "Id": distribution_id,
            "ARN": "arn",
            "Status": "Deployed",
            "LastModifiedTime": modified,
            "InProgressInvalidationBatches": 0,
            "DomainName": f"{distribution_id.lower()}.cloudfront.net",
            "DistributionConfig": config(**changes),
        },
    }


def distributions(stubber: Stubber, *summaries: Any) -> None:
    page = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": len(summaries), "Items": list(summaries)}
    stubber.add_response("list_distributions", {"DistributionList": page}, {})


def rest(stubber: Stubber, *, groups: Any = (), keys: Any = ()) -> None:
    """Key groups, keys, origin access controls and identities, each on one page."""
    stubber.add_response("list_key_groups", {"KeyGroupList": {**NOTHING, "Items": list(groups)}}, {})
    stubber.add_response("list_public_keys", {"PublicKeyList": {**NOTHING, "Items": list(keys)}}, {})
    more = {"Marker": "", "IsTruncated": False, **NOTHING}
    stubber.add_response("list_origin_access_controls", {"OriginAccessControlList": more}, {})
    stubber.add_response("list_cloud_front_origin_access_identities", {"CloudFrontOriginAccessIdentityList": more}, {})


def group(group_id: str, *keys: str) -> Any:
    settings = {"Name": f"group {group_id}", "Items": list(keys)}
    return {"KeyGroup": {"Id": group_id, "LastModifiedTime": WHEN, "KeyGroupConfig": settings}}


def public_key(key_id: str, pem: str = KEY.pem) -> Any:
    return {"Id": key_id, "Name": f"key {key_id}", "CreatedTime": WHEN, "EncodedKey": pem}


Stubbed = tuple["CloudFrontClient", Stubber]


def test_an_account_is_read_page_by_page(stubbed: Stubbed) -> None:
    client, stubber = stubbed
    first = {"Marker": "", "NextMarker": "E1", "MaxItems": 1, "IsTruncated": True, "Quantity": 1}
    stubber.add_response("list_distributions", {"DistributionList": {**first, "Items": [summary("E1", "e1")]}}, {})
    stubber.add_response("get_distribution", whole("E1", "e1"), {"Id": "E1"})
    last = {"Marker": "E1", "MaxItems": 1, "IsTruncated": False, "Quantity": 1}
    stubber.add_response(
        "list_distributions", {"DistributionList": {**last, "Items": [summary("E2", "e2")]}}, {"Marker": "E1"}
    )
    stubber.add_response("get_distribution", whole("E2", "e2"), {"Id": "E2"})
    page = {"NextMarker": "g1", "MaxItems": 1, "Quantity": 1, "Items": [group("g1", "K1")]}
    stubber.add_response("list_key_groups", {"KeyGroupList": page}, {})
    page = {"MaxItems": 1, "Quantity": 1, "Items": [group("g2", "K1", "K2")]}
    stubber.add_response("list_key_groups", {"KeyGroupList": page}, {"Marker": "g1"})
    page = {"NextMarker": "K1", "MaxItems": 1, "Quantity": 1, "Items": [public_key("K1")]}
    stubber.add_response("list_public_keys", {"PublicKeyList": page}, {})
    page = {"MaxItems": 1, "Quantity": 1, "Items": [public_key("K2")]}
    stubber.add_response("list_public_keys", {"PublicKeyList": page}, {"Marker": "K1"})
    control: Any = {
        "Id": "OAC1",
        "Description": "",
        "Name": "films",
        "SigningProtocol": "sigv4",
        "SigningBehavior": "no-override",
        "OriginAccessControlOriginType": "s3",
    }
    one = {"Marker": "", "IsTruncated": False, "MaxItems": 100, "Quantity": 1}
    stubber.add_response("list_origin_access_controls", {"OriginAccessControlList": {**one, "Items": [control]}}, {})
    identity = {"Id": "EOAI", "S3CanonicalUserId": "abc", "Comment": "old"}
    stubber.add_response(
        "list_cloud_front_origin_access_identities",
        {"CloudFrontOriginAccessIdentityList": {**one, "Items": [identity]}},
        {},
    )
    found = read(client)
    assert [each.id for each in found.distributions] == ["E1", "E2"]
    assert found.distributions[0].domain_name == "e1.cloudfront.net"
    assert {each.id: each.keys for each in found.key_groups.values()} == {"g1": ("K1",), "g2": ("K1", "K2")}
    assert found.trusted_keys(found.distributions[0].default_behavior) == {"K1": KEY, "K2": KEY}
    assert found.access_controls["OAC1"].signing_behavior == "no-override"
    assert found.access_identities["EOAI"].comment == "old"


@pytest.mark.parametrize("with_etag", [True, False])
def test_only_what_changed_is_fetched_again(stubbed: Stubbed, with_etag: bool) -> None:
    client, stubber = stubbed
    later = datetime(2026, 11, 24, tzinfo=UTC)
    distributions(stubber, summary("E1", "e1" if with_etag else None), summary("E2", "e2" if with_etag else None))
    stubber.add_response("get_distribution", whole("E1", "e1"), {"Id": "E1"})
    stubber.add_response("get_distribution", whole("E2", "e2"), {"Id": "E2"})
    rest(stubber)
    before = read(client)
    distributions(
        stubber,
        summary("E1", "e1" if with_etag else None, status="InProgress"),
        summary("E2", "e3" if with_etag else None, later),
    )
    stubber.add_response("get_distribution", whole("E2", "e3", later, Comment="changed"), {"Id": "E2"})
    rest(stubber)
    after = read(client, before)
    assert [each.comment for each in after.distributions] == ["films", "changed"]
    assert [each.status for each in after.distributions] == ["InProgress", "Deployed"]
    assert after.distributions[0].default_behavior is before.distributions[0].default_behavior


def test_a_deleted_distribution_is_gone(stubbed: Stubbed) -> None:
    client, stubber = stubbed
    distributions(stubber, summary("E1", "e1"))
    stubber.add_client_error("get_distribution", "NoSuchDistribution", http_status_code=404)
    rest(stubber)
    assert read(client).distributions == ()


def test_a_key_that_cannot_be_used_is_named_once_and_trusted_by_nobody(
    stubbed: Stubbed, caplog: pytest.LogCaptureFixture
) -> None:
    client, stubber = stubbed
    unusable = public_key("K2", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    for _ in range(2):
        distributions(stubber)
        rest(stubber, groups=[group("g1", "K1", "K2", "K3")], keys=[public_key("K1"), unusable])
    before = read(client)
    after = read(client, before)
    assert caplog.text.count("public key K2 cannot be used and is not trusted") == 1
    assert after.keys["K1"].key is before.keys["K1"].key
    assert list(after.unusable_keys) == ["K2"]
    behavior = parse_distribution(CONFIG).default_behavior
    assert after.trusted_keys(behavior) == {"K1": KEY}


def policy_list(stubber: Stubber) -> None:
    cached: Any = {
        "Id": "own",
        "LastModifiedTime": WHEN,
        "CachePolicyConfig": {
            "Name": "mine",
            "MinTTL": 1,
            "DefaultTTL": 2,
            "MaxTTL": 3,
            "ParametersInCacheKeyAndForwardedToOrigin": {
                "EnableAcceptEncodingGzip": True,
                "EnableAcceptEncodingBrotli": False,
                "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["X-Own"]}},
                "CookiesConfig": {"CookieBehavior": "allExcept", "Cookies": {"Quantity": 1, "Items": ["t"]}},
                "QueryStringsConfig": {"QueryStringBehavior": "all"},
            },
        },
    }
    stubber.add_response(
        "list_cache_policies",
        {"CachePolicyList": {**NOTHING, "Items": [{"Type": "custom", "CachePolicy": cached}]}},
        {},
    )


def test_the_accounts_own_policies_are_read_when_a_behavior_names_one(stubbed: Stubbed) -> None:
    client, stubber = stubbed
    distributions(stubber, summary("E1", "e1"))
    behavior = {**config()["DefaultCacheBehavior"], "CachePolicyId": "own"}
    stubber.add_response("get_distribution", whole("E1", "e1", DefaultCacheBehavior=behavior), {"Id": "E1"})
    policy_list(stubber)
    rest(stubber)
    assert read(client).cache_policies == {
        "own": CachePolicy(
            "own",
            "mine",
            1,
            2,
            3,
            query_strings=Selection("all"),
            cookies=Selection("all-but", frozenset({"t"})),
            headers=Selection("some", frozenset({"x-own"})),
            gzip=True,
        )
    }


def test_response_headers_policies_are_read_when_a_behavior_names_one(stubbed: Stubbed) -> None:
    client, stubber = stubbed
    distributions(stubber, summary("E1", "e1"))
    behavior = {**config()["DefaultCacheBehavior"], "ResponseHeadersPolicyId": "own"}
    stubber.add_response("get_distribution", whole("E1", "e1", DefaultCacheBehavior=behavior), {"Id": "E1"})
    one = {"Quantity": 1}
    policy: Any = {
        "Id": "own",
        "LastModifiedTime": datetime(2027, 1, 1, tzinfo=UTC),
        "ResponseHeadersPolicyConfig": {
            "Name": "mine",
            "CorsConfig": {
                "AccessControlAllowOrigins": {**one, "Items": ["https://a.example"]},
                "AccessControlAllowHeaders": {**one, "Items": ["*"]},
                "AccessControlAllowMethods": {**one, "Items": ["ALL"]},
                "AccessControlAllowCredentials": True,
                "AccessControlMaxAgeSec": 600,
                "OriginOverride": True,
            },
            "SecurityHeadersConfig": {
                "XSSProtection": {"Override": False, "Protection": True, "ReportUri": "/r"},
                "FrameOptions": {"Override": True, "FrameOption": "DENY"},
                "StrictTransportSecurity": {
                    "Override": True,
                    "AccessControlMaxAgeSec": 5,
                    "IncludeSubdomains": True,
                    "Preload": True,
                },
            },
            "ServerTimingHeadersConfig": {"Enabled": True, "SamplingRate": 12.5},
            "CustomHeadersConfig": {**one, "Items": [{"Header": "X-Own", "Value": "1", "Override": False}]},
            "RemoveHeadersConfig": {**one, "Items": [{"Header": "X-Powered-By"}]},
        },
    }
    stubber.add_response(
        "list_response_headers_policies",
        {"ResponseHeadersPolicyList": {**NOTHING, "Items": [{"Type": "custom", "ResponseHeadersPolicy": policy}]}},
        {},
    )
    rest(stubber)
    found = read(client).response_headers_policies["own"]
    assert found == ResponseHeadersPolicy(
        "own",
        "mine",
        Cors(
            ("https://a.example",),
            ("GET", "DELETE", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"),
            ("*",),
            credentials=True,
            max_age=600,
            override=True,
        ),
        (
            AddedHeader("strict-transport-security", "max-age=5; includeSubDomains; preload", override=True),
            AddedHeader("x-frame-options", "DENY", override=True),
            AddedHeader("x-xss-protection", "1; report=/r", override=False),
            AddedHeader("X-Own", "1", override=False),
        ),
        frozenset({"x-powered-by"}),
        12.5,
    )


def test_geo_restriction_compression_and_time_limits_are_read() -> None:
    restriction = {"RestrictionType": "whitelist", "Quantity": 2, "Items": ["DE", "fr"]}
    document = config(Restrictions={"GeoRestriction": restriction})
    document["DefaultCacheBehavior"]["Compress"] = True
    document["Origins"]["Items"][0]["ResponseCompletionTimeout"] = 60
    found = parse_distribution(document)
    assert found.geo_restriction == GeoRestriction("whitelist", frozenset({"DE", "FR"}))
    assert found.default_behavior.compress
    assert found.origins[0].completion_timeout == 60


def test_an_api_that_lists_no_policies_is_read_without_them(stubbed: Stubbed) -> None:
    client, stubber = stubbed
    distributions(stubber, summary("E1", "e1"))
    behavior = {**config()["DefaultCacheBehavior"], "CachePolicyId": "own"}
    stubber.add_response("get_distribution", whole("E1", "e1", DefaultCacheBehavior=behavior), {"Id": "E1"})
    stubber.add_client_error("list_cache_policies", "UnsupportedOperation", http_status_code=501)
    rest(stubber)
    assert read(client).cache_policies == {}


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling"])
def test_an_api_that_refuses_is_an_error_with_its_words(stubbed: Stubbed, code: str) -> None:
    client, stubber = stubbed
    stubber.add_client_error("list_distributions", code, "no, not you", http_status_code=403)
    with pytest.raises(ServiceError, match=f"{code}.*no, not you"):
        read(client)


def test_an_api_that_is_not_there_is_an_error(free_port: Callable[[], int]) -> None:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    client = session.client(
        "cloudfront",
        endpoint_url=f"http://127.0.0.1:{free_port()}",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    with pytest.raises(ServiceError, match="cannot read the account"):
        read(client, Inventory())


@pytest.fixture
def free_port() -> Callable[[], int]:
    import socket

    def find() -> int:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            return int(taken.getsockname()[1])

    return find


def test_deployment_policies_and_real_time_logs_are_read_when_something_names_one(stubbed: Stubbed) -> None:
    client, stubber = stubbed
    distributions(stubber, summary("E1", "e1"))
    behavior = {**config()["DefaultCacheBehavior"], "RealtimeLogConfigArn": "arn:log", "FieldLevelEncryptionId": "C1"}
    changes: dict[str, Any] = {
        "DefaultCacheBehavior": behavior,
        "ContinuousDeploymentPolicyId": "p1",
        "WebACLId": "acl",
    }
    stubber.add_response("get_distribution", whole("E1", "e1", **changes), {"Id": "E1"})
    rest(stubber)
    session = {"IdleTTL": 300, "MaximumTTL": 600}
    weighted = {"Weight": 0.1, "SessionStickinessConfig": session}
    headed = {"Header": "Aws-CF-cd-test", "Value": "Yes"}
    policies = [
        {
            "ContinuousDeploymentPolicy": {
                "Id": identifier,
                "LastModifiedTime": WHEN,
                "ContinuousDeploymentPolicyConfig": {
                    "StagingDistributionDnsNames": {"Quantity": 1, "Items": ["D2.cloudfront.net"]},
                    "Enabled": True,
                    "TrafficConfig": traffic,
                },
            }
        }
        for identifier, traffic in (
            ("p1", {"Type": "SingleWeight", "SingleWeightConfig": weighted}),
            ("p2", {"Type": "SingleHeader", "SingleHeaderConfig": headed}),
        )
    ]
    page: Any = {"ContinuousDeploymentPolicyList": {**NOTHING, "Items": policies}}
    stubber.add_response("list_continuous_deployment_policies", page, {})
    stream = {"RoleARN": "arn:role", "StreamARN": "arn:stream"}
    log: Any = {
        "ARN": "arn:log",
        "Name": "log",
        "SamplingRate": 5,
        "Fields": ["timestamp", "c-ip"],
        "EndPoints": [{"StreamType": "Kinesis", "KinesisStreamConfig": stream}],
    }
    logs: Any = {"RealtimeLogConfigs": {"MaxItems": 100, "IsTruncated": False, "Marker": "", "Items": [log]}}
    stubber.add_response("list_realtime_log_configs", logs, {})
    found = read(client)
    (distribution,) = found.distributions
    assert (distribution.deployment_policy, distribution.web_acl, distribution.staging) == ("p1", "acl", False)
    assert (distribution.default_behavior.realtime_log, distribution.default_behavior.encryption) == ("arn:log", "C1")
    names = ("d2.cloudfront.net",)
    assert found.deployment_policies == {
        "p1": DeploymentPolicy("p1", True, names, weight=0.1, session_seconds=600),
        "p2": DeploymentPolicy("p2", True, names, header=("aws-cf-cd-test", "Yes")),
    }
    assert found.realtime_logs == {"arn:log": RealtimeLog("arn:log", "arn:stream", ("timestamp", "c-ip"), 5)}


def test_a_staging_distribution_and_a_vpc_origin_are_told_from_others() -> None:
    vpc = {"Id": "bucket", "DomainName": "internal.example.com", "VpcOriginConfig": {"VpcOriginId": "vo_1"}}
    found = parse_distribution(config(Staging=True, Origins={"Quantity": 1, "Items": [vpc]}))
    assert found.staging
    assert [origin.vpc_origin for origin in found.origins] == ["vo_1"]
