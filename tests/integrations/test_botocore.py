"""Our CloudFrontSigner beside botocore's: the same bytes where a viewer can open what botocore signs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import botocore.signers
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.keys import shared_rsa

from keyfront import Signer, SigningKey, SigningWarning, ViewerRequest, verify
from keyfront.errors import InputError, PolicyError, URLError
from keyfront.integrations.botocore import CloudFrontSigner
from keyfront.keystore import SignerDocument, open_keystore

KEY_ID = "K2JCJMDEHXQW5F"
KEY = shared_rsa()
LOADED = serialization.load_pem_private_key(KEY.pem().encode(), None)
assert isinstance(LOADED, rsa.RSAPrivateKey)
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
FILE = "https://d111111abcdef8.cloudfront.net/a/horizon.jpg"

pytestmark = pytest.mark.filterwarnings("ignore::keyfront.SigningWarning")


def rsa_signer(message: bytes) -> bytes:
    """As boto3's documentation has it."""
    assert isinstance(LOADED, rsa.RSAPrivateKey)
    return LOADED.sign(message, padding.PKCS1v15(), hashes.SHA1())


THEIRS = botocore.signers.CloudFrontSigner(KEY_ID, rsa_signer)
SOURCES: dict[str, Callable[[], CloudFrontSigner]] = {
    "function": lambda: CloudFrontSigner(KEY_ID, rsa_signer),
    "SigningKey": lambda: CloudFrontSigner(KEY_ID, KEY),
    "Signer": lambda: CloudFrontSigner(None, Signer(KEY_ID, KEY)),
    "cryptography": lambda: CloudFrontSigner(KEY_ID, LOADED),  # type: ignore[arg-type]
}
OURS = SOURCES["SigningKey"]()

_CHARACTERS = "abcXYZ0189-._~!$&'()*+,;=:@"
_segment = st.text(_CHARACTERS, min_size=1, max_size=12).filter(lambda s: s not in (".", ".."))
_escaped = st.text(max_size=6).map(lambda s: "".join(f"%{b:02X}" for b in s.encode("utf-8", "ignore")))
_pairs = st.lists(
    st.tuples(st.text("abcxyz-_", min_size=1), st.text("aZ09-._~*+:@/", max_size=8) | _escaped), max_size=4
)
_host = st.sampled_from(
    ["d111111abcdef8.cloudfront.net", "media.example.com", "a.localhost:8443", "x-1.example.org:81"]
)


@st.composite
def sent_urls(draw: st.DrawFn) -> str:
    """URLs in the form in which viewers send them."""
    path = "/".join(draw(st.lists(_segment | _escaped.map(lambda s: s or "e"), min_size=1, max_size=4)))
    query = "&".join(f"{name}={value}" for name, value in draw(_pairs))
    return f"{draw(st.sampled_from(['https', 'http']))}://{draw(_host)}/{path}{'?' if query else ''}{query}"


_moments = st.datetimes(datetime(2027, 1, 1), datetime(2261, 1, 1)) | st.datetimes(  # noqa: DTZ001  botocore's are naive
    datetime(2027, 1, 1),  # noqa: DTZ001
    datetime(2261, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-11))]),
)


@settings(deadline=None)
@given(sent_urls(), _moments, st.sampled_from(sorted(SOURCES)))
def test_a_canned_url_is_botocores_to_the_byte(url: str, until: datetime, source: str) -> None:
    mine = SOURCES[source]().generate_presigned_url(url, date_less_than=until)
    assert mine == THEIRS.generate_presigned_url(url, date_less_than=until)


@settings(deadline=None)
@given(
    sent_urls(),
    _moments,
    st.none() | st.timedeltas(timedelta(seconds=1), timedelta(days=300)),
    st.none() | st.ip_addresses(v=4).map(str) | st.integers(0, 255).map(lambda n: f"10.{n}.0.0/16"),
)
def test_a_custom_policy_and_its_url_are_botocores_to_the_byte(
    url: str, until: datetime, before: timedelta | None, ip: str | None
) -> None:
    after = until - before if before else None
    mine = OURS.build_policy(url, until, after, ip)
    assert mine == THEIRS.build_policy(url, until, after, ip)
    assert OURS.generate_presigned_url(url, policy=mine) == THEIRS.generate_presigned_url(url, policy=mine)


