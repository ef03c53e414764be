"""Every wrong turn that public bug reports tell of: what a signer refuses, warns of or makes right by itself.

What it cannot see is named with the reason, and is what `keyfront explain` finds.
"""

import base64
import time
import tomllib
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keyfront import Policy, Signer, SigningKey, SigningWarning, ViewerRequest, verify
from keyfront.core import encoding
from keyfront.core.keys import PublicKey
from keyfront.errors import KeyfrontError
from keyfront.explain.lint import lint
from keyfront.explain.rules import RULES

ID = "K2JCJMDEHXQW5F"
KEY = SigningKey.generate("ecdsa")
RSA = rsa.generate_private_key(65537, 2048)
SIGNER = Signer(ID, KEY)
CDN = "https://d111111abcdef8.cloudfront.net"
FILE = f"{CDN}/a/b.pdf"
HOUR = timedelta(hours=1)
NOW = time.time()

_ROOT = Path(__file__).parent.parent


def pem(key: rsa.RSAPrivateKey, form: PrivateFormat) -> str:
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def let_in(signed: str, key: PublicKey = KEY.public_key) -> bool:
    return verify(ViewerRequest(signed), {ID: key}, time.time()).allowed


def parameter(signed: str, name: str) -> str:
    return parse_qs(urlsplit(signed).query)[name][0]


def custom(alphabet: str = "+/=") -> bool:
    """A custom policy that needs all of base64's signs: none of theirs is in the link, and it is let in."""
    signed = SIGNER.sign_url(f"{FILE}?q=~~~", expires=HOUR, starts=1)
    assert not set(alphabet) & set(parameter(signed, "Policy") + parameter(signed, "Signature"))
    return let_in(signed)


def cookies_of(resource: str) -> Callable[..., list[str]]:
    return SIGNER.sign_cookies(resource, expires=HOUR).set_cookie_headers


def loaded_from(text: str) -> bool:
    key = SigningKey.load(text)
    return let_in(Signer(ID, key).sign_url(FILE, expires=HOUR), key.public_key)


def told_by_lint() -> bool:
    iam = Policy.custom(FILE, expires=HOUR, now=NOW).to_bytes().replace(b'"Resource"', b'"Effect":"Allow","Resource"')
    return [each.id for each in lint(iam.decode(), now=NOW).findings] == ["policy-iam-style"]


class Row(NamedTuple):
    """A wrong turn and its finding; what the signer does; what shows it, or why it cannot be seen."""

    turn: str
    finding: str
    does: Literal["refuses", "warns", "makes right", "cannot see"]
    act: Callable[[], object] | None = None
    says: str = ""


def cannot_see(turn: str, finding: str, reason: str) -> Row:
    return Row(turn, finding, "cannot see", says=reason)


