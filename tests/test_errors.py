"""The facts of errors: for each reason an input that leads to it, and the page that explains it."""

import ast
import copy
import pickle
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from keyfront import Policy, PublicKey, Signer, SigningKey
from keyfront.core import credentials, encoding
from keyfront.core.grants import Grant
from keyfront.core.objects import object_url, site_url
from keyfront.core.policy import LATEST
from keyfront.core.urls import resource_pattern, viewer_url
from keyfront.errors import EncodingError, InputError, KeyLoadError, PolicyError, URLError
from keyfront.explain.rules import RULES
from keyfront.integrations.site import Site
from keyfront.keystore import SignerDocument

ROOT = Path(__file__).parent.parent
NOW = 1_900_000_000
SOON = NOW + 60
HOST = "https://media.example.com"
KEY = SigningKey.generate("ecdsa")
SIGNER = Signer("K1", KEY, clock=lambda: NOW)
RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)


def _parsed(condition: str = '"DateLessThan":{"AWS:EpochTime":1}', rest: str = "") -> Callable[[], object]:
    return lambda: Policy.parse(f'{{"Statement":[{{"Condition":{{{condition}}}{rest}}}]}}'.encode())


def _custom(**terms: Any) -> Callable[[], object]:
    return lambda: Policy.custom(HOST, now=NOW, **{"expires": SOON, **terms})


POLICIES: list[tuple[Callable[[], object], str, str, object]] = [
    (lambda: Policy.parse(b"{"), "policy-not-json", "", None),
    (lambda: Policy.parse(b"\xff"), "policy-not-json", "", None),
    (lambda: Policy.parse(b"[" * 100_000), "policy-not-json", "", None),
    (lambda: Policy.parse(b"[]"), "policy-malformed", "the policy", None),
    (lambda: Policy.parse(b'{"Statement":[{},{}]}'), "policy-several-statements", "Statement", None),
    (_parsed(rest=',"Resource":["a","b"]'), "policy-several-statements", "Resource", None),
    (_parsed(rest=',"Resource":1'), "policy-malformed", "Resource", None),
    (_parsed(rest=',"Resource":""'), "policy-malformed", "Resource", ""),
    (_parsed(rest=',"Effect":"Allow"'), "policy-malformed", "Effect", None),
    (_parsed(rest=',"Effect":1,"Effect":1'), "policy-malformed", "Effect", None),
    (_parsed(""), "policy-without-expiry", "DateLessThan", None),
    (_parsed('"DateLessThan":{"AWS:EpochTime":"1"}'), "time-is-text", "DateLessThan", "1"),
    (_parsed('"DateLessThan":{"AWS:EpochTime":-1}'), "time-malformed", "DateLessThan", -1),
    (
        _parsed(f'"DateLessThan":{{"AWS:EpochTime":{NOW * 1000}}}'),
        "expires-in-milliseconds",
        "DateLessThan",
        NOW * 1000,
    ),
    (_parsed(f'"DateLessThan":{{"AWS:EpochTime":{10**20}}}'), "expires-too-late", "DateLessThan", 10**20),
    (
        _parsed('"DateLessThan":{"AWS:EpochTime":1},"DateGreaterThan":{"AWS:EpochTime":9999999999999}'),
        "starts-not-a-second",
        "DateGreaterThan",
        9_999_999_999_999,
    ),
    (
        _parsed('"DateLessThan":{"AWS:EpochTime":1},"IpAddress":{"AWS:SourceIp":"192.0.2.1/24"}'),
        "network-malformed",
        "ip",
        "192.0.2.1/24",
    ),
    (_custom(ip="2001:db8::1"), "network-malformed", "ip", "2001:db8::1"),
    (_custom(ip=b"x"), "network-malformed", "ip", None),
    (_custom(expires=NOW), "expired", "expires", NOW),
    (_custom(starts=SOON), "starts-after-expiry", "starts", SOON),
    (_custom(starts=LATEST + 1), "starts-not-a-second", "starts", LATEST + 1),
    (_custom(expires=SOON * 1000), "expires-in-milliseconds", "expires", SOON * 1000),
    (_custom(expires="tomorrow"), "time-malformed", "expires", None),
    (_custom(expires=-1), "time-malformed", "expires", -1),
    (_custom(expires=datetime(2040, 1, 1)), "time-zone-missing", "expires", datetime(2040, 1, 1)),  # noqa: DTZ001
    (
        lambda: SIGNER.sign_url(HOST, expires=SOON, max_lifetime=timedelta(seconds=9)),
        "long-lived",
        "expires",
        60,
    ),
    (
        lambda: SIGNER.sign_url(HOST, expires=SOON, max_lifetime=timedelta(0)),
        "time-malformed",
        "max_lifetime",
        timedelta(0),
    ),
    (lambda: Grant(f"{HOST}/*", NOW, {}, lambda: NOW).url("/a"), "expired", "expires", NOW),
]

