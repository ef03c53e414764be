"""What the edge says of a viewer in CloudFront's own headers, in the cache key and to the origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from keyfront.edge.request.viewer import Request
from keyfront.edge.request.viewer_headers import facts
from keyfront.inventory import ForwardedValues, Selection

if TYPE_CHECKING:
    from tests.edge.conftest import Laid, Lay

ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
ALL_AND_CLOUDFRONTS = "33f36d7e-f396-46d9-90e0-52428a34d9dc"
HERE = {"127.0.0.0/8": "DE"}
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari"
IPAD = "Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) AppleWebKit/605.1.15 Version/16.0 Mobile/15E148 Safari/604.1"
PIXEL = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36"
GALAXY_TAB = "Mozilla/5.0 (Linux; Android 14; SM-X710) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
TIZEN = "Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 Version/7.0 TV Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "true"),
    [
        (IPHONE, {"mobile", "ios"}),
        # The guide's own example of two at once.
        (IPAD, {"mobile", "tablet", "ios"}),
        (PIXEL, {"mobile", "android"}),
        (GALAXY_TAB, {"tablet", "android"}),
        (FIREFOX, {"desktop"}),
        (TIZEN, {"smarttv"}),
        ("curl/8.5.0", {"desktop"}),
        ("", {"desktop"}),
    ],
)
def test_a_device_is_told_by_its_agent(agent: str, true: set[str]) -> None:
    kinds = ("android", "desktop", "ios", "mobile", "smarttv", "tablet")
    viewer = Request(
        {
            "method": "GET",
            "scheme": "https",
            "http_version": "2",
            "raw_path": b"/",
            "query_string": b"",
            "client": ("192.0.2.1", 5000),
            "headers": [(b"user-agent", agent.encode())],
        }
    )
    made = facts(viewer, frozenset(f"cloudfront-is-{kind}-viewer" for kind in kinds), lambda _: "")
    assert made == {f"cloudfront-is-{kind}-viewer": "true" if kind in true else "false" for kind in kinds}


def made(laid: Laid) -> dict[str, str]:
    """CloudFront's own headers that the origin got last."""
    return {name: value for name, value in laid.origin.asked[-1].headers.items() if name.startswith("cloudfront-")}


def test_an_origin_gets_the_headers_that_its_policy_names(lay: Lay) -> None:
    laid = lay(countries=HERE)
    laid.serve(laid.behavior(origin_request_policy_id=ALL_AND_CLOUDFRONTS))
    laid.viewer.get(
        "/a", headers={"User-Agent": PIXEL, "CloudFront-Viewer-Country": "XX", "CloudFront-Viewer-City": "Y"}
    )
    told = made(laid)
    address, _, port = told.pop("cloudfront-viewer-address").partition(":")
    assert address == "127.0.0.1"
    assert 0 < int(port) < 65536
    assert told == {
        "cloudfront-forwarded-proto": "http",
        "cloudfront-is-android-viewer": "true",
        "cloudfront-is-desktop-viewer": "false",
        "cloudfront-is-ios-viewer": "false",
        "cloudfront-is-mobile-viewer": "true",
        "cloudfront-is-smarttv-viewer": "false",
        "cloudfront-is-tablet-viewer": "false",
        "cloudfront-viewer-country": "DE",
        "cloudfront-viewer-http-version": "1.1",
    }


def test_all_of_the_viewers_headers_are_none_of_cloudfronts(lay: Lay) -> None:
    laid = lay(countries=HERE)
    laid.serve(laid.behavior(origin_request_policy_id=ALL_VIEWER))
    laid.viewer.get("/a", headers={"CloudFront-Viewer-Country": "XX"})
    assert made(laid) == {}


def test_a_country_that_is_not_known_has_no_header(lay: Lay) -> None:
    laid = lay()
    laid.serve(
        laid.behavior(
            cache_policy_id="",
            forwarded_values=ForwardedValues(headers=Selection("some", frozenset({"cloudfront-viewer-country"}))),
        )
    )
    laid.viewer.get("/a", headers={"CloudFront-Viewer-Country": "XX"})
    assert made(laid) == {}


def test_objects_are_kept_apart_by_what_the_edge_sees_and_not_by_what_the_viewer_says(laid: Laid) -> None:
    named = Selection("some", frozenset({"cloudfront-is-mobile-viewer"}))
    laid.serve(laid.behavior(cache_policy_id="", forwarded_values=ForwardedValues(headers=named)))
    laid.origin.answer("/a", b"a", headers={"Cache-Control": "max-age=60"})
    assert laid.viewer.get("/a", headers={"User-Agent": FIREFOX}).cache == "Miss"
    assert laid.viewer.get("/a", headers={"User-Agent": IPHONE}).cache == "Miss"
    assert laid.viewer.get("/a", headers={"User-Agent": PIXEL}).cache == "Hit"
    spoofed = {"User-Agent": FIREFOX, "CloudFront-Is-Mobile-Viewer": "maybe"}
    assert laid.viewer.get("/a", headers=spoofed).cache == "Hit"