ROWS = [
    Row("expiry in milliseconds", "expires-in-milliseconds", "refuses",
        lambda: SIGNER.sign_url(FILE, expires=int(NOW * 1000)), "looks like milliseconds: divide by 1000"),
    Row("a length of time as the expiry", "expires-is-a-duration", "refuses",
        lambda: SIGNER.sign_url(FILE, expires=3600), "looks like a duration"),
    Row("the S3 URL signed", "origin-host-signed", "warns",
        lambda: SIGNER.sign_url("https://files.s3.eu-west-1.amazonaws.com/a/b.pdf", expires=HOUR),
        "sign the distribution's domain name"),
    Row("Expires and Policy both present", "expires-and-policy", "refuses",
        lambda: SIGNER.sign_url(f"{FILE}?Expires=1", expires=HOUR, starts=1), "sign the bare URL"),
    Row("a key id left undefined", "key-pair-id-unset", "refuses",
        lambda: Signer("undefined", KEY), "a variable was not set: give the public key's id"),
    Row("an IAM access key id", "key-pair-id-is-access-key", "refuses",
        lambda: Signer("AKIAIOSFODNN7EXAMPLE", KEY), "give the public key's id in CloudFront"),
    cannot_see("the private key of another pair", "private-key-of-another-id",
               "which public key an id stands for is CloudFront's to say; --check asks it"),
    Row("standard base64", "standard-base64", "makes right", lambda: custom("+/=")),
    Row("base64url", "url-safe-base64", "makes right",
        lambda: encoding.encode(base64.b64decode("+/8=")) == "-~8_" and custom("+/=")),
    cannot_see("the policy re-serialised after signing", "policy-rewritten",
               "the link is finished when it is handed over; its policy and signature are made from the same bytes"),
    cannot_see("parameters added after signing", "query-added", "it happens after signing"),
    cannot_see("percent-encoding changed on the way", "path-encoding-differs", "it happens after signing"),
    Row("a space that one side writes as +", "plus-for-space", "makes right",
        lambda: let_in(SIGNER.sign_url(f"{CDN}/my file.pdf?q=a b", expires=HOUR))
        and " " not in SIGNER.sign_url(f"{CDN}/my file.pdf?q=a b", expires=HOUR)),
    cannot_see("cookies whose values a framework encodes", "cookies-re-encoded",
               "the headers are ready as they are; what a framework does to values given to it happens later"),
    Row("cookies for the wrong domain", "cookie-domain-differs", "warns",
        lambda: cookies_of("https://media.example.com/a/*")(domain="example.org"), "browsers do not send them there"),
    Row("cookies for cloudfront.net", "cookie-domain-differs", "warns",
        lambda: cookies_of(f"{CDN}/a/*")(domain=".cloudfront.net"), "under your own domain"),
    Row("cookies for the wrong path", "cookie-path-differs", "warns",
        lambda: cookies_of(f"{CDN}/a/*")(path="/login"), "give path=/"),
    Row("cookies without Secure on HTTPS", "cookie-not-secure", "warns",
        lambda: cookies_of(f"{CDN}/a/*")(secure=False), "leave secure=False out"),
    Row("a wildcard in a canned policy", "wildcard-in-canned-policy", "warns",
        lambda: SIGNER.sign_url(f"{CDN}/a/*", expires=HOUR), "for a wildcard give resource="),
    Row("a policy for http used on https", "protocol-differs", "warns",
        lambda: SIGNER.sign_url("http://media.example.com/a", expires=HOUR), "sign https://"),
    cannot_see("the CNAME signed and cloudfront.net requested", "host-differs",
               "both names may be the distribution's; which one the link will have is not known"),
    Row("the wrong clock: an expiry that has passed", "expired", "refuses",
        lambda: SIGNER.sign_url(FILE, expires=NOW - 60), "choose a time in the future"),
    cannot_see("the wrong clock: ahead of CloudFront's", "clock-is-ahead", "a signer has no other clock"),
    Row("a PEM whose line breaks were lost", "signature-does-not-match", "makes right",
        lambda: all(loaded_from(pem(RSA, PrivateFormat.PKCS8).replace("\n", each)) for each in ("\\n", " "))),
    Row("PKCS#8 where PKCS#1 is read", "signature-does-not-match", "makes right",
        lambda: all(loaded_from(pem(RSA, each)) for each in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL))),
    Row("SHA-256 without the parameter", "hash-algorithm-differs", "makes right",
        lambda: let_in(Signer(ID, KEY, "SHA256").sign_url(FILE, expires=HOUR))),
    Row("an ECDSA signature in raw form", "signature-raw-ecdsa", "makes right",
        lambda: decode_dss_signature(
            encoding.decode(parameter(SIGNER.sign_url(FILE, expires=HOUR), "Signature")))),
    Row("an IAM-style policy", "policy-iam-style", "makes right", told_by_lint),
    cannot_see("the distribution still deploying", "distribution-deploying", "a signer knows no distribution"),
    cannot_see("the group on another behavior", "key-group-on-another-behavior", "a signer knows no behaviors"),
    cannot_see("an earlier behavior that matches first", "earlier-behavior-is-public", "a signer knows no behaviors"),
    cannot_see("the signed answer cached by a browser", "answer-from-a-cache", "it happens at the viewer"),
    cannot_see("the origin's own 403", "s3-access-denied", "it happens behind CloudFront"),
    # Not reported by those whom it happened to, and prevented all the same.
    Row("a link that lives for months", "long-lived", "warns",
        lambda: SIGNER.sign_url(FILE, expires=timedelta(days=90)), "give max_lifetime"),
    Row("an address, and viewers over IPv6", "viewer-over-ipv6", "warns",
        lambda: Signer(ID, KEY, ipv6=True).sign_url(FILE, expires=HOUR, ip="192.0.2.7"), "turn IPv6 off"),
    Row("a whole host opened", "resource-covers-host", "warns",
        lambda: SIGNER.sign_cookies(f"{CDN}/*", expires=HOUR), "name a folder"),
]  # fmt: skip


@pytest.fixture(scope="module")
def documented() -> str:
    return (_ROOT / "docs" / "findings.md").read_text("utf-8")


@pytest.fixture(scope="module")
def explained() -> set[str]:
    """The findings that `keyfront explain` is shown to give, by the cases of its corpus."""
    shown: set[str] = set()
    for file in (_ROOT / "tests" / "explain" / "corpus").glob("*.toml"):
        for case in tomllib.loads(file.read_text("utf-8"))["case"]:
            shown |= {case["expect"], *case.get("also", ())}
    return shown


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.turn)
def test_a_wrong_turn(row: Row, documented: str, explained: set[str]) -> None:
    assert row.finding in RULES
    assert f"\n## {row.finding}\n" in documented
    assert row.finding in explained
    if row.act is None:
        assert row.does == "cannot see"
        assert row.says
    elif row.does == "refuses":
        with pytest.raises(KeyfrontError) as refused:
            row.act()
        assert row.says in str(refused.value)
    elif row.does == "warns":
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            row.act()
        seen = [each.message for each in caught if isinstance(each.message, SigningWarning)]
        assert [each.finding for each in seen] == [row.finding]
        assert row.says in str(seen[0])
        assert caught[0].filename == __file__
    else:
        assert row.act()
