"""What can be signed and is seldom meant: signing warns of it, with its finding's id, and a long life is said twice."""

import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from keyfront import Signer, SigningKey, SigningWarning
from keyfront.cautions import of_canned_url, of_network, of_resource, of_url
from keyfront.diagnosis.rules import RULES
from keyfront.errors import PolicyError

KEY = SigningKey.generate("ecdsa")
HOUR = timedelta(hours=1)
CDN = "https://d111111abcdef8.cloudfront.net"


def signer(**options: Any) -> Signer:
    return Signer("K2JCJMDEHXQW5F", KEY, **options)


def findings(sign: Any) -> list[str]:
    """The ids of what signing warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sign()
    assert all(each.filename == __file__ for each in caught)
    ids = [each.message.finding for each in caught if isinstance(each.message, SigningWarning)]
    assert len(ids) == len(caught)
    assert all(f"[{each}]" in str(warning.message) for each, warning in zip(ids, caught, strict=True))
    return ids


@pytest.mark.parametrize(
    ("url", "limits", "finding"),
    [
        (f"{CDN}/a*.pdf", {}, "wildcard-in-canned-policy"),
        ("https://shop-files.s3.eu-central-1.amazonaws.com/a.pdf", {}, "origin-host-signed"),
        ("https://s3.amazonaws.com/shop-files/a.pdf", {"starts": 1}, "origin-host-signed"),
        ("http://d111111abcdef8.cloudfront.net/a.pdf", {}, "protocol-differs"),
        ("http://d111111abcdef8.cloudfront.net/a.pdf", {"starts": 1}, "protocol-differs"),
        (f"{CDN}/a.pdf", {"ip": "10.1.2.0/24"}, "private-address-in-policy"),
        (f"{CDN}/a.pdf", {"ip": "127.0.0.1"}, "private-address-in-policy"),
        (f"{CDN}/a.pdf", {"ip": "0.0.0.0/0"}, "viewer-over-ipv6"),
        (f"{CDN}/a.pdf", {"resource": "*"}, "resource-covers-everything"),
        (f"{CDN}/a.pdf", {"resource": "http*://*"}, "resource-covers-everything"),
        (f"{CDN}/a.pdf", {"resource": f"{CDN}/*"}, "resource-covers-host"),
        (f"{CDN}/a.pdf", {"resource": f"{CDN}*"}, "resource-covers-host"),
        (f"{CDN}/a.pdf", {"resource": "https://*.cloudfront.net/*"}, "resource-covers-host"),
        (f"{CDN}/a.pdf", {"resource": "*d111111abcdef8.cloudfront.net/*"}, "resource-covers-host"),
    ],
)
def test_what_is_seldom_meant_is_warned_of(url: str, limits: dict[str, Any], finding: str) -> None:
    assert findings(lambda: signer().sign_url(url, expires=HOUR, **limits)) == [finding]
    assert finding in RULES


@pytest.mark.parametrize(
    ("resource", "finding"),
    [
        ("*", "resource-covers-everything"),
        (f"{CDN}/*", "resource-covers-host"),
        ("http://d111111abcdef8.cloudfront.net/a/*", "protocol-differs"),
    ],
)
def test_cookies_are_held_to_the_same(resource: str, finding: str) -> None:
    assert findings(lambda: signer().sign_cookies(resource, expires=HOUR)) == [finding]


@pytest.mark.parametrize(
    ("url", "limits"),
    [
        (f"{CDN}/a.pdf", {}),
        (f"{CDN}/a.pdf?x=*", {"starts": 1}),
        (f"{CDN}/s3.amazonaws.com/a.pdf", {}),
        ("https://my-amazonaws.com/a.pdf", {}),
        ("http://localhost:10001/a.pdf", {}),
        ("http://d1.cloudfront.localhost:8080/a.pdf", {}),
        ("http://127.0.0.1:8080/a.pdf", {}),
        ("http://[::1]:8080/a.pdf", {}),
        (f"{CDN}/a/b.pdf", {"resource": f"{CDN}/a/*"}),
        (f"{CDN}/a.pdf", {"resource": f"{CDN}/*.pdf"}),
        (f"{CDN}/a.pdf", {"ip": "192.0.2.0/24"}),
        (f"{CDN}/a.pdf", {"ip": "8.8.8.8"}),
    ],
)
def test_what_is_usual_is_not(url: str, limits: dict[str, Any]) -> None:
    assert findings(lambda: signer().sign_url(url, expires=HOUR, **limits)) == []


def test_an_address_for_a_distribution_with_ipv6_is_warned_of() -> None:
    for ipv6, expected in ((True, ["viewer-over-ipv6"]), (False, []), (None, [])):
        signing = signer(ipv6=ipv6)
        assert findings(lambda s=signing: s.sign_url(f"{CDN}/a", expires=HOUR, ip="192.0.2.7")) == expected
        assert findings(lambda s=signing: s.sign_cookies(f"{CDN}/a", expires=HOUR, ip="192.0.2.7")) == expected


def test_a_life_over_a_week_has_to_be_said_twice() -> None:
    week = timedelta(days=7)
    signer().sign_url(f"{CDN}/a", expires=week)
    with pytest.raises(PolicyError, match=r"expires is 8 days.* away.*7 days.*max_lifetime.*long-lived"):
        signer().sign_url(f"{CDN}/a", expires=timedelta(days=8, seconds=2))
    with pytest.raises(PolicyError, match="long-lived"):
        signer().sign_cookies(f"{CDN}/a", expires=timedelta(days=8))
    signer().sign_url(f"{CDN}/a", expires=timedelta(days=30), max_lifetime=timedelta(days=30))
    signer(max_lifetime=timedelta(days=30)).sign_cookies(f"{CDN}/a", expires=timedelta(days=30))
    signer(max_lifetime=None).sign_url(f"{CDN}/a", expires=4_102_444_800)


def test_a_shorter_maximum_holds_too() -> None:
    with pytest.raises(PolicyError, match="0:10:00"):
        signer(max_lifetime=timedelta(minutes=10)).sign_url(f"{CDN}/a", expires=HOUR)


def test_every_caution_is_a_finding() -> None:
    seen = [
        *of_url("http://b.s3.amazonaws.com/x"),
        *of_canned_url("https://h.example/*"),
        *of_resource(None),
        *of_resource("https://h.example/*"),
        *of_network("10.0.0.0/8", ipv6=True),
    ]
    assert len(seen) == 7
    documented = Path(__file__).parent.parent.joinpath("docs", "findings.md").read_text()
    assert all(f"\n## {each.finding}\n" in documented for each in seen)
