"""Requests that went wrong: every wrong turn seen in the field, every flipped bit, and input of any kind."""

import json
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.core.judged import (
    CANNED,
    CUSTOM,
    ECDSA,
    FILE,
    GOOD,
    HOST,
    KEY_ID,
    NOW,
    OTHER,
    POLICY,
    RSA,
    SIGNER,
    TRUSTED,
    by_hand,
    cookies,
    document,
    judge,
    query,
)
from tests.examples import examples

from keyfront import Decision, Policy, Signer, SigningKey, ViewerRequest, verify
from keyfront.core.encoding import decode, encode
from keyfront.core.verification import _remember_genuine

# Wrong turns seen in public bug reports


def base64url(data: bytes) -> str:
    return encode(data).replace("~", "_").rstrip("_")


# A signature that holds every character in which the alphabets differ.
TELLING = next(signed for _ in range(1000) if {"~", "-", "_"} <= set((signed := by_hand(POLICY))["Signature"]))


@pytest.mark.parametrize(
    ("wrong_turn", "parameters", "code", "reason"),
    [
        ("expiry in milliseconds, canned", {**GOOD, "Expires": "1900000060000"}, "MalformedPolicy", "malformed-policy"),
        (
            "expiry in milliseconds, custom",
            by_hand(document('{"DateLessThan":{"AWS:EpochTime":1900000060000}}')),
            "MalformedPolicy",
            "malformed-policy",
        ),
        (
            "the S3 URL signed instead of the distribution's",
            by_hand(document(resource="https://bucket.s3.amazonaws.com/images/horizon.jpg")),
            "AccessDenied",
            "resource-mismatch",
        ),
        ("a key id left undefined", {**GOOD, "Key-Pair-Id": "undefined"}, "InvalidKey", "unknown-key"),
        ("an IAM access key's id", {**GOOD, "Key-Pair-Id": "AKIAIOSFODNN7EXAMPLE"}, "InvalidKey", "unknown-key"),
        ("the private key of another pair", by_hand(POLICY, OTHER), "AccessDenied", "signature-mismatch"),
        (
            "a signature in standard base64",
            {**TELLING, "Signature": TELLING["Signature"].replace("-", "%2B").replace("~", "/").replace("_", "=")},
            "MalformedSignature",
            "malformed-signature",
        ),
        (
            "a signature in base64url",
            {**TELLING, "Signature": base64url(decode(TELLING["Signature"]))},
            "MalformedSignature",
            "malformed-signature",
        ),
        (
            "the policy serialised again after signing",
            {**GOOD, "Policy": encode(json.dumps(json.loads(POLICY)).encode())},
            "AccessDenied",
            "signature-mismatch",
        ),
        (
            "a policy for http used on https",
            by_hand(document(resource=FILE.replace("https", "http"))),
            "AccessDenied",
            "resource-mismatch",
        ),
        (
            "the alias signed and the cloudfront.net name requested",
            by_hand(document(resource="https://media.example.com/images/horizon.jpg")),
            "AccessDenied",
            "resource-mismatch",
        ),
        (
            "the wrong clock",
            by_hand(document('{"DateLessThan":{"AWS:EpochTime":1899999999}}')),
            "AccessDenied",
            "expired",
        ),
        (
            "the wrong clock, the other way",
            by_hand(
                document('{"DateLessThan":{"AWS:EpochTime":1900000060},"DateGreaterThan":{"AWS:EpochTime":1900000001}}')
            ),
            "AccessDenied",
            "not-yet-valid",
        ),
        (
            "SHA-256 without the parameter",
            {name: value for name, value in by_hand(POLICY, ECDSA, "SHA256").items() if name != "Hash-Algorithm"},
            "AccessDenied",
            "signature-mismatch",
        ),
        (
            "an ECDSA signature as r and s side by side",
            {
                **GOOD,
                "Signature": encode(
                    b"".join(part.to_bytes(32, "big") for part in decode_dss_signature(ECDSA.sign(POLICY)))
                ),
            },
            "AccessDenied",
            "signature-mismatch",
        ),
        (
            "an IAM-style policy",
            by_hand(b'{"Version":"2012-10-17",' + POLICY[1:]),
            "MalformedPolicy",
            "malformed-policy",
        ),
        (
            "an IAM-style statement",
            by_hand(POLICY.replace(b'{"Resource"', b'{"Effect":"Allow","Resource"')),
            "MalformedPolicy",
            "malformed-policy",
        ),
        (
            "times as texts",
            by_hand(document('{"DateLessThan":{"AWS:EpochTime":"1900000060"}}')),
            "MalformedPolicy",
            "malformed-policy",
        ),
        ("the policy not encoded", {**GOOD, "Policy": POLICY.decode()}, "MalformedPolicy", "malformed-policy"),
    ],
)
def test_a_wrong_turn_is_refused_with_its_reason(
    wrong_turn: str, parameters: dict[str, str], code: str, reason: str
) -> None:
    if wrong_turn == "expiry in milliseconds, canned":
        parameters = {name: value for name, value in parameters.items() if name != "Policy"}
    decision = judge(f"{FILE}?{query(parameters)}")
    assert (decision.code, decision.reason) == (code, reason)
    assert judge(FILE, cookies(parameters)).code == code


