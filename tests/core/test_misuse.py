"""What can be signed and is seldom meant: signing warns of it, with its finding's id; a bound refuses a long life."""

import asyncio
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keyfront import Signer, SigningKey, SigningWarning, Site
from keyfront.core.grants import Reuse
from keyfront.core.misuse import of_canned_url, of_network, of_resource, of_url
from keyfront.errors import PolicyError
from keyfront.explain.rules import RULES
from keyfront.integrations.botocore import CloudFrontSigner

KEY = SigningKey.generate("ecdsa")
HOUR = timedelta(hours=1)
MINUTES = timedelta(minutes=10)
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
        (f"{CDN}/a/*?v=1", {}, "wildcard-in-canned-policy"),
        (f"{CDN}/a.pdf?*", {}, "wildcard-in-canned-policy"),
        (f"{CDN}/a.pdf?v=1&*", {}, "wildcard-in-canned-policy"),
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
    ("url", "shown"),
    [
        (f"{CDN}/a*.pdf", "has 'a*.pdf'"),
        (f"{CDN}/{'long/' * 40}2030-*.ts?token=secret", "has '2030-*.ts'"),
        (f"{CDN}/{'x' * 80}*{'y' * 80}", f"has '…{'x' * 30}*{'y' * 29}…'"),
        (f"{CDN}/a?token=secret&*", "has '?*'"),
    ],
)
def test_the_warning_of_a_wildcard_shows_it_and_no_secret(url: str, shown: str) -> None:
    with pytest.warns(SigningWarning) as seen:
        signer().sign_url(url, expires=HOUR)
    assert shown in str(seen[0].message)
    assert "secret" not in str(seen[0].message)


@pytest.mark.parametrize(
    ("resource", "says"),
    [
        ("https://media.example.com/members/", "sign 'https://media.example.com/members/*'"),
        ("https://media.example.com/members/?v=1", "sign 'https://media.example.com/members/*'"),
        ("https://media.example.com/", "sign 'https://media.example.com/*'"),
        ("https://media.example.com", "sign 'https://media.example.com/*'"),
        ("https://media.example.com/f/master.m3u8", "sign its folder, 'https://media.example.com/f/*'"),
        ("https://media.example.com/f/Manifest.MPD?v=1", "sign its folder, 'https://media.example.com/f/*'"),
        ("https://media.example.com/f/x.ism/Manifest", "sign its folder, 'https://media.example.com/f/x.ism/*'"),
    ],
)
@pytest.mark.parametrize("limits", [{}, {"starts": 1}])
def test_cookies_for_a_folder_or_a_manifest_alone_are_warned_of(
    resource: str, says: str, limits: dict[str, Any]
) -> None:
    with pytest.warns(SigningWarning, match="resource-does-not-cover") as seen:
        signer().sign_cookies(resource, expires=HOUR, **limits)
    assert says in str(seen[0].message)


@pytest.mark.parametrize(
    "resource",
    [
        "https://media.example.com/members/*",
        "https://media.example.com/members/a.pdf",
        "https://media.example.com/members/a",
        "https://media.example.com/members/m3u8",
        "https://media.example.com/a?next=/b/",
        "https://media.example.com/members/?",
        "https://*/members/*",
    ],
)
def test_cookies_for_one_file_or_with_a_wildcard_are_not(resource: str) -> None:
    assert findings(lambda: signer().sign_cookies(resource, expires=HOUR)) == []


def test_a_path_that_browsers_send_in_two_ways_is_warned_of_for_cookies_alone() -> None:
    url = "https://media.example.com/news|today.pdf"
    assert findings(lambda: signer().sign_cookies(url, expires=HOUR)) == ["path-encoding-differs"]
    assert findings(lambda: signer().sign_url(url, expires=HOUR)) == []


def test_a_key_that_begins_with_a_slash_is_warned_of() -> None:
    site = Site(signer(), CDN)
    said = r"the key '/a\.pdf' begins with '/'.* give 'a\.pdf' \[slashes-differ\]"
    with pytest.warns(SigningWarning, match=said):
        assert signer().sign_object("/a.pdf", domain=CDN, expires=HOUR).startswith(f"{CDN}//a.pdf?Expires=")
    with pytest.warns(SigningWarning, match=said):
        assert site.sign_object("/a.pdf", expires=HOUR).startswith(f"{CDN}//a.pdf?Expires=")
    assert findings(lambda: site.sign_object("a//b.pdf", expires=HOUR)) == []


