"""Amazon's managed policies, which every account has: their ids, names and settings.

Source: Developer Guide, "Use managed cache policies", "Use managed origin request policies", "Use managed response
headers policies"; names, comments and the spelling of headers from lists of real accounts (the API puts `Managed-`
before most names, but not before the two `UseOriginCacheControlHeaders…`).

Assumed in the response headers policies: the CORS members that a simple request does not need, and that credentials are
not allowed. The guide shows the headers that a policy sends, not the members behind them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import (
        CachePolicyConfig,
        OriginRequestPolicyConfig,
        ResponseHeadersPolicyConfig,
    )

_ONE_DAY, _ONE_YEAR = 86_400, 31_536_000

_AMPLIFY_HEADERS = ("Authorization", "Accept", "CloudFront-Viewer-Country", "Host")
_OVERRIDE_HEADERS = ("x-method-override", "origin", "host", "x-http-method", "x-http-method-override")
_CLOUDFRONT_HEADERS_OF_JUNE_2022 = tuple(
    f"CloudFront-{name}"
    for name in (
        *("Forwarded-Proto", "Is-Android-Viewer", "Is-Desktop-Viewer", "Is-IOS-Viewer", "Is-Mobile-Viewer"),
        *("Is-SmartTV-Viewer", "Is-Tablet-Viewer", "Viewer-Address", "Viewer-ASN", "Viewer-City", "Viewer-Country"),
        *("Viewer-Country-Name", "Viewer-Country-Region", "Viewer-Country-Region-Name", "Viewer-Http-Version"),
        *("Viewer-Latitude", "Viewer-Longitude", "Viewer-Metro-Code", "Viewer-Postal-Code", "Viewer-Time-Zone"),
        "Viewer-TLS",
    )
)


def _counted(items: Sequence[object]) -> dict[str, object]:
    return {"Quantity": len(items), "Items": list(items)}


def _chosen(kind: str, behavior: str, names: Sequence[str] = ()) -> dict[str, object]:
    """Return a `HeadersConfig`, `CookiesConfig` or `QueryStringsConfig`: a behavior and its names."""
    chosen: dict[str, object] = {f"{kind}Behavior": behavior}
    return chosen | {f"{kind}s": _counted(names)} if names else chosen


def _headers(names: Sequence[str], behavior: str = "whitelist") -> dict[str, object]:
    return _chosen("Header", behavior if names else "none", names)


def _cache(
    name: str,
    comment: str,
    ttls: tuple[int, int, int],
    *,
    headers: Sequence[str] = (),
    cookies: str = "none",
    queries: str = "none",
    query_names: Sequence[str] = (),
    gzip: bool = True,
    brotli: bool = True,
) -> CachePolicyConfig:
    """Return a cache policy. `ttls` has the minimum, the default and the maximum, in seconds."""
    config = {
        "Comment": comment,
        "Name": name,
        "MinTTL": ttls[0],
        "DefaultTTL": ttls[1],
        "MaxTTL": ttls[2],
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": gzip,
            "EnableAcceptEncodingBrotli": brotli,
            "HeadersConfig": _headers(headers),
            "CookiesConfig": _chosen("Cookie", cookies),
            "QueryStringsConfig": _chosen("QueryString", queries, query_names),
        },
    }
    return cast("CachePolicyConfig", config)


def _origin_request(
    name: str, comment: str, headers: Mapping[str, object], *, cookies: str = "none", queries: str = "none"
) -> OriginRequestPolicyConfig:
    config = {
        "Comment": comment,
        "Name": name,
        "HeadersConfig": headers,
        "CookiesConfig": _chosen("Cookie", cookies),
        "QueryStringsConfig": _chosen("QueryString", queries),
    }
    return cast("OriginRequestPolicyConfig", config)


def _response_headers(name: str, comment: str, **sections: object) -> ResponseHeadersPolicyConfig:
    return cast("ResponseHeadersPolicyConfig", {"Comment": comment, "Name": name, **sections})


def _cors(methods: Sequence[str], exposed: Sequence[str] = ()) -> dict[str, object]:
    cors: dict[str, object] = {
        "AccessControlAllowOrigins": _counted(["*"]),
        "AccessControlAllowHeaders": _counted(["*"]),
        "AccessControlAllowMethods": _counted(methods),
        "AccessControlAllowCredentials": False,
        "OriginOverride": False,
    }
    return cors | {"AccessControlExposeHeaders": _counted(exposed)} if exposed else cors


_SIMPLE_CORS = _cors(["GET"])
_PREFLIGHT_CORS = _cors(["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"], ["*"])
_SECURITY: Mapping[str, object] = {
    "XSSProtection": {"Override": False, "Protection": True, "ModeBlock": True},
    "FrameOptions": {"Override": False, "FrameOption": "SAMEORIGIN"},
    "ReferrerPolicy": {"Override": False, "ReferrerPolicy": "strict-origin-when-cross-origin"},
    "ContentTypeOptions": {"Override": True},
    "StrictTransportSecurity": {
        "Override": False,
        "IncludeSubdomains": False,
        "Preload": False,
        "AccessControlMaxAgeSec": _ONE_YEAR,
    },
}

CACHE_POLICIES: Mapping[str, CachePolicyConfig] = {
    "2e54312d-136d-493c-8eb9-b001f22f67d2": _cache(
        "Managed-Amplify",
        "Policy for Amplify Origin",
        (2, 2, 600),
        headers=("Authorization", "CloudFront-Viewer-Country", "Host"),
        cookies="all",
        queries="all",
    ),
    "4d1d2f1d-3a71-49ad-9e08-7ea5d843a556": _cache(
        "Managed-Amplify-Default",
        "Default Amplify cache policy",
        (0, 0, _ONE_YEAR),
        headers=_AMPLIFY_HEADERS,
        cookies="all",
        queries="all",
    ),
    "a6bad946-36c3-4c33-aa98-362c74a7fb13": _cache(
        "Managed-Amplify-DefaultNoCookies",
        "Default Amplify cache policy without cookies",
        (0, 0, _ONE_YEAR),
        headers=_AMPLIFY_HEADERS,
        queries="all",
    ),
    "1c6db51a-a33f-469a-8245-dae26771f530": _cache(
        "Managed-Amplify-ImageOptimization",
        "Amplify cache policy for image optimization",
        (0, 0, _ONE_YEAR),
        headers=("Authorization", "Accept", "Host"),
        queries="all",
    ),
    "7e5fad67-ee98-4ad0-b05a-394999eefc1a": _cache(
        "Managed-Amplify-StaticContent",
        "Amplify cache policy for static content",
        (0, 0, _ONE_YEAR),
        headers=("Authorization", "Host"),
    ),
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": _cache(
        "Managed-CachingDisabled", "Policy with caching disabled", (0, 0, 0), gzip=False, brotli=False
    ),
    "658327ea-f89d-4fab-a63d-7e88639e58f6": _cache(
        "Managed-CachingOptimized",
        "Policy with caching enabled. Supports Gzip and Brotli compression.",
        (1, _ONE_DAY, _ONE_YEAR),
    ),
    "b2884449-e4de-46a7-ac36-70bc7f1ddd6d": _cache(
        "Managed-CachingOptimizedForUncompressedObjects",
        "Default policy when compression is disabled",
        (1, _ONE_DAY, _ONE_YEAR),
        gzip=False,
        brotli=False,
    ),
    "08627262-05a9-4f76-9ded-b50ca2e3a84f": _cache(
        "Managed-Elemental-MediaPackage",
        "Policy for Elemental MediaPackage Origin",
        (0, _ONE_DAY, _ONE_YEAR),
        headers=("origin",),
        queries="whitelist",
        query_names=("aws.manifestfilter", "start", "end", "m"),
        brotli=False,
    ),
    "83da9c7e-98b4-4e11-a168-04f0df8e2c65": _cache(
        "UseOriginCacheControlHeaders",
        "Policy for origins that return Cache-Control headers. Query strings are not included in the cache key.",
        (0, 0, _ONE_YEAR),
        headers=_OVERRIDE_HEADERS,
        cookies="all",
    ),
    "4cc15a8a-d715-48a4-82b8-cc0b614638fe": _cache(
        "UseOriginCacheControlHeaders-QueryStrings",
        "Policy for origins that return Cache-Control headers and serve different content based on values present in "
        "the query string.",
        (0, 0, _ONE_YEAR),
        headers=_OVERRIDE_HEADERS,
        cookies="all",
        queries="all",
    ),
}
ORIGIN_REQUEST_POLICIES: Mapping[str, OriginRequestPolicyConfig] = {
    "216adef6-5c7f-47e4-b989-5492eafa07d3": _origin_request(
        "Managed-AllViewer",
        "Policy to forward all parameters in viewer requests",
        _chosen("Header", "allViewer"),
        cookies="all",
        queries="all",
    ),
    "33f36d7e-f396-46d9-90e0-52428a34d9dc": _origin_request(
        "Managed-AllViewerAndCloudFrontHeaders-2022-06",
        "Policy to forward all parameters in viewer requests and all CloudFront headers as of June 2022",
        _headers(_CLOUDFRONT_HEADERS_OF_JUNE_2022, "allViewerAndWhitelistCloudFront"),
        cookies="all",
        queries="all",
    ),
    "b689b0a8-53d0-40ab-baf2-68738e2966ac": _origin_request(
        "Managed-AllViewerExceptHostHeader",
        "Policy to forward all parameters in viewer requests except for the Host header",
        _headers(("host",), "allExcept"),
        cookies="all",
        queries="all",
    ),
    "59781a5b-3903-41f3-afcb-af62929ccde1": _origin_request(
        "Managed-CORS-CustomOrigin", "Policy for custom origin with CORS", _headers(("origin",))
    ),
    "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf": _origin_request(
        "Managed-CORS-S3Origin",
        "Policy for S3 origin with CORS",
        _headers(("origin", "access-control-request-headers", "access-control-request-method")),
    ),
    "775133bc-15f2-49f9-abea-afb2e0bf67d2": _origin_request(
        "Managed-Elemental-MediaTailor-PersonalizedManifests",
        "Policy for Elemental MediaTailor Origin",
        _headers(
            (
                *("origin", "access-control-request-headers", "access-control-request-method"),
                *("user-agent", "x-forwarded-for"),
            )
        ),
        queries="all",
    ),
    "bf0718e1-ba1e-49d1-88b1-f726733018ae": _origin_request(
        "Managed-HostHeaderOnly", "Policy to forward the Host header to the origin", _headers(("host",))
    ),
    "acba4595-bd28-49b8-b9fe-13317c0390fa": _origin_request(
        "Managed-UserAgentRefererHeaders",
        "Policy to forward user-agent and referer headers to origin",
        _headers(("referer", "user-agent")),
    ),
}
RESPONSE_HEADERS_POLICIES: Mapping[str, ResponseHeadersPolicyConfig] = {
    "e61eb60c-9c35-4d20-a928-2b84e02af89c": _response_headers(
        "Managed-CORS-and-SecurityHeadersPolicy",
        "Allows all origins for simple CORS requests and adds security headers",
        CorsConfig=_SIMPLE_CORS,
        SecurityHeadersConfig=_SECURITY,
    ),
    "5cc3b908-e619-4b99-88e5-2cf7f45965bd": _response_headers(
        "Managed-CORS-With-Preflight",
        "Allows all origins for CORS requests, including preflight requests",
        CorsConfig=_PREFLIGHT_CORS,
    ),
    "eaab4381-ed33-4a86-88ca-d9558dc6cd63": _response_headers(
        "Managed-CORS-with-preflight-and-SecurityHeadersPolicy",
        "Allows all origins for CORS requests, including preflight requests, and adds security headers",
        CorsConfig=_PREFLIGHT_CORS,
        SecurityHeadersConfig=_SECURITY,
    ),
    "67f7725c-6f97-4210-82d7-5512b31e9d03": _response_headers(
        "Managed-SecurityHeadersPolicy",
        "Adds a set of security headers to every response",
        SecurityHeadersConfig=_SECURITY,
    ),
    "60669652-455b-4ae9-85a4-c4c02393f86c": _response_headers(
        "Managed-SimpleCORS", "Allows all origins for simple CORS requests", CorsConfig=_SIMPLE_CORS
    ),
}