def test_percent_encoding_changed_on_the_way_is_refused() -> None:
    signed = SIGNER.sign_url(f"{HOST}/a b~c.pdf", expires=NOW + 60)
    assert judge(signed.replace("a%20b", "a+b")).reason == "signature-mismatch"
    assert judge(signed.replace("b~c", "b%7Ec")).reason == "signature-mismatch"


def test_milliseconds_and_the_usual_base64_are_recognised() -> None:
    def detail(parameters: dict[str, str], name: str) -> str:
        return next(check.detail for check in judge(f"{FILE}?{query(parameters)}").checks if check.name == name)

    assert "milliseconds" in detail({"Expires": "1900000060000", "Key-Pair-Id": KEY_ID}, "policy")
    assert "'+' by '-'" in detail({**GOOD, "Signature": "ab+c"}, "signature")


# Nothing that was changed verifies


def flips(text: str) -> list[str]:
    """`text` with each of its bits flipped, one at a time."""
    return [
        text[:place] + chr(ord(text[place]) ^ 1 << bit) + text[place + 1 :]
        for place in range(len(text))
        for bit in range(8)
    ]


@pytest.mark.parametrize("key", [RSA, ECDSA])
@pytest.mark.parametrize("hash_algorithm", ["SHA1", "SHA256"])
@pytest.mark.parametrize("custom", [False, True])
def test_any_flipped_bit_anywhere_in_a_signed_url_is_refused(
    key: SigningKey, hash_algorithm: Any, custom: bool
) -> None:
    trusted = {KEY_ID: key.public_key, "KOTHER": OTHER.public_key}
    signer = Signer(KEY_ID, key, hash_algorithm, clock=lambda: NOW)
    signed = signer.sign_url(f"{FILE}?size=large&a", expires=NOW + 60, starts=0 if custom else None)
    assert verify(ViewerRequest(signed), trusted, NOW).allowed
    allowed = [url for url in flips(signed) if verify(ViewerRequest(url), trusted, NOW).allowed]
    assert allowed == []


@pytest.mark.parametrize("custom", [False, True])
def test_any_flipped_bit_anywhere_in_signed_cookies_or_their_url_is_refused(custom: bool) -> None:
    header = "; ".join(
        f"{name}={value}"
        for name, value in SIGNER.sign_cookies(FILE, expires=NOW + 60, starts=0 if custom else None).items()
    )
    assert judge(FILE, header).allowed
    assert [flipped for flipped in flips(header) if judge(FILE, flipped).allowed] == []
    assert [flipped for flipped in flips(FILE) if judge(flipped, header).allowed] == []


@settings(deadline=None, max_examples=examples(300))
@given(url=st.sampled_from([CANNED, CUSTOM]), place=st.integers(0), character=st.characters())
def test_any_other_character_anywhere_is_refused(url: str, place: int, character: str) -> None:
    place %= len(url)
    changed = url[:place] + character + url[place + 1 :]
    assert judge(changed).allowed == (changed == url)


@settings(deadline=None, max_examples=examples(300))
@given(url=st.sampled_from([CANNED, CUSTOM]), place=st.integers(0), gap=st.integers(0, 3), inserted=st.text(max_size=3))
def test_anything_put_in_or_taken_out_of_a_signed_url_is_refused(url: str, place: int, gap: int, inserted: str) -> None:
    place %= len(url)
    changed = url[:place] + inserted + url[place + gap :]
    if judge(changed).allowed:
        # An ampersand too many where the URL has no parameters of its own is nothing that was signed.
        assert re.sub(r"\?&", "?", changed) == url


# No input raises


REQUESTS = st.builds(ViewerRequest, url=st.text(max_size=80), cookie=st.text(max_size=80), ip=st.text(max_size=20))
BYTES = st.binary(max_size=80).map(lambda data: data.decode("latin-1")) | st.binary(max_size=80).map(
    lambda data: data.decode("utf-8", "surrogateescape")
)


def judged(request: ViewerRequest, now: float = NOW) -> Decision:
    decision = verify(request, TRUSTED, now)
    assert all(check.detail.isprintable() for check in decision.checks)
    json.dumps([check.detail for check in decision.checks])
    return decision