URLS: list[tuple[Callable[[], object], str, str, object]] = [
    (lambda: viewer_url(""), "url-empty", "url", ""),
    (lambda: viewer_url("example.com/a?secret"), "scheme-missing", "url", "example.com/a"),
    (lambda: viewer_url("ftp://example.com/a?secret"), "scheme-unknown", "url", "ftp://example.com/a"),
    (lambda: viewer_url("https://me:secret@example.com/"), "user-in-url", "url", "https://…@example.com/"),
    (lambda: viewer_url("https://ö.example/"), "host-malformed", "url", "https://ö.example/"),
    (lambda: viewer_url("https://a..b:x/"), "host-malformed", "url", "https://a..b:x/"),
    (lambda: viewer_url("https://1.2.3/"), "host-malformed", "url", "https://1.2.3/"),
    (lambda: viewer_url(f"{HOST}:99999/"), "port-malformed", "url", f"{HOST}:99999/"),
    (lambda: viewer_url(f"{HOST}/a\n"), "white-space-signed", "url", f"{HOST}/a\n"),
    (lambda: viewer_url(f" {HOST}/a"), "white-space-signed", "url", f" {HOST}/a"),
    (lambda: viewer_url(f"{HOST}/a#b"), "fragment", "url", f"{HOST}/a#b"),
    (lambda: viewer_url(f"{HOST}/a/../b?secret"), "dot-segment", "url", f"{HOST}/a/../b"),
    (lambda: viewer_url(f"{HOST}/\ud800"), "not-unicode", "url", f"{HOST}/\ud800"),
    (lambda: viewer_url(f"{HOST}/?Expires=1"), "signing-parameter", "url", "Expires"),
    (lambda: resource_pattern(f"{HOST}/*?Policy=1"), "signing-parameter", "resource", "Policy"),
    (lambda: resource_pattern(f"{HOST}/a/../*"), "dot-segment", "resource", f"{HOST}/a/../*"),
    (lambda: resource_pattern(""), "resource-is-no-url", "resource", ""),
    (lambda: resource_pattern("/videos/*"), "resource-is-no-url", "resource", "/videos/*"),
    (lambda: resource_pattern("https:///*"), "resource-is-no-url", "resource", "https:///*"),
    (lambda: site_url(""), "domain-malformed", "domain", None),
    (lambda: site_url("a.example?secret"), "domain-malformed", "domain", "a.example"),
    (lambda: object_url(HOST, "a/../b"), "object-key-malformed", "key", None),
    (
        lambda: SIGNER.sign_url(f"{HOST}/b", expires=SOON, resource=f"{HOST}/a/*"),
        "resource-does-not-cover",
        "resource",
        f"{HOST}/a/*",
    ),
    (lambda: SIGNER.grant(f"{HOST}/a/*", expires=SOON).url("/b"), "resource-does-not-cover", "path", None),
    (lambda: SIGNER.grant("*", expires=SOON).url("/b"), "scheme-missing", "path", None),
    (lambda: SIGNER.sign_cookies(f"{HOST}/{'a' * 4000}*", expires=SOON), "cookies-incomplete", "resource", None),
    (lambda: Site(SIGNER, HOST).sign_url("https://b.example/", expires=SOON), "host-differs", "url", "b.example"),
]


def _document(key_pair_id: str) -> Callable[[], object]:
    return lambda: SignerDocument.parse(KEY.pem(), source="the document", key_pair_id=key_pair_id)