@pytest.mark.parametrize(
    "policy", ['{"Statement": [ {"Resource":"https://*", "Condition":{"DateLessThan":{"AWS:EpochTime":4102444800}}} ]}']
)
def test_a_policy_of_ones_own_is_signed_as_it_stands(policy: str) -> None:
    for given_policy in (policy, policy.encode()):
        mine = OURS.generate_presigned_url(FILE, policy=given_policy)
        assert mine == THEIRS.generate_presigned_url(FILE, policy=policy)


# What botocore signs so that no viewer opens it, and we sign as viewers send it.
MENDED = [
    ("https://media.example.com/öl & gas.mp4", "https://media.example.com/%C3%B6l%20&%20gas.mp4"),
    ("https://media.example.com/100%.txt", "https://media.example.com/100%25.txt"),
    ("https://media.example.com/a?", "https://media.example.com/a"),
    ("https://MEDIA.example.com/a", "https://media.example.com/a"),
    ("https://media.example.com:443/a", "https://media.example.com/a"),
    ("https://media.example.com", "https://media.example.com/"),
    ("https://media.example.com/a?title=it's", "https://media.example.com/a?title=it%27s"),
]


@pytest.mark.parametrize(("url", "sent"), MENDED)
def test_what_viewers_send_otherwise_is_signed_as_they_send_it(url: str, sent: str) -> None:
    signed = OURS.generate_presigned_url(url, date_less_than=SOON)
    assert signed.startswith(sent)
    assert decided(signed) == "allowed"
    # botocore's is for other bytes: as a viewer sends it, its signature is for nothing.
    theirs = THEIRS.generate_presigned_url(url, date_less_than=SOON)
    parameters = theirs[theirs.index("Expires=") :]
    assert decided(f"{sent}{'&' if '?' in sent else '?'}{parameters}") != "allowed"


def decided(url: str, cookie: str = "") -> str:
    return verify(ViewerRequest(url, cookie), {KEY_ID: KEY.public_key}, datetime.now(UTC).timestamp()).reason


REFUSED: list[tuple[str, dict[str, Any], type[InputError], str]] = [
    ("https://media.example.com/a#b", {"date_less_than": SOON}, URLError, "#"),
    ("https://media.example.com/a/../b", {"date_less_than": SOON}, URLError, r"'\.\.'"),
    ("https://media.example.com/a\n", {"date_less_than": SOON}, URLError, "control"),
    ("media.example.com/a", {"date_less_than": SOON}, URLError, "no scheme"),
    ("https://media.example.com/a?Expires=1", {"date_less_than": SOON}, URLError, "already has"),
    ("https://media.example.com/a", {}, InputError, "either date_less_than or policy, but not both"),
    (FILE, {"date_less_than": SOON, "policy": "{}"}, InputError, "either date_less_than or policy, but not both"),
    (FILE, {"date_less_than": SOON.timestamp()}, PolicyError, "give a datetime"),
    (FILE, {"date_less_than": datetime(9000, 1, 1, tzinfo=UTC)}, PolicyError, "past the last second"),
    (FILE, {"policy": '{"Version":"2012-10-17","Statement":[]}'}, PolicyError, "."),
    (FILE, {"policy": OURS.build_policy("https://other.example.com/*", SOON)}, URLError, "does not cover"),
]


@pytest.mark.parametrize(("url", "arguments", "error", "text"), REFUSED)
def test_what_could_never_be_opened_is_refused(
    url: str, arguments: dict[str, Any], error: type[InputError], text: str
) -> None:
    with pytest.raises(error, match=text) as raised:
        OURS.generate_presigned_url(url, **arguments)
    assert isinstance(raised.value, ValueError)  # botocore's kind of error


@pytest.mark.parametrize("ip", ["2001:db8::1", "1.2.3", "10.0.0.5/24", "*"])
def test_an_address_that_no_policy_can_hold_is_refused(ip: str) -> None:
    with pytest.raises(PolicyError, match="ip is"):
        OURS.build_policy(FILE, SOON, ip_address=ip)


def test_a_policy_that_begins_after_its_end_is_refused() -> None:
    with pytest.raises(PolicyError, match="not before"):
        OURS.build_policy(FILE, SOON, date_greater_than=SOON)


