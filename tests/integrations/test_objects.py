"""S3 keys of every kind: put with boto3, signed, and downloaded through the edge, byte for byte the same."""

import http.client
import time
import unicodedata
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from keyfront import Signer, SigningKey, ViewerRequest, verify
from keyfront.core.objects import object_url, site_url
from keyfront.errors import URLError

SOON = timedelta(minutes=5)
UGLY = {
    "plain": "videos/1.mp4",
    "the issue's": "videos/öl & gas #1.mp4",
    "spaces": "a b/c  d.txt",
    "space at the end": "ends with a space ",
    "space at the start": " begins.txt",
    "plus": "c++/a+b.txt",
    "percent": "100%.txt",
    "escaped already": "a%20b%2Fc.txt",
    "percent and no hex": "%zz%",
    "hash and question mark": "what?#1.txt",
    "ampersand and equals": "a=b&c=d;e.txt",
    "named like a signature": "a?Expires=1&Signature=x",
    "star": "a*b.txt",
    "tilde": "~user/~a.txt",
    "quotes and brackets": 'it\'s "[quoted]" (1) <2> {3} |4| \\5 ^6 `7`.txt',
    "comma, colon, at, dollar, exclamation": "a,b:c@d$e!f.txt",
    "NFC": unicodedata.normalize("NFC", "é.txt"),
    "NFD": unicodedata.normalize("NFD", "é.txt"),
    "emoji": "🎬/👩‍👩‍👧.mp4",
    "right to left": "مرحبا/שלום.txt",
    "double slash": "a//b.txt",
    "double slash at the start of a folder": "a///b//c.txt",
    "slash at the end": "folder/",
    "dots that are no segments": "...a/b../.c/....txt",
    "hidden": ".well-known/x",
    "tab": "a\tb.txt",
    "delete": "a\x7fb.txt",
    "1024 bytes": "k" * 1024,
    "1024 bytes in UTF-8": "é" * 512,
    "1024 bytes in segments": "/".join(["0123456"] * 128),
}
REFUSED = {
    "..": "segment",
    "a/../b": "segment",
    "./a": "segment",
    "a/.": "segment",
    "": "empty",
    "k" * 1025: "1,025 bytes",
    "é" * 513: "1,026 bytes",
    "\ud83d": "surrogate",
}


def download(url: str) -> tuple[int, bytes]:
    """What a viewer gets that sends exactly these bytes; the name is resolved as browsers resolve `localhost`."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=30)
    try:
        connection.putrequest("GET", url.partition(parts.netloc)[2], skip_host=True)
        connection.putheader("Host", parts.netloc)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def bucket(laptop: Any) -> Any:
    session = laptop.session()
    return session.resource("s3", endpoint_url=laptop.printed["endpoint"]).Bucket(laptop.printed["bucket"])


@pytest.mark.parametrize("name", UGLY)
def test_an_ugly_key_is_downloaded_through_the_edge(laptop: Any, bucket: Any, name: str) -> None:
    key, body = UGLY[name], f"the object {name}".encode()
    bucket.put_object(Key=key, Body=body)
    assert bucket.Object(key).get()["Body"].read() == body
    url = laptop.signer.sign_object(key, domain=laptop.base_url, expires=SOON)
    assert url.isascii()
    assert download(url) == (200, body)
    assert download(url.replace("Signature=", "Signature=x"))[0] == 403


def test_a_line_break_is_signed_too() -> None:
    """The laptop's S3 does not take such a key (moto knows no path with a line break); Amazon's does."""
    key = SigningKey.generate("ecdsa")
    url = Signer("K1", key).sign_object("a\nb.txt", domain="media.example.com", expires=SOON)
    assert url.startswith("https://media.example.com/a%0Ab.txt?")
    assert verify(ViewerRequest(url), {"K1": key.public_key}, time.time()).allowed


def test_the_two_forms_of_a_letter_are_two_objects() -> None:
    urls = {object_url("https://media.example.com", UGLY[name]) for name in ("NFC", "NFD")}
    assert urls == {"https://media.example.com/%C3%A9.txt", "https://media.example.com/e%CC%81.txt"}


@pytest.mark.parametrize("key", REFUSED, ids=lambda key: ascii(key)[:12])
def test_a_key_that_no_viewer_can_ask_for_is_refused(key: str) -> None:
    signer = Signer("K2JCJMDEHXQW5F", SigningKey.generate("ecdsa"))
    with pytest.raises(URLError, match=REFUSED[key]) as raised:
        signer.sign_object(key, domain="media.example.com", expires=SOON)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("domain", "url"),
    [
        ("media.example.com", "https://media.example.com"),
        ("Media.Example.com", "https://media.example.com"),
        ("https://media.example.com/", "https://media.example.com"),
        ("http://a.localhost:8080/assets/", "http://a.localhost:8080/assets"),
    ],
)
def test_a_domain_becomes_an_address(domain: str, url: str) -> None:
    assert site_url(domain) == url


@pytest.mark.parametrize("domain", ["", "media example.com", "https://", "ftp://a.example.com", "a.example.com?x=1"])
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(URLError):
        site_url(domain)
