"""Signed cookies: their names, their attributes, a client that keeps them, and what a browser would drop."""

import http.cookiejar
import urllib.request
from email.message import Message
from http.client import HTTPMessage
from typing import Any

import pytest

from keyfront import SignedCookies, Signer, SigningKey, ViewerRequest, verify
from keyfront.core.cookies import Attributes
from keyfront.core.keys import HashAlgorithm
from keyfront.errors import InputError, URLError

NOW = 1_900_000_000
KEY_ID = "K2JCJMDEHXQW5F"
HOST = "https://d111111abcdef8.cloudfront.net"
FILE = f"{HOST}/images/horizon.jpg"
KEY = SigningKey.generate("ecdsa")


def signer(hash_algorithm: HashAlgorithm = "SHA1") -> Signer:
    return Signer(KEY_ID, KEY, hash_algorithm, clock=lambda: NOW)


def test_cookies_are_a_mapping_of_cloudfronts_names() -> None:
    cookies = signer().sign_cookies(FILE, expires=NOW + 60)
    assert list(cookies) == ["CloudFront-Expires", "CloudFront-Signature", "CloudFront-Key-Pair-Id"]
    assert cookies["CloudFront-Expires"] == str(NOW + 60)
    assert dict(cookies) == {name: cookies[name] for name in cookies}
    assert len(cookies) == 3
    with_hash = signer(hash_algorithm="SHA256").sign_cookies(f"{HOST}/*", expires=NOW + 60)
    assert with_hash["CloudFront-Hash-Algorithm"] == "SHA256"


def test_cookies_print_without_their_values() -> None:
    cookies = signer().sign_cookies(FILE, expires=NOW + 60)
    assert repr(cookies) == "SignedCookies(CloudFront-Expires, CloudFront-Signature, CloudFront-Key-Pair-Id)"


COOKIES = SignedCookies({"CloudFront-Expires": "1", "CloudFront-Signature": "a~b_"})


@pytest.mark.parametrize(
    ("arguments", "tail"),
    [
        ({}, "Path=/; Secure; HttpOnly"),
        ({"domain": "media.example.com"}, "Path=/; Domain=media.example.com; Secure; HttpOnly"),
        ({"domain": ".example.com", "path": "/a"}, "Path=/a; Domain=.example.com; Secure; HttpOnly"),
        ({"secure": False}, "Path=/; HttpOnly"),
        ({"http_only": False}, "Path=/; Secure"),
        ({"same_site": "Lax"}, "Path=/; Secure; HttpOnly; SameSite=Lax"),
        ({"same_site": "none"}, "Path=/; Secure; HttpOnly; SameSite=None"),
        ({"max_age": 600}, "Path=/; Max-Age=600; Secure; HttpOnly"),
    ],
)
def test_set_cookie_values_are_ready_to_be_sent(arguments: dict[str, Any], tail: str) -> None:
    assert COOKIES.set_cookie_headers(**arguments) == [
        f"CloudFront-Expires=1; {tail}",
        f"CloudFront-Signature=a~b_; {tail}",
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"path": "a"}, "does not start with '/'"),
        ({"path": ""}, "path is ''"),
        ({"path": "/a; Domain=evil.test"}, "semicolons"),
        ({"path": "/a\r\nSet-Cookie: b=c"}, "path is"),
        ({"domain": "https://example.com"}, "bare name"),
        ({"domain": "example.com:8080"}, "bare name"),
        ({"domain": "example.com/a"}, "bare name"),
        ({"domain": ""}, "domain is ''"),
        ({"domain": "a.example, b.example"}, "domain is"),
        ({"same_site": "Sometimes"}, "choose Lax, Strict or None"),
        ({"same_site": "None", "secure": False}, "needs Secure"),
    ],
)
def test_attributes_that_a_browser_would_drop_are_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as refused:
        COOKIES.set_cookie_headers(**arguments)
    assert says in str(refused.value)


def test_a_client_keeps_the_cookies_and_sends_what_verifies() -> None:
    class Answer:
        def info(self) -> Message:
            headers = HTTPMessage()
            for value in signer().sign_cookies(f"{HOST}/*", expires=NOW + 60).set_cookie_headers():
                headers["Set-Cookie"] = value
            return headers

    jar = http.cookiejar.CookieJar()
    jar.extract_cookies(Answer(), urllib.request.Request(f"{HOST}/login"))  # type: ignore[arg-type]
    asking = urllib.request.Request(FILE)
    jar.add_cookie_header(asking)
    sent = asking.get_header("Cookie")
    assert sent is not None
    assert verify(ViewerRequest(FILE, sent), {KEY_ID: KEY.public_key}, NOW).allowed


def test_cookies_that_browsers_would_drop_for_their_length_are_refused() -> None:
    with pytest.raises(URLError, match="browsers drop one over 4,096"):
        signer().sign_cookies(f"{HOST}/{'a' * 4000}*", expires=NOW + 60)


@pytest.mark.parametrize(
    ("resource", "says"),
    [
        ("", "empty"),
        ("/images/*", "no scheme"),
        ("d111111abcdef8.cloudfront.net", "no scheme"),
        (f"{HOST}/*?Signature=x", "'Signature'"),
        (f"{HOST}/a/../*", "segment"),
    ],
)
def test_cookies_for_what_is_no_resource_are_refused(resource: str, says: str) -> None:
    with pytest.raises(URLError) as refused:
        signer().sign_cookies(resource, expires=NOW + 60)
    assert says in str(refused.value)


def test_every_framework_takes_the_attributes_from_one_place() -> None:
    given = Attributes(domain="media.example.com", same_site="lax", max_age=60)
    assert (given.path, given.secure, given.http_only) == ("/", True, True)
    assert str(given) == "Path=/; Domain=media.example.com; Max-Age=60; Secure; HttpOnly; SameSite=Lax"
    assert COOKIES.attributes(domain="media.example.com", same_site="lax", max_age=60) == given