@pytest.mark.parametrize(
    ("url", "limits"),
    [
        (f"{CDN}/a.pdf", {}),
        (f"{CDN}/a.pdf?x=*", {"starts": 1}),
        (f"{CDN}/a?response-content-disposition=attachment%3B%20filename*%3DUTF-8''x.pdf", {}),
        (f"{CDN}/a?rcd=attachment;filename*=UTF-8''%e2%82%ac.pdf", {}),
        (f"{CDN}/search?q=key*", {}),
        (f"{CDN}/search?fields=*&page=2", {}),
        (f"{CDN}/a?1*2", {}),
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


def test_a_life_over_a_week_is_warned_of_and_signed() -> None:
    week, month = timedelta(days=7), timedelta(days=30)
    assert findings(lambda: signer().sign_url(f"{CDN}/a", expires=week)) == []
    assert findings(lambda: signer().sign_url(f"{CDN}/a", expires=month)) == ["long-lived"]
    assert findings(lambda: signer().sign_url(f"{CDN}/a", expires=4_102_444_800)) == ["long-lived"]
    assert findings(lambda: signer().sign_cookies(f"{CDN}/a/*", expires=month)) == ["long-lived"]
    assert findings(lambda: signer().grant(f"{CDN}/a/*", expires=month)) == ["long-lived"]
    assert findings(lambda: Site(signer(), "d1.example.com").sign_url("/a", expires=month)) == ["long-lived"]
    assert findings(lambda: Site(signer(), "d1.example.com").sign_object("a", expires=month)) == ["long-lived"]
    with pytest.warns(SigningWarning, match=r"this lives for 30 days, .*max_lifetime .*\[long-lived\]"):
        signer().sign_url(f"{CDN}/a", expires=month)


def test_a_life_that_was_said_to_be_meant_is_not_warned_of() -> None:
    month = timedelta(days=30)
    assert findings(lambda: signer().sign_url(f"{CDN}/a", expires=month, max_lifetime=month)) == []
    assert findings(lambda: signer(max_lifetime=month).sign_cookies(f"{CDN}/a", expires=month)) == []
    assert findings(lambda: Site(signer(), "d1.example.com", max_lifetime=month).sign_url("/a", expires=month)) == []


@pytest.mark.parametrize(
    "sign",
    [
        lambda: signer(max_lifetime=MINUTES).sign_url(f"{CDN}/a", expires=HOUR),
        lambda: signer(max_lifetime=MINUTES).sign_cookies(f"{CDN}/a", expires=HOUR),
        lambda: signer(max_lifetime=MINUTES).grant(f"{CDN}/a/*", expires=HOUR),
        lambda: signer(max_lifetime=MINUTES).sign_object("a", domain=CDN, expires=HOUR),
        lambda: next(signer(max_lifetime=MINUTES).sign_many([f"{CDN}/a"], expires=HOUR)),
        lambda: signer().sign_url(f"{CDN}/a", expires=HOUR, max_lifetime=MINUTES),
        lambda: Site(signer(), CDN, max_lifetime=MINUTES).sign_url("/a", expires=HOUR),
        lambda: Site(signer(), CDN, max_lifetime=MINUTES).sign_object("a", expires=HOUR),
        lambda: Site(signer(), CDN, max_lifetime=MINUTES).sign_cookies("/a/*", expires=HOUR),
        lambda: asyncio.run(Site(signer(), CDN, max_lifetime=MINUTES).sign_url_async("/a", expires=HOUR)),
        lambda: asyncio.run(Site(signer(), CDN, max_lifetime=MINUTES).sign_cookies_async("/a/*", expires=HOUR)),
        lambda: Reuse(HOUR).grant(signer(max_lifetime=MINUTES), f"{CDN}/a/*"),
        lambda: CloudFrontSigner(None, signer(max_lifetime=MINUTES)).generate_presigned_url(
            f"{CDN}/a", datetime.now(UTC) + HOUR
        ),
        lambda: CloudFrontSigner(None, signer(max_lifetime=MINUTES)).generate_cookies(
            f"{CDN}/a/*", datetime.now(UTC) + HOUR
        ),
    ],
)
def test_a_bound_refuses_whatever_lives_longer(sign: Any) -> None:
    with pytest.raises(PolicyError, match=r"this would live for .*, and max_lifetime is 0:10:00: .*\[long-lived\]"):
        sign()


def test_a_calls_own_bound_counts_in_place_of_the_signers() -> None:
    signer(max_lifetime=MINUTES).sign_url(f"{CDN}/a", expires=HOUR, max_lifetime=HOUR)


@pytest.mark.parametrize("given", [3600, "7d", timedelta(0)])
def test_a_bound_that_is_none_is_told(given: Any) -> None:
    for make in (lambda: signer(max_lifetime=given), lambda: Site(signer(), CDN, max_lifetime=given)):
        with pytest.raises(PolicyError, match="give a timedelta, such as"):
            make()


def test_every_caution_is_a_finding() -> None:
    seen = [
        *of_url("http://b.s3.amazonaws.com/x"),
        *of_canned_url("https://h.example/*"),
        *of_resource(None),
        *of_resource("https://h.example/*"),
        *of_network("10.0.0.0/8", ipv6=True),
    ]
    assert len(seen) == 7
    documented = Path(__file__).parent.parent.parent.joinpath("docs", "findings.md").read_text()
    assert all(f"\n## {each.finding}\n" in documented for each in seen)
