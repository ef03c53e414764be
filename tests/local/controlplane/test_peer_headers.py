"""Facts about response headers policies from another emulator's tests (floci, its validator), in values of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.local.controlplane.test_policies import CORS, RESPONSE_HEADERS

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

OPEN = {**CORS, "AccessControlAllowCredentials": False}


def cors(**members: Any) -> dict[str, Any]:
    lists = {name: {"Quantity": len(each), "Items": each} for name, each in members.items() if isinstance(each, list)}
    return {"CorsConfig": {**OPEN, **members, **lists}}


def security(**members: Any) -> dict[str, Any]:
    return {"SecurityHeadersConfig": members}


ACCEPTED = [
    cors(AccessControlAllowHeaders=["x-shop-*", "x-*-shop", "Authorization"]),
    cors(AccessControlAllowHeaders=["*", "Authorization"], AccessControlAllowOrigins=["https://*.example.com"]),
    cors(AccessControlExposeHeaders=["ETag"], AccessControlMaxAgeSec=600),
    security(StrictTransportSecurity={"Override": False, "AccessControlMaxAgeSec": 31536000}),
    security(FrameOptions={"FrameOption": "DENY", "Override": True}),
    security(ReferrerPolicy={"ReferrerPolicy": "same-origin", "Override": True}),
    security(XSSProtection={"Protection": True, "ModeBlock": True, "Override": True}),
]
# A word that the API's model does not list is MalformedXML here, and InvalidArgument there: no page settles it.
REFUSED = [
    (cors(AccessControlAllowMethods=["TRACE"]), "MalformedXML"),
    (cors(AccessControlAllowMethods=["get"]), "MalformedXML"),
    (cors(AccessControlAllowHeaders=["x-*-shop-*"]), "InvalidArgument"),
    (cors(AccessControlAllowHeaders=["*"], AccessControlAllowCredentials=True), "InvalidArgument"),
    (cors(AccessControlAllowHeaders=["x-shop-*"], AccessControlAllowCredentials=True), "InvalidArgument"),
    (security(FrameOptions={"FrameOption": "ALLOW", "Override": True}), "MalformedXML"),
    (security(FrameOptions={"FrameOption": "deny", "Override": True}), "MalformedXML"),
    (
        {"CustomHeadersConfig": {"Quantity": 1, "Items": [
            {"Header": "X-Test", "Value": "safe\r\nInjected: true", "Override": True}]}},
        "InvalidArgument",
    ),
    (
        {"CustomHeadersConfig": {"Quantity": 2, "Items": [
            {"Header": name, "Value": "a", "Override": True} for name in ("X-Test", "x-test")]}},
        "InvalidArgument",
    ),
    (
        {"CustomHeadersConfig": {"Quantity": 11, "Items": [
            {"Header": f"X-Test-{number}", "Value": "v", "Override": True} for number in range(11)]}},
        "TooManyCustomHeadersInResponseHeadersPolicy",
    ),
    (
        security(ContentSecurityPolicy={"ContentSecurityPolicy": "a" * 1784, "Override": True}),
        "TooLongCSPInResponseHeadersPolicy",
    ),
]  # fmt: skip


@pytest.mark.parametrize("config", ACCEPTED, ids=range(len(ACCEPTED)))
def test_a_configuration_is_accepted(cloudfront: CloudFrontClient, config: dict[str, Any]) -> None:
    assert RESPONSE_HEADERS.create(cloudfront, **config)


@pytest.mark.parametrize(("config", "code"), REFUSED, ids=range(len(REFUSED)))
def test_a_configuration_is_refused(
    careless: CloudFrontClient, refused: Any, config: dict[str, Any], code: str
) -> None:
    assert refused(RESPONSE_HEADERS.create, client=careless, **config)[:2] == (code, 400)