KEYS: list[tuple[Callable[[], object], str, str, object]] = [
    (lambda: SigningKey.load(""), "key-missing", "", None),
    (lambda: SigningKey.load("secret"), "key-missing", "", None),
    (lambda: SigningKey.load(None), "key-missing", "", None),  # type: ignore[arg-type]
    (_document("K 1"), "key-pair-id-malformed", "key_pair_id", None),
    (_document("E1ABCDEFGHIJKL"), "key-pair-id-of-another-kind", "key_pair_id", "E1ABCDEFGHIJKL"),
    (lambda: SigningKey.load(7), "key-not-text", "", "int"),  # type: ignore[arg-type]
    (lambda: SigningKey.load("private.pem"), "key-is-a-file-name", "", None),
    (lambda: SigningKey.load(Path("/nowhere/private.pem")), "file-unreadable", "", "/nowhere/private.pem"),
    (lambda: SigningKey.load(KEY.pem()[:-40]), "key-damaged", "", None),
    (lambda: SigningKey.load(KEY.pem().replace("M", "N", 1)), "key-damaged", "", None),
    (lambda: SigningKey.load(KEY.public_key.pem), "key-is-public", "", "PUBLIC KEY"),
    (lambda: SigningKey.load(KEY.pem("word")), "passphrase-missing", "passphrase", None),
    (lambda: SigningKey.load(KEY.pem("word"), "other"), "passphrase-wrong", "passphrase", None),
    (lambda: SigningKey(RSA), "key-of-another-kind", "", "an RSA key of 1024 bits"),
    (lambda: PublicKey.load(KEY.pem()), "key-is-private", "", "PRIVATE KEY"),
    (lambda: PublicKey.load("ssh-rsa AAAA"), "key-in-another-form", "", None),
    (lambda: PublicKey.load(b"\x30\x82"), "key-in-another-form", "", None),
    (
        lambda: PublicKey.load("-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----"),
        "key-is-certificate",
        "",
        "CERTIFICATE",
    ),
]


@pytest.mark.filterwarnings("ignore::keyfront.SigningWarning")
@pytest.mark.parametrize(
    ("error", "call", "reason", "member", "value"),
    [(kind, *row) for kind, rows in ((PolicyError, POLICIES), (URLError, URLS), (KeyLoadError, KEYS)) for row in rows],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_an_error_carries_its_facts(
    error: type[InputError], call: Callable[[], object], reason: str, member: str, value: object
) -> None:
    with pytest.raises(error) as caught:
        call()
    assert (caught.value.reason, caught.value.member, caught.value.value) == (reason, member, value)


@pytest.mark.parametrize(
    ("text", "reason", "value"), [("a+b=", "standard-base64", "+"), ("a", "encoding-malformed", None)]
)
def test_so_does_the_error_of_an_encoding(text: str, reason: str, value: str | None) -> None:
    with pytest.raises(EncodingError) as caught:
        encoding.decode(text)
    assert (caught.value.reason, caught.value.value) == (reason, value)


@pytest.mark.parametrize(
    ("query", "cause"),
    [
        ("", "policy-missing"),
        ("&Expires=tomorrow", "expires-not-a-number"),
        (f"&Expires={NOW}000", "expires-in-milliseconds"),
        ("&Expires=99999999999", "expires-too-late"),
        ("&Policy=a+b", "policy-unreadable"),
        (f"&Policy={encoding.encode(b'{')}", "policy-not-json"),
    ],
)
def test_a_request_that_cannot_be_judged_says_which_finding_it_is(query: str, cause: str) -> None:
    fault = credentials.presented(f"{HOST}/?Key-Pair-Id=K1{query}", "").policy
    assert isinstance(fault, credentials.Fault)
    assert fault.cause == cause
    assert cause in RULES


@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_facts_survive_a_copy_and_the_way_to_another_process(again: Callable[[InputError], InputError]) -> None:
    error = PolicyError("expires is past", reason="expired", member="expires", value=datetime.now(UTC))
    assert (type(again(error)), str(again(error)), vars(again(error))) == (PolicyError, str(error), vars(error))


def test_an_error_without_a_reason_of_its_own_has_its_kinds() -> None:
    assert [each("x").reason for each in (InputError, KeyLoadError, URLError, PolicyError, EncodingError)] == [
        "input-unusable",
        "key-unusable",
        "url-malformed",
        "policy-malformed",
        "encoding-malformed",
    ]


def _reasons() -> set[str]:
    """Every reason in the sources: what is given as `reason=`, and the usual ones."""
    texts = [path.read_text("utf-8") for path in sorted((ROOT / "src" / "keyfront").rglob("*.py"))]
    trees = [ast.parse(text) for text in texts if "_reason" in text or "reason=" in text]
    errors = ("PolicyError", "URLError", "KeyLoadError", "EncodingError")
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in errors]
    given = [word.value for call in named for word in call.keywords if word.arg == "reason"]
    return {str(value.value) for value in given if isinstance(value, ast.Constant) and value.value} | {
        row[1] for rows in (POLICIES, URLS, KEYS) for row in rows
    }


def test_each_reason_is_a_finding_or_stands_on_the_page_of_errors() -> None:
    listed = set(re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs" / "errors.md").read_text("utf-8"), re.MULTILINE))
    listed -= {"reason", "member", "value"}
    assert not listed & RULES.keys(), "what is a finding has its section in docs/findings.md"
    assert _reasons() <= listed | RULES.keys()
    assert listed <= _reasons() | {"input-unusable", "key-unusable", "url-malformed", "encoding-malformed"}
