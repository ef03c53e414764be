"""The policies that Amazon manages, for a configuration without the account that lists them.

Sources: Developer Guide, "Use managed cache policies", "Use managed origin request policies", "Use managed response
headers policies".
"""

from typing import Final

from keyfront.inventory import AddedHeader, CachePolicy, Cors, OriginRequestPolicy, ResponseHeadersPolicy, Selection

CACHING_DISABLED: Final = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"

_ALL: Final = Selection("all")
_YEAR: Final = 31_536_000


def _some(*names: str) -> Selection:
    return Selection("some", frozenset(names))


_ORIGINS_HEADERS = _some("host", "origin", "x-http-method", "x-http-method-override", "x-method-override")

MANAGED_CACHE_POLICIES: Final = {
    policy.id: policy
    for policy in (
        CachePolicy(
            "658327ea-f89d-4fab-a63d-7e88639e58f6", "Managed-CachingOptimized", 1, 86_400, _YEAR, gzip=True, brotli=True
        ),
        CachePolicy(
            "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
            "Managed-CachingOptimizedForUncompressedObjects",
            1,
            86_400,
            _YEAR,
        ),
        CachePolicy("4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "Managed-CachingDisabled", 0, 0, 0),
        CachePolicy(
            "08627262-05a9-4f76-9ded-b50ca2e3a84f",
            "Managed-Elemental-MediaPackage",
            0,
            86_400,
            _YEAR,
            query_strings=_some("aws.manifestfilter", "start", "end", "m"),
            headers=_some("origin"),
            gzip=True,
        ),
        CachePolicy(
            "2e54312d-136d-493c-8eb9-b001f22f67d2",
            "Managed-Amplify",
            2,
            2,
            600,
            query_strings=_ALL,
            cookies=_ALL,
            headers=_some("authorization", "cloudfront-viewer-country", "host"),
            gzip=True,
            brotli=True,
        ),
        CachePolicy(
            "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
            "UseOriginCacheControlHeaders",
            0,
            0,
            _YEAR,
            cookies=_ALL,
            headers=_ORIGINS_HEADERS,
            gzip=True,
            brotli=True,
        ),
        CachePolicy(
            "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
            "UseOriginCacheControlHeaders-QueryStrings",
            0,
            0,
            _YEAR,
            query_strings=_ALL,
            cookies=_ALL,
            headers=_ORIGINS_HEADERS,
            gzip=True,
            brotli=True,
        ),
    )
}

_OF_THE_VIEWER = (
    *("forwarded-proto", "is-android-viewer", "is-desktop-viewer", "is-ios-viewer", "is-mobile-viewer"),
    *("is-smarttv-viewer", "is-tablet-viewer", "viewer-address", "viewer-country", "viewer-http-version"),
)
"""Only those that the edge makes (see `viewer_headers`)."""
_CORS = ("origin", "access-control-request-headers", "access-control-request-method")

MANAGED_ORIGIN_REQUEST_POLICIES: Final = {
    policy.id: policy
    for policy in (
        OriginRequestPolicy("216adef6-5c7f-47e4-b989-5492eafa07d3", "Managed-AllViewer", _ALL, _ALL, _ALL),
        OriginRequestPolicy(
            "b689b0a8-53d0-40ab-baf2-68738e2966ac",
            "Managed-AllViewerExceptHostHeader",
            _ALL,
            _ALL,
            Selection("all-but", frozenset({"host"})),
        ),
        OriginRequestPolicy(
            "33f36d7e-f396-46d9-90e0-52428a34d9dc",
            "Managed-AllViewerAndCloudFrontHeaders-2022-06",
            _ALL,
            _ALL,
            Selection("all", frozenset(f"cloudfront-{name}" for name in _OF_THE_VIEWER)),
        ),
        OriginRequestPolicy("88a5eaf4-2fd4-4709-b370-b4c650ea3fcf", "Managed-CORS-S3Origin", headers=_some(*_CORS)),
        OriginRequestPolicy(
            "59781a5b-3903-41f3-afcb-af62929ccde1", "Managed-CORS-CustomOrigin", headers=_some("origin")
        ),
        OriginRequestPolicy("bf0718e1-ba1e-49d1-88b1-f726733018ae", "Managed-HostHeaderOnly", headers=_some("host")),
        OriginRequestPolicy(
            "acba4595-bd28-49b8-b9fe-13317c0390fa",
            "Managed-UserAgentRefererHeaders",
            headers=_some("user-agent", "referer"),
        ),
        OriginRequestPolicy(
            "775133bc-15f2-49f9-abea-afb2e0bf67d2",
            "Managed-Elemental-MediaTailor-PersonalizedManifests",
            query_strings=_ALL,
            headers=_some(*_CORS, "user-agent", "x-forwarded-for"),
        ),
    )
}

_SIMPLE: Final = Cors(origins=("*",), methods=("GET",), headers=("*",))
_PREFLIGHT: Final = Cors(
    origins=("*",),
    methods=("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"),
    headers=("*",),
    exposed=("*",),
)
_SECURITY: Final = (
    AddedHeader("strict-transport-security", f"max-age={_YEAR}", override=False),
    AddedHeader("x-content-type-options", "nosniff", override=True),
    AddedHeader("x-frame-options", "SAMEORIGIN", override=False),
    AddedHeader("referrer-policy", "strict-origin-when-cross-origin", override=False),
    AddedHeader("x-xss-protection", "1; mode=block", override=False),
)

MANAGED_RESPONSE_HEADERS_POLICIES: Final = {
    policy.id: policy
    for policy in (
        ResponseHeadersPolicy("60669652-455b-4ae9-85a4-c4c02393f86c", "Managed-SimpleCORS", _SIMPLE),
        ResponseHeadersPolicy("5cc3b908-e619-4b99-88e5-2cf7f45965bd", "Managed-CORS-With-Preflight", _PREFLIGHT),
        ResponseHeadersPolicy("67f7725c-6f97-4210-82d7-5512b31e9d03", "Managed-SecurityHeadersPolicy", added=_SECURITY),
        ResponseHeadersPolicy(
            "e61eb60c-9c35-4d20-a928-2b84e02af89c", "Managed-CORS-and-SecurityHeadersPolicy", _SIMPLE, _SECURITY
        ),
        ResponseHeadersPolicy(
            "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
            "Managed-CORS-with-preflight-and-SecurityHeadersPolicy",
            _PREFLIGHT,
            _SECURITY,
        ),
    )
}
