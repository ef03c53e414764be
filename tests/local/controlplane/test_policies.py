"""Cache policies, origin request policies and response headers policies, through boto3."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.local.controlplane import Quotas

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

NOTHING = {
    "HeadersConfig": {"HeaderBehavior": "none"},
    "CookiesConfig": {"CookieBehavior": "none"},
    "QueryStringsConfig": {"QueryStringBehavior": "none"},
}
KEY = {"EnableAcceptEncodingGzip": True, "EnableAcceptEncodingBrotli": True, **NOTHING}
CORS = {
    "AccessControlAllowOrigins": {"Quantity": 1, "Items": ["https://example.com"]},
    "AccessControlAllowHeaders": {"Quantity": 1, "Items": ["Authorization"]},
    "AccessControlAllowMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]},
    "AccessControlAllowCredentials": True,
    "OriginOverride": True,
}


@dataclass(frozen=True)
class Kind:
    """One of the three kinds of policies: its words, and a configuration that is good."""

    noun: str
    plural: str
    verb: str
    config: Mapping[str, Any]
    managed: str
    changes: Mapping[str, Any]

    def call(self, client: CloudFrontClient, verb: str, what: str = "") -> Callable[..., Any]:
        return getattr(client, f"{verb}_{self.verb}{what}")  # type: ignore[no-any-return]

    def create(self, client: CloudFrontClient, **changes: Any) -> Any:
        return self.call(client, "create")(**{f"{self.noun}Config": {**self.config, **changes}})


CACHE = Kind(
    "CachePolicy",
    "list_cache_policies",
    "cache_policy",
    {
        "Name": "a-day",
        "Comment": "one day",
        "MinTTL": 1,
        "DefaultTTL": 86400,
        "MaxTTL": 86400,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": True,
            "EnableAcceptEncodingBrotli": False,
            "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["Origin"]}},
            "CookiesConfig": {"CookieBehavior": "allExcept", "Cookies": {"Quantity": 1, "Items": ["session"]}},
            "QueryStringsConfig": {"QueryStringBehavior": "all"},
        },
    },
    "658327ea-f89d-4fab-a63d-7e88639e58f6",
    {"Comment": "two", "MinTTL": 0, "DefaultTTL": 5, "MaxTTL": 6, "ParametersInCacheKeyAndForwardedToOrigin": KEY},
)
ORIGIN_REQUEST = Kind(
    "OriginRequestPolicy",
    "list_origin_request_policies",
    "origin_request_policy",
    {
        "Name": "to-the-origin",
        "Comment": "",
        **NOTHING,
        "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 2, "Items": ["Host", "Referer"]}},
    },
    "216adef6-5c7f-47e4-b989-5492eafa07d3",
    {"HeadersConfig": {"HeaderBehavior": "allViewer"}, "CookiesConfig": {"CookieBehavior": "all"}},
)
RESPONSE_HEADERS = Kind(
    "ResponseHeadersPolicy",
    "list_response_headers_policies",
    "response_headers_policy",
    {
        "Name": "on-the-way-back",
        "Comment": "headers",
        "CorsConfig": CORS,
        "SecurityHeadersConfig": {
            "ContentSecurityPolicy": {"Override": True, "ContentSecurityPolicy": "default-src 'self'"},
            "StrictTransportSecurity": {"Override": False, "AccessControlMaxAgeSec": 10},
        },
        "ServerTimingHeadersConfig": {"Enabled": True, "SamplingRate": 12.5},
        "CustomHeadersConfig": {"Quantity": 1, "Items": [{"Header": "X-Shop", "Value": "on", "Override": False}]},
        "RemoveHeadersConfig": {"Quantity": 1, "Items": [{"Header": "X-Powered-By"}]},
    },
    "67f7725c-6f97-4210-82d7-5512b31e9d03",
    {"Comment": "", "SecurityHeadersConfig": {"ContentTypeOptions": {"Override": True}}},
)
KINDS = pytest.mark.parametrize("kind", [CACHE, ORIGIN_REQUEST, RESPONSE_HEADERS], ids=lambda kind: kind.noun)


@pytest.fixture
def using(config: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """A configuration of a distribution whose default behavior names these policies beside its cache policy."""

    def make(**policies: str) -> dict[str, Any]:
        made = config()
        return {**made, "DefaultCacheBehavior": {**made["DefaultCacheBehavior"], **policies}}

    return make


@KINDS
def test_a_policy_is_created_read_changed_listed_and_deleted(cloudfront: CloudFrontClient, kind: Kind) -> None:
    created = kind.create(cloudfront)
    policy = created[kind.noun]
    assert str(uuid.UUID(policy["Id"])) == policy["Id"]
    assert policy[f"{kind.noun}Config"] == kind.config
    assert created["Location"].endswith(f"-policy/{policy['Id']}")
    got = kind.call(cloudfront, "get")(Id=policy["Id"])
    assert (got[kind.noun], got["ETag"]) == (policy, created["ETag"])
    changed = {**kind.config, **kind.changes}
    updated = kind.call(cloudfront, "update")(Id=policy["Id"], IfMatch=got["ETag"], **{f"{kind.noun}Config": changed})
    assert updated["ETag"] != got["ETag"]
    assert kind.call(cloudfront, "get", "_config")(Id=policy["Id"])[f"{kind.noun}Config"] == changed
    listed = getattr(cloudfront, kind.plural)(Type="custom")[f"{kind.noun}List"]
    assert (listed["Quantity"], listed["Items"]) == (1, [{"Type": "custom", kind.noun: updated[kind.noun]}])
    kind.call(cloudfront, "delete")(Id=policy["Id"], IfMatch=updated["ETag"])
    assert getattr(cloudfront, kind.plural)(Type="custom")[f"{kind.noun}List"]["Quantity"] == 0


@KINDS
def test_amazon_s_policies_are_there_and_stay_as_they_are(
    cloudfront: CloudFrontClient, refused: Any, kind: Kind
) -> None:
    listed = getattr(cloudfront, kind.plural)(Type="managed")[f"{kind.noun}List"]
    assert {item["Type"] for item in listed["Items"]} == {"managed"}
    assert kind.managed in [item[kind.noun]["Id"] for item in listed["Items"]]
    got = kind.call(cloudfront, "get")(Id=kind.managed)
    config = {f"{kind.noun}Config": got[kind.noun][f"{kind.noun}Config"]}
    change = {"Id": kind.managed, "IfMatch": got["ETag"]}
    assert refused(kind.call(cloudfront, "update"), **change, **config)[:2] == ("IllegalUpdate", 400)
    assert refused(kind.call(cloudfront, "delete"), **change)[0] == "IllegalDelete"
    assert kind.call(cloudfront, "get")(Id=kind.managed)["ETag"] == got["ETag"]


@KINDS
def test_every_managed_policy_but_for_its_size_is_one_that_an_account_could_make(
    with_plane: Any, cloudfront: CloudFrontClient, kind: Kind
) -> None:
    with_plane(Quotas(names_per_policy=30))
    listed = getattr(cloudfront, kind.plural)(Type="managed")[f"{kind.noun}List"]["Items"]
    for item in listed:
        config = item[kind.noun][f"{kind.noun}Config"]
        copy = {f"{kind.noun}Config": {**config, "Name": f"my-{config['Name']}"}}
        assert kind.call(cloudfront, "create")(**copy)[kind.noun][f"{kind.noun}Config"] == copy[f"{kind.noun}Config"]
    assert len(listed) == {"CachePolicy": 11, "OriginRequestPolicy": 8}.get(kind.noun, 5)


@KINDS
def test_the_list_goes_by_pages_over_both_types(cloudfront: CloudFrontClient, kind: Kind) -> None:
    own = kind.create(cloudfront)[kind.noun]["Id"]
    seen: list[str] = []
    marker: dict[str, str] = {}
    while True:
        listed = getattr(cloudfront, kind.plural)(MaxItems="4", **marker)[f"{kind.noun}List"]
        seen += [item[kind.noun]["Id"] for item in listed["Items"]]
        if "NextMarker" not in listed:
            break
        marker = {"Marker": listed["NextMarker"]}
    assert seen == sorted(set(seen))
    assert {own, kind.managed} <= set(seen)


@KINDS
def test_a_policy_that_a_distribution_uses_is_found_by_it_and_cannot_be_deleted(
    cloudfront: CloudFrontClient, using: Callable[..., Any], refused: Any, kind: Kind
) -> None:
    created = kind.create(cloudfront)
    policy = {f"{kind.noun}Id": created[kind.noun]["Id"]}
    distribution = cloudfront.create_distribution(DistributionConfig=using(**policy))["Distribution"]
    assert distribution["DistributionConfig"]["DefaultCacheBehavior"].get(f"{kind.noun}Id") == created[kind.noun]["Id"]
    cloudfront.create_distribution(DistributionConfig=using())
    listed = getattr(cloudfront, f"list_distributions_by_{kind.verb}_id")(**policy)["DistributionIdList"]
    assert (listed["Items"], listed["Quantity"], listed["IsTruncated"]) == ([distribution["Id"]], 1, False)
    deletion = {"Id": created[kind.noun]["Id"], "IfMatch": created["ETag"]}
    assert refused(kind.call(cloudfront, "delete"), **deletion)[:2] == (f"{kind.noun}InUse", 409)


@KINDS
def test_a_policy_that_does_not_exist_is_named_as_such(
    cloudfront: CloudFrontClient, using: Callable[..., Any], refused: Any, kind: Kind
) -> None:
    nowhere, missing = {f"{kind.noun}Id": str(uuid.uuid4())}, (f"NoSuch{kind.noun}", 404)
    assert refused(cloudfront.create_distribution, DistributionConfig=using(**nowhere))[:2] == missing
    assert refused(getattr(cloudfront, f"list_distributions_by_{kind.verb}_id"), **nowhere)[:2] == missing
    assert refused(kind.call(cloudfront, "get"), Id="nowhere")[:2] == missing
    assert refused(kind.call(cloudfront, "delete"), Id="nowhere", IfMatch="x")[:2] == missing


@KINDS
def test_names_are_unique_and_versions_are_watched(cloudfront: CloudFrontClient, refused: Any, kind: Kind) -> None:
    first = kind.create(cloudfront)
    second = kind.create(cloudfront, Name="another")
    taken, config = (f"{kind.noun}AlreadyExists", 409), f"{kind.noun}Config"
    assert refused(kind.call(cloudfront, "create"), **{config: dict(kind.config)})[:2] == taken
    change: dict[str, Any] = {"Id": second[kind.noun]["Id"], config: dict(kind.config)}
    assert refused(kind.call(cloudfront, "update"), **change, IfMatch=second["ETag"])[:2] == taken
    same = {"Id": first[kind.noun]["Id"], config: dict(kind.config)}
    assert refused(kind.call(cloudfront, "update"), **same)[0] == "InvalidIfMatchVersion"
    assert refused(kind.call(cloudfront, "update"), **same, IfMatch=second["ETag"])[0] == "PreconditionFailed"
    stale = {"Id": first[kind.noun]["Id"], "IfMatch": second["ETag"]}
    assert refused(kind.call(cloudfront, "delete"), **stale)[0] == "PreconditionFailed"
    assert kind.call(cloudfront, "update")(**same, IfMatch=first["ETag"])[kind.noun][config] == kind.config


@KINDS
def test_an_account_has_so_many_and_a_policy_so_many_distributions(
    with_plane: Any, cloudfront: CloudFrontClient, using: Callable[..., Any], refused: Any, kind: Kind
) -> None:
    with_plane(
        Quotas(cache_policies=1, origin_request_policies=1, response_headers_policies=1, distributions_per_policy=1)
    )
    policy = {f"{kind.noun}Id": kind.create(cloudfront)[kind.noun]["Id"]}
    too_many = f"TooMany{kind.noun.removesuffix('y')}ies"
    again = {f"{kind.noun}Config": {**kind.config, "Name": "again"}}
    assert refused(kind.call(cloudfront, "create"), **again)[0] == too_many
    made = cloudfront.create_distribution(DistributionConfig=using(**policy))
    refusal = refused(cloudfront.create_distribution, DistributionConfig=using(**policy))
    assert refusal[0] == f"TooManyDistributionsAssociatedTo{kind.noun}"
    unchanged: Any = made["Distribution"]["DistributionConfig"]
    cloudfront.update_distribution(Id=made["Distribution"]["Id"], IfMatch=made["ETag"], DistributionConfig=unchanged)


def test_what_a_cache_policy_leaves_out_is_filled_in(cloudfront: CloudFrontClient) -> None:
    made = cloudfront.create_cache_policy(CachePolicyConfig={"Name": "short", "MinTTL": 100_000})
    assert made["CachePolicy"]["CachePolicyConfig"] == {
        "Name": "short",
        "Comment": "",
        "MinTTL": 100_000,
        "DefaultTTL": 100_000,
        "MaxTTL": 31_536_000,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": False,
            "EnableAcceptEncodingBrotli": False,
            **NOTHING,
        },
    }


def selection(kind: str, behavior: str, *names: str) -> dict[str, Any]:
    chosen: dict[str, Any] = {f"{kind}Behavior": behavior}
    return chosen | {f"{kind}s": {"Quantity": len(names), "Items": list(names)}} if names else chosen


def keyed(**changes: Any) -> dict[str, Any]:
    return {"ParametersInCacheKeyAndForwardedToOrigin": {**KEY, **changes}}


ELEVEN = [f"n{number}" for number in range(11)]
BAD = [
    (CACHE, {"Name": "a name"}, "InvalidArgument"),
    (CACHE, {"Name": ""}, "InvalidArgument"),
    (CACHE, {"Name": "n" * 129}, "InvalidArgument"),
    (CACHE, {"Comment": "c" * 129}, "InvalidArgument"),
    (CACHE, {"Name": "Managed-CachingOptimized"}, "CachePolicyAlreadyExists"),
    (CACHE, {"MinTTL": -1}, "InvalidArgument"),
    (CACHE, {"DefaultTTL": 0}, "InvalidArgument"),
    (CACHE, {"MaxTTL": 10}, "InvalidArgument"),
    (CACHE, keyed(HeadersConfig=selection("Header", "whitelist")), "InvalidArgument"),
    (CACHE, keyed(HeadersConfig=selection("Header", "none", "Host")), "InvalidArgument"),
    (CACHE, keyed(HeadersConfig=selection("Header", "whitelist", "Host", "host")), "InvalidArgument"),
    (CACHE, keyed(HeadersConfig=selection("Header", "whitelist", "two words")), "InvalidArgument"),
    (CACHE, keyed(HeadersConfig=selection("Header", "all", "Host")), "MalformedXML"),
    (CACHE, keyed(HeadersConfig=selection("Header", "whitelist", *ELEVEN)), "TooManyHeadersInCachePolicy"),
    (CACHE, keyed(CookiesConfig=selection("Cookie", "whitelist", *ELEVEN)), "TooManyCookiesInCachePolicy"),
    (
        CACHE,
        keyed(QueryStringsConfig=selection("QueryString", "allExcept", *ELEVEN)),
        "TooManyQueryStringsInCachePolicy",
    ),
    (CACHE, keyed(CookiesConfig=selection("Cookie", "whitelist", "c" * 1025)), "InvalidArgument"),
    (
        CACHE,
        keyed(CookiesConfig={"CookieBehavior": "whitelist", "Cookies": {"Quantity": 2, "Items": ["c"]}}),
        "InconsistentQuantities",
    ),
    (CACHE, {"MinTTL": 0, "DefaultTTL": 0, "MaxTTL": 0, **keyed()}, "InvalidArgument"),
    (ORIGIN_REQUEST, {"HeadersConfig": selection("Header", "whitelist", "Authorization")}, "InvalidArgument"),
    (ORIGIN_REQUEST, {"HeadersConfig": selection("Header", "whitelist", "accept-encoding")}, "InvalidArgument"),
    (ORIGIN_REQUEST, {"HeadersConfig": selection("Header", "allViewer", "Host")}, "InvalidArgument"),
    (
        ORIGIN_REQUEST,
        {"HeadersConfig": selection("Header", "allViewerAndWhitelistCloudFront", "Host")},
        "InvalidArgument",
    ),
    (
        ORIGIN_REQUEST,
        {"HeadersConfig": selection("Header", "whitelist", *ELEVEN)},
        "TooManyHeadersInOriginRequestPolicy",
    ),
    (ORIGIN_REQUEST, {"CookiesConfig": selection("Cookie", "some")}, "MalformedXML"),
    (
        RESPONSE_HEADERS,
        {"CorsConfig": {**CORS, "AccessControlAllowMethods": {"Quantity": 2, "Items": ["ALL", "GET"]}}},
        "InvalidArgument",
    ),
    (
        RESPONSE_HEADERS,
        {"CorsConfig": {**CORS, "AccessControlAllowOrigins": {"Quantity": 0, "Items": []}}},
        "InvalidArgument",
    ),
    (RESPONSE_HEADERS, {"CorsConfig": {**CORS, "AccessControlMaxAgeSec": -1}}, "InvalidArgument"),
    (
        RESPONSE_HEADERS,
        {
            "SecurityHeadersConfig": {
                "XSSProtection": {"Override": True, "Protection": True, "ModeBlock": True, "ReportUri": "https://a.b"}
            }
        },
        "InvalidArgument",
    ),
    (
        RESPONSE_HEADERS,
        {"SecurityHeadersConfig": {"ContentSecurityPolicy": {"Override": True, "ContentSecurityPolicy": "x" * 1784}}},
        "TooLongCSPInResponseHeadersPolicy",
    ),
    (
        RESPONSE_HEADERS,
        {"SecurityHeadersConfig": {"StrictTransportSecurity": {"Override": True, "AccessControlMaxAgeSec": -1}}},
        "InvalidArgument",
    ),
    (RESPONSE_HEADERS, {"ServerTimingHeadersConfig": {"Enabled": True}}, "InvalidArgument"),
    (RESPONSE_HEADERS, {"ServerTimingHeadersConfig": {"Enabled": True, "SamplingRate": 100.5}}, "MalformedXML"),
    (RESPONSE_HEADERS, {"RemoveHeadersConfig": {"Quantity": 1, "Items": [{"Header": "Via"}]}}, "InvalidArgument"),
    (
        RESPONSE_HEADERS,
        {"RemoveHeadersConfig": {"Quantity": 2, "Items": [{"Header": "Vary"}, {"Header": "vary"}]}},
        "InvalidArgument",
    ),
    (
        RESPONSE_HEADERS,
        {"RemoveHeadersConfig": {"Quantity": 11, "Items": [{"Header": name} for name in ELEVEN]}},
        "TooManyRemoveHeadersInResponseHeadersPolicy",
    ),
    (
        RESPONSE_HEADERS,
        {
            "CustomHeadersConfig": {
                "Quantity": 11,
                "Items": [{"Header": name, "Value": "v", "Override": True} for name in ELEVEN],
            }
        },
        "TooManyCustomHeadersInResponseHeadersPolicy",
    ),
    (
        RESPONSE_HEADERS,
        {"CorsConfig": {**CORS, "AccessControlAllowHeaders": {"Quantity": 0, "Items": []}}},
        "InvalidArgument",
    ),
    (
        RESPONSE_HEADERS,
        {"CorsConfig": {**CORS, "AccessControlExposeHeaders": {"Quantity": 1, "Items": ["two words"]}}},
        "InvalidArgument",
    ),
]


@pytest.mark.parametrize(("kind", "changes", "code"), BAD)
def test_a_policy_that_breaks_a_rule_is_refused(
    careless: CloudFrontClient, refused: Any, kind: Kind, changes: dict[str, Any], code: str
) -> None:
    refusal = refused(kind.call(careless, "create"), **{f"{kind.noun}Config": {**kind.config, **changes}})
    assert refusal[:2] == (code, 409 if code.endswith("AlreadyExists") else 400)
    assert getattr(careless, kind.plural)(Type="custom")[f"{kind.noun}List"]["Quantity"] == 0


CONTROLLED = [
    {"CustomHeadersConfig": {"Quantity": 1, "Items": [{"Header": "X-A", "Value": "BAD", "Override": True}]}},
    {"SecurityHeadersConfig": {"ContentSecurityPolicy": {"Override": True, "ContentSecurityPolicy": "BAD"}}},
    {"SecurityHeadersConfig": {"XSSProtection": {"Override": True, "Protection": True, "ReportUri": "BAD"}}},
    *(
        {"CorsConfig": {**CORS, f"AccessControl{what}": {"Quantity": 1, "Items": ["BAD"]}}}
        for what in ("AllowOrigins", "AllowHeaders", "ExposeHeaders")
    ),
]


@pytest.mark.parametrize("bad", ["a\r\nSet-Cookie: b=c", "a\nb", "a\tb", "a\x7fb"])
@pytest.mark.parametrize("changes", CONTROLLED, ids=["custom", "csp", "report", "origins", "headers", "exposed"])
def test_no_value_of_a_header_has_a_line_break_or_another_control_character(
    cloudfront: CloudFrontClient, refused: Any, changes: dict[str, Any], bad: str
) -> None:
    given = json.loads(json.dumps(changes).replace("BAD", json.dumps(bad)[1:-1]))
    code, status, message = refused(RESPONSE_HEADERS.create, client=cloudfront, **given)
    assert (code, status) == ("InvalidArgument", 400)
    assert "control character" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("member", "items", "parameter"),
    [
        ("AllowHeaders", ["*"], "Access-Control-Allow-Headers"),
        ("AllowHeaders", ["X-One", "X-*"], "Access-Control-Allow-Headers"),
        ("AllowMethods", ["ALL"], "Access-Control-Allow-Methods"),
        ("AllowOrigins", ["*"], "Access-Control-Allow-Origin"),
    ],
)
def test_credentials_and_a_wildcard_are_refused_in_amazon_s_words(
    cloudfront: CloudFrontClient, refused: Any, member: str, items: list[str], parameter: str
) -> None:
    cors = {**CORS, f"AccessControl{member}": {"Quantity": len(items), "Items": items}}
    refusal = refused(RESPONSE_HEADERS.create, client=cloudfront, CorsConfig=cors)
    text = f"The parameter {parameter} cannot contain * when allowCredentials is true."
    assert refusal == ("InvalidArgument", 400, text)
    assert RESPONSE_HEADERS.create(cloudfront, CorsConfig={**cors, "AccessControlAllowCredentials": False})


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Content-Security-Policy", "security"),
        ("strict-transport-security", "security"),
        ("X-Frame-Options", "security"),
        ("Referrer-Policy", "security"),
        ("X-Content-Type-Options", "security"),
        ("X-XSS-Protection", "security"),
        ("Access-Control-Allow-Origin", "CORS"),
    ],
)
def test_a_header_with_settings_of_its_own_is_no_custom_header(
    cloudfront: CloudFrontClient, refused: Any, header: str, kind: str
) -> None:
    custom = {"Quantity": 1, "Items": [{"Header": header, "Value": "a", "Override": True}]}
    refusal = refused(RESPONSE_HEADERS.create, client=cloudfront, CustomHeadersConfig=custom)
    text = f"The parameter CustomHeaders contains {header} that is a {kind} header and cannot be set as custom header."
    assert refusal == ("InvalidArgument", 400, text)


@pytest.mark.parametrize("origin", ["https://example.com/", "https://example.com/a", "https://a b", "/"])
def test_an_origin_is_a_name_without_a_path(cloudfront: CloudFrontClient, refused: Any, origin: str) -> None:
    cors = {**CORS, "AccessControlAllowOrigins": {"Quantity": 1, "Items": [origin]}}
    refusal = refused(RESPONSE_HEADERS.create, client=cloudfront, CorsConfig=cors)
    text = f"The parameter Access-Control-Allow-Origin contains {origin} which is not a valid URL."
    assert refusal == ("InvalidArgument", 400, text)


def test_credentials_and_the_subdomains_of_one_domain_are_accepted(cloudfront: CloudFrontClient) -> None:
    cors = {**CORS, "AccessControlAllowOrigins": {"Quantity": 1, "Items": ["https://*.example.com"]}}
    assert RESPONSE_HEADERS.create(cloudfront, CorsConfig=cors)


@pytest.mark.parametrize(
    ("member", "name"),
    [("AllowOrigins", "https://*.*.example.com"), ("AllowHeaders", "X-*-*"), ("ExposeHeaders", "**")],
)
def test_a_value_has_one_wildcard_at_most(cloudfront: CloudFrontClient, refused: Any, member: str, name: str) -> None:
    cors = {
        **CORS,
        "AccessControlAllowCredentials": False,
        f"AccessControl{member}": {"Quantity": 1, "Items": [name]},
    }
    code, status, message = refused(RESPONSE_HEADERS.create, client=cloudfront, CorsConfig=cors)
    assert (code, status) == ("InvalidArgument", 400)
    assert repr(name) in message


def test_a_type_that_is_none_is_refused(careless: CloudFrontClient, refused: Any) -> None:
    assert refused(careless.list_cache_policies, Type="mine")[0] == "InvalidArgument"