@settings(deadline=None, max_examples=examples(300))
@given(request=REQUESTS | st.builds(ViewerRequest, url=BYTES, cookie=BYTES, ip=BYTES), now=st.floats() | st.integers())
@example(ViewerRequest("\udc80?Key-Pair-Id=\udc80%41"), NOW)
@example(ViewerRequest("?Key-Pair-Id=%"), 10**30)
def test_no_request_raises(request: ViewerRequest, now: float) -> None:
    assert not judged(request, now).allowed


VALUES = st.one_of(
    st.text(max_size=30),
    BYTES,
    st.binary(max_size=60).map(encode),
    st.text(max_size=60).map(lambda text: encode(text.encode("utf-8", "surrogatepass"))),
    st.sampled_from([*GOOD.values(), encode(b"[" * 3000), "SHA256", "SHA1", str(NOW + 60), "", "%", "\udcff%41"]),
)
PARTS = st.dictionaries(st.sampled_from([*GOOD, "Expires", "Hash-Algorithm", "own"]), VALUES, max_size=5)


@settings(deadline=None, max_examples=examples(400))
@given(changed=PARTS, dropped=st.sets(st.sampled_from(sorted(GOOD))), in_cookies=st.booleans(), ip=st.text(max_size=9))
def test_nothing_built_around_a_real_signature_raises(
    changed: dict[str, str], dropped: set[str], in_cookies: bool, ip: str
) -> None:
    parameters = {**{name: value for name, value in GOOD.items() if name not in dropped}, **changed}
    request = (
        ViewerRequest(FILE, cookies(parameters), ip)
        if in_cookies
        else ViewerRequest(f"{FILE}?{query(parameters)}", "", ip)
    )
    if judged(request).allowed:
        assert parameters["Signature"]
        assert parameters.get("Policy") or parameters["Expires"]


@settings(deadline=None, max_examples=examples(200))
@given(
    resource=st.none() | st.text(max_size=40),
    starts=st.integers(0, 2**33),
    ends=st.integers(0, 2**33),
    url=st.text(max_size=40),
)
def test_no_signed_policy_raises(resource: str | None, starts: int, ends: int, url: str) -> None:
    policy = Policy(resource or None, ends, starts, "192.0.2.0/24")
    judged(ViewerRequest(f"{url}?{query(by_hand(policy.to_bytes()))}", ip="192.0.2.1"))


def test_a_url_of_any_length_is_judged() -> None:
    assert judge(f"{FILE}?" + "Policy=" + "?" * 200_000).code == "MissingKey"
    assert judge(FILE, "; ".join(["CloudFront-Policy=" + "A" * 1000] * 200)).code == "MissingKey"


def test_a_signature_that_was_seen_before_opens_nothing_more() -> None:
    url = SIGNER.sign_url(FILE, expires=NOW + 60)
    for _ in range(2):
        assert judge(url).allowed
        assert judge(url, now=NOW + 60).reason == "expired"
        assert judge(url.replace(FILE, FILE + "x")).reason == "signature-mismatch"
        another = {KEY_ID: SigningKey.generate("ecdsa").public_key}
        assert verify(ViewerRequest(url), another, NOW).reason == "signature-mismatch"


def test_forged_signatures_are_not_remembered() -> None:
    """A genuine signature is computed once. What anybody can make up must not push it out, nor fill the memory."""
    judge(f"{FILE}?{query(GOOD)}")
    before = _remember_genuine.cache_info().currsize
    for number in range(20):
        forged = {**GOOD, "Signature": encode(number.to_bytes(70, "big"))}
        assert judge(f"{FILE}?{query(forged)}").reason == "signature-mismatch"
    assert _remember_genuine.cache_info().currsize == before
    hits = _remember_genuine.cache_info().hits
    assert verify(ViewerRequest(f"{FILE}?{query(GOOD)}"), TRUSTED, NOW).allowed
    assert _remember_genuine.cache_info().hits == hits + 1


def test_a_hostile_policy_of_a_stranger_is_judged_in_bounded_time() -> None:
    for resource in ("https://h/" + "?" * 5000, "https://h/" + "*?" * 2500, "*" * 5000 + "b"):
        policy = by_hand(document(resource=resource), OTHER)
        assert judge(f"https://h/{'a' * 2000}?{'a' * 2000}&{query(policy)}").reason == "signature-mismatch"


def test_no_trusted_key_trusts_nobody() -> None:
    decision = verify(ViewerRequest(CANNED), {}, NOW)
    assert (decision.code, decision.reason) == ("InvalidKey", "unknown-key")
    assert decision.checks[1].detail == f"'{KEY_ID}' is not among the trusted keys: there are none"