@pytest.mark.filterwarnings("default::keyfront.SigningWarning")
@pytest.mark.parametrize(("days", "finding"), [(-1, "expired"), (30, "long-lived")])
def test_what_botocore_signs_and_is_seldom_meant_is_signed_with_a_warning(days: int, finding: str) -> None:
    until = datetime.now(UTC) + timedelta(days=days)
    with pytest.warns(SigningWarning, match=finding):
        signed = OURS.generate_presigned_url(FILE, date_less_than=until)
    assert signed == THEIRS.generate_presigned_url(FILE, date_less_than=until)


@pytest.mark.parametrize("source", sorted(SOURCES))
@pytest.mark.parametrize("resource", [FILE, "https://d111111abcdef8.cloudfront.net/a/*"])
def test_cookies_open_what_they_are_for(source: str, resource: str) -> None:
    cookies = SOURCES[source]().generate_cookies(resource, date_less_than=SOON)
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    assert decided(FILE, header) == "allowed"
    assert decided(FILE.replace("/a/", "/b/"), header) != "allowed"


def test_cookies_take_a_policy_of_ones_own() -> None:
    policy = OURS.build_policy("https://d111111abcdef8.cloudfront.net/a/*", SOON, ip_address="0.0.0.0/1")
    assert json.loads(policy)["Statement"][0]["Condition"]["IpAddress"] == {"AWS:SourceIp": "0.0.0.0/1"}
    assert set(OURS.generate_cookies(policy=policy)) == {
        "CloudFront-Policy",
        "CloudFront-Signature",
        "CloudFront-Key-Pair-Id",
    }
    with pytest.raises(InputError, match="names its own resource"):
        OURS.generate_cookies(FILE, policy=policy)


def test_a_signer_with_sha256_says_so_in_urls_and_cookies() -> None:
    ecdsa = SigningKey.generate("ecdsa")
    signer = CloudFrontSigner(KEY_ID, Signer(KEY_ID, ecdsa, "SHA256"))
    url = signer.generate_presigned_url(FILE, date_less_than=SOON)
    assert url.endswith("&Hash-Algorithm=SHA256")
    assert verify(ViewerRequest(url), {KEY_ID: ecdsa.public_key}, datetime.now(UTC).timestamp()).allowed
    assert signer.generate_cookies(FILE, date_less_than=SOON)["CloudFront-Hash-Algorithm"] == "SHA256"


@pytest.mark.parametrize(
    ("key_id", "key", "text"),
    [
        (None, rsa_signer, "key_id is missing"),
        (KEY_ID, KEY.pem(), "rsa_signer is text"),
        (KEY_ID, 7, "rsa_signer is a int"),
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(key_id: str | None, key: Any, text: str) -> None:
    with pytest.raises(InputError, match=text) as raised:
        CloudFrontSigner(key_id, key)
    assert "PRIVATE KEY" not in str(raised.value)


def test_another_id_than_the_signers_is_refused() -> None:
    signer = CloudFrontSigner("KOTHER", Signer(KEY_ID, KEY))
    with pytest.raises(InputError, match="KOTHER"):
        signer.generate_presigned_url(FILE, date_less_than=SOON)


@pytest.mark.parametrize("answer", ["a signature in text", b""])
def test_a_function_that_returns_no_signature_is_refused(answer: Any) -> None:
    with pytest.raises(InputError, match="rsa_signer returned"):
        CloudFrontSigner(KEY_ID, lambda _: answer).generate_presigned_url(FILE, date_less_than=SOON)


def test_a_key_store_gives_key_and_id_together(tmp_path: Path) -> None:
    place = tmp_path / "signer.json"
    keys = {name: SigningKey.generate("ecdsa") for name in ("KOLD", "KNEW")}
    place.touch(0o600)

    def url(name: str, signer: CloudFrontSigner) -> str:
        place.write_text(SignerDocument(name, keys[name]).to_json())
        return signer.generate_presigned_url(FILE, date_less_than=SOON)

    for name, key in keys.items():
        signed = url(name, CloudFrontSigner(None, open_keystore(f"file:{place}")))
        assert f"Key-Pair-Id={name}" in signed
        assert verify(ViewerRequest(signed), {name: key.public_key}, datetime.now(UTC).timestamp()).allowed
