"""How long an answer may be kept: the guide's table, and what else origins say."""

import pytest

from keyfront.edge.cache.freshness import Lifetime, directives, lifetime, serves_stale, withheld
from keyfront.edge.cache_rules import CacheRules
from keyfront.inventory import Selection

NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT
NONE = Selection()
IN_A_MINUTE = "Fri, 15 Jan 2027 08:01:00 GMT"
A_MINUTE_AGO = "Fri, 15 Jan 2027 07:59:00 GMT"
NO = Lifetime(False)


def rules(minimum: int = 0, default: int = 86_400, maximum: int = 31_536_000) -> CacheRules:
    return CacheRules(minimum, default, maximum, NONE, NONE, NONE, NONE, NONE, NONE, legacy=False)


@pytest.mark.parametrize(
    ("bounds", "headers", "seconds"),
    [
        # Developer Guide, "Specify the amount of time that CloudFront caches objects", minimum TTL 0
        ((0, 50, 100), {"cache-control": "max-age=60"}, 60),
        ((0, 50, 100), {"cache-control": "max-age=600"}, 100),
        ((0, 50, 100), {}, 50),
        ((0, 50, 100), {"cache-control": "max-age=10, s-maxage=70"}, 70),
        ((0, 50, 100), {"cache-control": "s-maxage=700, max-age=10"}, 100),
        ((0, 50, 100), {"expires": IN_A_MINUTE}, 60),
        ((0, 50, 30), {"expires": IN_A_MINUTE}, 30),
        ((0, 50, 100), {"expires": IN_A_MINUTE, "cache-control": "max-age=20"}, 20),
        # … and above 0
        ((10, 50, 100), {"cache-control": "max-age=5"}, 10),
        ((10, 50, 100), {"cache-control": "max-age=60"}, 60),
        ((10, 50, 100), {"cache-control": "max-age=600"}, 100),
        ((10, 5, 100), {}, 10),
        ((10, 50, 100), {"expires": A_MINUTE_AGO}, 10),
        ((10, 50, 100), {"cache-control": "no-cache"}, 10),
        ((10, 50, 100), {"cache-control": "no-store"}, 10),
        ((10, 50, 100), {"cache-control": "private, max-age=60"}, 10),
        # what else is said
        ((0, 50, 100), {"cache-control": 'no-cache="Set-Cookie", max-age=60'}, 60),
        ((0, 50, 100), {"cache-control": 'private="x-user"'}, 50),
        ((0, 50, 100), {"cache-control": "Max-Age = 60"}, 60),
        ((0, 50, 100), {"cache-control": 'max-age="60"'}, 60),
        ((0, 50, 100), {"cache-control": "max-age=60", "age": "20"}, 40),
        ((0, 50, 100), {"cache-control": "public"}, 50),
        ((0, 50, 100), {"expires": IN_A_MINUTE, "date": A_MINUTE_AGO}, 100),
        ((0, 50, 10**9), {"cache-control": "max-age=" + "9" * 400}, 10**9),
    ],
)
def test_an_object_is_fresh_for_as_long_as_origin_and_behavior_say(
    bounds: tuple[int, int, int], headers: dict[str, str], seconds: float
) -> None:
    assert lifetime(200, headers, rules(*bounds), 10, NOW) == Lifetime(True, seconds)


@pytest.mark.parametrize(
    ("bounds", "headers"),
    [
        ((0, 50, 100), {"cache-control": "no-cache"}),
        ((0, 50, 100), {"cache-control": "no-store, max-age=60"}),
        ((0, 50, 100), {"cache-control": "private"}),
        ((0, 50, 100), {"cache-control": 'no-store, no-cache="Set-Cookie"'}),
        ((0, 50, 100), {"cache-control": "max-age=0"}),
        ((0, 50, 100), {"cache-control": "max-age=soon"}),
        ((0, 50, 100), {"expires": "0"}),
        ((0, 50, 100), {"expires": A_MINUTE_AGO}),
        ((0, 0, 100), {}),
        ((0, 0, 0), {"cache-control": "max-age=60"}),
        ((0, 50, 100), {"vary": "*"}),
    ],
)
def test_an_object_is_not_kept(bounds: tuple[int, int, int], headers: dict[str, str]) -> None:
    assert not lifetime(200, headers, rules(*bounds), 10, NOW).keep


@pytest.mark.parametrize("validator", ["etag", "last-modified"])
def test_an_object_that_can_be_asked_about_is_kept_to_be_asked_about(validator: str) -> None:
    headers = {"cache-control": "max-age=0", validator: "x"}
    assert lifetime(200, headers, rules(), 10, NOW) == Lifetime(True, 0)
    assert not lifetime(200, {**headers, "cache-control": "no-store"}, rules(), 10, NOW).keep


@pytest.mark.parametrize(
    ("status", "headers", "error_ttl", "expected"),
    [
        *((status, {}, 10, Lifetime(True, 10)) for status in (404, 414, 500, 501, 502, 503, 504)),
        *((status, {}, 10, NO) for status in (400, 401, 403, 405, 410, 412, 415, 416, 418, 429)),
        *((status, {"cache-control": "max-age=60"}, 10, Lifetime(True, 60)) for status in (400, 403, 405, 412, 415)),
        (404, {"cache-control": "max-age=60"}, 10, Lifetime(True, 60)),
        (404, {"cache-control": "max-age=5"}, 10, Lifetime(True, 10)),
        (404, {"cache-control": "no-store"}, 10, Lifetime(True, 10)),
        (404, {"expires": IN_A_MINUTE}, 10, Lifetime(True, 60)),
        (404, {"cache-control": "max-age=600"}, 10, Lifetime(True, 100)),
        (404, {}, 0, Lifetime(False, 0)),
        (503, {}, 300, Lifetime(True, 300)),
        (403, {"expires": IN_A_MINUTE}, 10, NO),
        (401, {"cache-control": "max-age=60"}, 10, NO),
    ],
)
def test_errors_are_kept_as_the_guide_says(
    status: int, headers: dict[str, str], error_ttl: int, expected: Lifetime
) -> None:
    assert lifetime(status, headers, rules(0, 50, 100), error_ttl, NOW) == expected


@pytest.mark.parametrize("status", [206, 304])
def test_parts_and_confirmations_are_no_objects(status: int) -> None:
    assert not lifetime(status, {"cache-control": "max-age=60"}, rules(), 10, NOW).keep


def test_headers_that_the_origin_withholds_are_named() -> None:
    assert withheld({"cache-control": 'no-cache="Set-Cookie, X-User", private="x-b", max-age=60'}) == {
        "set-cookie",
        "x-user",
        "x-b",
    }
    assert withheld({"cache-control": "no-cache"}) == frozenset()


@pytest.mark.parametrize(
    ("cache_control", "stands_in"),
    [
        ("max-age=60", True),
        ("", True),
        ("max-age=60, must-revalidate", False),
        ("max-age=60, proxy-revalidate", False),
        ("max-age=60, stale-if-error=0", False),
        ("max-age=60, stale-if-error=600", True),
    ],
)
def test_an_origin_can_forbid_that_an_expired_object_stands_in(cache_control: str, stands_in: bool) -> None:
    assert serves_stale({"cache-control": cache_control}) is stands_in


def test_directives_are_read_whatever_their_case_and_spacing() -> None:
    assert directives(' Max-Age=60 ,NO-CACHE="a, b",, private') == {"max-age": "60", "no-cache": "a, b", "private": ""}
