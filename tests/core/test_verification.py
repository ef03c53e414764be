"""The one judge: CloudFront's answers in their order, URL or cookies, times and addresses, and what is told."""

import json
import math
import re
from dataclasses import FrozenInstanceError
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
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
    by_hand,
    cookies,
    document,
    judge,
    query,
)

from keyfront import PublicKey, SigningKey, ViewerRequest, verify
from keyfront.core.encoding import encode
from keyfront.core.verification import error_body, without_signing_parameters
from keyfront.errors import InputError

# Allowed


@pytest.mark.parametrize("url", [CANNED, CUSTOM, f"{FILE}?{query(GOOD)}"])
def test_what_is_signed_is_allowed(url: str) -> None:
    decision = judge(url)
    assert decision.allowed
    assert decision.key_pair_id == KEY_ID


def test_every_check_is_told_in_order_with_what_it_saw() -> None:
    assert [(check.name, check.ok) for check in judge(CUSTOM).checks] == [
        ("key-pair-id", True),
        ("trusted-key", True),
        ("policy", True),
        ("signature", True),
        ("resource", True),
        ("starts", True),
        ("expires", True),
        ("address", True),
    ]
    details = {check.name: check.detail for check in judge(CUSTOM, now=NOW + 3600, ip="198.51.100.1").checks}
    assert details["trusted-key"] == f"{KEY_ID} is trusted"
    assert details["expires"] == "valid before 2030-03-17T17:47:40Z, asked at 2030-03-17T18:46:40Z"
    assert details["starts"] == "valid after 2030-03-17T17:45:40Z, asked at 2030-03-17T18:46:40Z"
    assert details["address"] == "198.51.100.1 is not in 192.0.2.0/24"
    assert details["resource"] == f"{FILE} covers {FILE}"


def test_the_first_check_that_fails_decides_and_the_others_are_still_told() -> None:
    decision = judge(CUSTOM.replace("horizon", "sunset"), now=NOW + 3600, ip="198.51.100.1")
    assert [check.name for check in decision.checks if not check.ok] == ["resource", "expires", "address"]
    assert (decision.code, decision.reason) == ("AccessDenied", "resource-mismatch")


@pytest.mark.parametrize("statement", ["object", "spaces", "order", "newline", "escapes"])
def test_other_programs_json_is_read_and_its_own_bytes_are_verified(statement: str) -> None:
    policy = {
        "object": POLICY.replace(b"[", b"").replace(b"]", b""),
        "spaces": json.dumps(json.loads(POLICY), indent=4).encode(),
        "order": b'{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":1900000060}},"Resource":"*"}]}',
        "newline": POLICY + b"\n",
        "escapes": POLICY.replace(b"/", rb"\/"),
    }[statement]
    assert judge(f"{FILE}?{query(by_hand(policy))}").allowed
    assert judge(FILE, cookies(by_hand(policy))).allowed


def test_the_parameters_may_stand_anywhere_in_any_order() -> None:
    policy = document(resource=f"{FILE}?a=1&b=2&c=3")
    one = by_hand(policy)
    url = f"{FILE}?a=1&Signature={one['Signature']}&b=2&Key-Pair-Id={KEY_ID}&Policy={one['Policy']}&c=3"
    assert judge(url).allowed


def test_values_are_percent_decoded_before_they_are_read() -> None:
    encoded = {name: "".join(f"%{ord(character):02X}" for character in value) for name, value in GOOD.items()}
    assert judge(f"{FILE}?{query(encoded)}").allowed
    assert judge(CANNED.replace("~", "%7E").replace("_", "%5f")).allowed
    assert judge(CANNED.replace("Expires=19", "Expires=%319")).allowed


@pytest.mark.parametrize("key", [RSA, ECDSA])
@pytest.mark.parametrize("hash_algorithm", ["SHA1", "SHA256"])
def test_every_kind_of_key_and_hash_is_allowed(key: SigningKey, hash_algorithm: Any) -> None:
    trusted = {"KOTHER": OTHER.public_key, KEY_ID: key.public_key}
    parameters = by_hand(POLICY, key, hash_algorithm)
    for request in (ViewerRequest(f"{FILE}?{query(parameters)}"), ViewerRequest(FILE, cookies(parameters))):
        assert verify(request, trusted, NOW).allowed


def test_hash_algorithm_sha1_may_be_spelt_out() -> None:
    assert judge(f"{CANNED}&Hash-Algorithm=SHA1").allowed


# The codes, in the order in which they apply


@pytest.mark.parametrize(
    ("changed", "code", "reason"),
    [
        ({"Key-Pair-Id": ""}, "MissingKey", "missing-key-pair-id"),
        ({"Key-Pair-Id": "KUNKNOWN"}, "InvalidKey", "unknown-key"),
        ({"Key-Pair-Id": KEY_ID.lower()}, "InvalidKey", "unknown-key"),
        ({"Policy": ""}, "MalformedPolicy", "malformed-policy"),
        ({"Policy": "!"}, "MalformedPolicy", "malformed-policy"),
        ({"Policy": encode(b"not JSON")}, "MalformedPolicy", "malformed-policy"),
        ({"Policy": encode(b'{"Statement":[{"Resource":"*"}]}')}, "MalformedPolicy", "malformed-policy"),
        ({"Signature": ""}, "MalformedSignature", "missing-signature"),
        ({"Signature": "!"}, "MalformedSignature", "malformed-signature"),
        ({"Signature": encode(b"\x00" * 70)}, "AccessDenied", "signature-mismatch"),
        ({"Hash-Algorithm": "SHA256"}, "AccessDenied", "signature-mismatch"),
        ({"Hash-Algorithm": "SHA512"}, "AccessDenied", "unknown-hash-algorithm"),
        ({"Hash-Algorithm": "sha1"}, "AccessDenied", "unknown-hash-algorithm"),
        ({"Hash-Algorithm": ""}, "AccessDenied", "unknown-hash-algorithm"),
    ],
)
def test_each_refusal_has_cloudfronts_code_and_our_reason(changed: dict[str, str], code: str, reason: str) -> None:
    parameters = {**GOOD, **changed}
    for decision in (judge(f"{FILE}?{query(parameters)}"), judge(FILE, cookies(parameters))):
        assert (decision.code, decision.reason) == (code, reason)


@pytest.mark.parametrize(
    ("left_out", "code", "reason"),
    [
        ("Key-Pair-Id", "MissingKey", "missing-key-pair-id"),
        ("Policy", "MalformedPolicy", "missing-policy"),
        ("Signature", "MalformedSignature", "missing-signature"),
    ],
)
def test_each_missing_parameter_has_cloudfronts_code(left_out: str, code: str, reason: str) -> None:
    parameters = {name: value for name, value in GOOD.items() if name != left_out}
    for decision in (judge(f"{FILE}?{query(parameters)}"), judge(FILE, cookies(parameters))):
        assert (decision.code, decision.reason) == (code, reason)


BROKEN = [
    ("Key-Pair-Id", "", "MissingKey"),
    ("Key-Pair-Id", "KUNKNOWN", "InvalidKey"),
    ("Policy", "!", "MalformedPolicy"),
    ("Signature", "!", "MalformedSignature"),
    ("Signature", encode(b"x"), "AccessDenied"),
]


@pytest.mark.parametrize("first", range(len(BROKEN)))
def test_of_several_things_wrong_the_first_in_cloudfronts_order_is_answered(first: int) -> None:
    parameters = {**GOOD, **{name: value for name, value, _ in reversed(BROKEN[first:])}}
    assert judge(f"{FILE}?{query(parameters)}", now=NOW + 3600).code == BROKEN[first][2]


def test_no_signature_at_all_is_a_missing_key() -> None:
    for decision in (judge(FILE), judge(f"{FILE}?size=large"), judge(FILE, "session=1; theme=dark")):
        assert (decision.code, decision.reason) == ("MissingKey", "missing-key-pair-id")
        assert decision.key_pair_id is None


def test_an_empty_expiry_is_none() -> None:
    decision = judge(f"{FILE}?Expires=&Signature={GOOD['Signature']}&Key-Pair-Id={KEY_ID}")
    assert (decision.code, decision.reason) == ("MalformedPolicy", "missing-policy")


@pytest.mark.parametrize(
    "expires",
    [
        "abc", "-1", "+1900000060", "1900000060.0", "1e9", "0x7", " 1900000060", "1900000060 ", "01900000060",
        "9223372037", "1900000060000", "9" * 5000, "１９", "1_900_000_060", "1900000060%00",
    ],
)  # fmt: skip
def test_an_expiry_that_is_no_time_is_malformed(expires: str) -> None:
    decision = judge(re.sub(r"Expires=\d+", f"Expires={expires}", CANNED))
    assert (decision.code, decision.reason) == ("MalformedPolicy", "malformed-policy")


def test_the_last_second_that_a_policy_can_name_is_no_mistake() -> None:
    assert judge(SIGNER.sign_url(FILE, expires=9_223_372_036, max_lifetime=timedelta.max)).allowed


# URL or cookies


def test_a_signed_url_takes_precedence_over_signed_cookies() -> None:
    good, bad = cookies(GOOD), cookies({**GOOD, "Signature": encode(b"x")})
    assert judge(CANNED, bad).allowed
    assert judge(CANNED.replace("Expires=19", "Expires=20"), good).reason == "signature-mismatch"


@pytest.mark.parametrize("name", ["Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"])
@pytest.mark.parametrize("form", ["{}", "{}=", "{}=x", "a=1&{}=x&b"])
def test_one_signing_parameter_makes_it_a_signed_url_and_its_cookies_are_not_looked_at(name: str, form: str) -> None:
    assert judge(FILE, cookies(GOOD)).allowed
    assert not judge(f"{FILE}?{form.format(name)}", cookies(by_hand(document(resource="*")))).allowed


def test_url_and_cookies_are_never_mixed() -> None:
    parts = [{"Policy": GOOD["Policy"], "Signature": GOOD["Signature"]}, {"Key-Pair-Id": KEY_ID}]
    assert judge(f"{FILE}?{query(parts[0])}", cookies(parts[1])).code == "MissingKey"
    assert judge(f"{FILE}?{query(parts[1])}", cookies(parts[0])).code == "MalformedPolicy"


def test_names_are_case_sensitive() -> None:
    assert judge(f"{FILE}?{query(GOOD).replace('Policy', 'policy')}").code == "MalformedPolicy"
    assert judge(f"{FILE}?{query(GOOD).lower()}").code == "MissingKey"
    assert judge(FILE, cookies(GOOD).replace("CloudFront-Key", "cloudfront-Key")).code == "MissingKey"


def test_with_a_policy_and_an_expiry_the_policy_counts() -> None:
    assert judge(f"{FILE}?{query(GOOD)}&Expires=1").allowed
    assert judge(f"{CANNED}&Policy={encode(b'x')}").code == "MalformedPolicy"


def test_a_parameter_that_stands_twice_is_refused() -> None:
    assert judge(f"{CANNED}&Key-Pair-Id={KEY_ID}").code == "InvalidKey"
    assert judge(f"{CANNED}&Expires={NOW + 60}").code == "MalformedPolicy"
    assert judge(f"{FILE}?{query(GOOD)}&Policy={GOOD['Policy']}").code == "MalformedPolicy"
    assert judge(f"{FILE}?{query(GOOD)}&Signature={GOOD['Signature']}").code == "MalformedSignature"


def test_of_two_cookies_with_one_name_the_first_counts() -> None:
    assert judge(FILE, f"{cookies(GOOD)}; CloudFront-Policy=x").allowed
    assert judge(FILE, f"CloudFront-Policy=x; {cookies(GOOD)}").code == "MalformedPolicy"


def test_cookies_are_found_among_others_however_they_are_spaced() -> None:
    header = cookies(GOOD)
    assert judge(FILE, f"a=b; {header}; c=d=e").allowed
    assert judge(FILE, header.replace("; ", ";")).allowed
    assert judge(FILE, header.replace("; ", ";\t  ") + " ;").allowed
    assert not judge(FILE, header.replace("; ", ";\xa0")).allowed
    assert not judge(FILE, header.replace("; ", ", ")).allowed


def test_a_cookies_value_is_taken_as_it_is() -> None:
    """A framework that percent-encodes or quotes cookie values is noticed here and not in production."""
    encoded = {name: quote(value, safe="").replace("~", "%7E").replace("_", "%5F") for name, value in GOOD.items()}
    assert not judge(FILE, cookies(encoded)).allowed
    assert not judge(FILE, cookies({name: f'"{value}"' for name, value in GOOD.items()})).allowed


# The URL


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url + "&utm_source=x",
        lambda url: url.replace("?", "?utm_source=x&"),
        lambda url: url.replace("a=1&", ""),
        lambda url: url.replace("a=1&b=2", "b=2&a=1"),
        lambda url: url.replace("a=1", "a=%31"),
        lambda url: url.replace("https://", "http://"),
        lambda url: url.replace("d111111abcdef8.cloudfront.net", "media.example.com"),
        lambda url: url.replace("/images/", "/images//"),
        lambda url: url.replace("horizon", "Horizon"),
        lambda url: url.replace("horizon", "%68orizon"),
        lambda url: url.replace("a=1", "a=1&"),
        lambda url: re.sub(r"Expires=(\d+)", "Expires=1900000061", url),
    ],
)
def test_a_url_changed_after_signing_is_refused(change: Any) -> None:
    signed = SIGNER.sign_url(f"{FILE}?a=1&b=2", expires=NOW + 60)
    assert judge(signed).allowed
    assert judge(change(signed)).reason == "signature-mismatch"


def test_a_dangling_question_mark_is_no_part_of_the_signed_url() -> None:
    canned = {
        name: CANNED.partition(f"{name}=")[2].partition("&")[0] for name in ("Expires", "Signature", "Key-Pair-Id")
    }
    assert judge(FILE, cookies(canned)).allowed
    assert judge(f"{FILE}?", cookies(canned)).allowed
    assert judge(f"{FILE}?", cookies(by_hand(document(resource=FILE)))).allowed


def test_an_asterisk_in_a_canned_policy_opens_nothing_else() -> None:
    signed = SIGNER.sign_url(f"{HOST}/images/*", expires=NOW + 60)
    assert judge(signed).allowed
    assert judge(signed.replace("*", "horizon.jpg")).reason == "signature-mismatch"


def test_a_policy_without_a_resource_opens_everything() -> None:
    policy = b'{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":1900000060}}}]}'
    assert judge(f"http://other.example/any?{query(by_hand(policy))}").allowed


# Times and addresses


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (NOW - 60, "not-yet-valid"),
        (NOW - 60.5, "not-yet-valid"),
        (NOW - 59.999, "allowed"),
        (NOW + 59.999, "allowed"),
        (NOW + 60, "expired"),
        (NOW + 61, "expired"),
        (0, "not-yet-valid"),
        (-1e12, "not-yet-valid"),
        (1e12, "expired"),
        (math.inf, "expired"),
        (-math.inf, "not-yet-valid"),
        (math.nan, "not-yet-valid"),
    ],
)
def test_it_is_allowed_after_the_start_and_before_the_end(now: float, reason: str) -> None:
    decision = judge(CUSTOM, now=now)
    assert decision.reason == reason
    assert decision.code == (None if reason == "allowed" else "AccessDenied")


@pytest.mark.parametrize(
    ("network", "ip", "allowed"),
    [
        ("192.0.2.0/24", "192.0.2.0", True),
        ("192.0.2.0/24", "192.0.2.255", True),
        ("192.0.2.0/24", "192.0.3.0", False),
        ("192.0.2.7/32", "192.0.2.7", True),
        ("192.0.2.7/32", "192.0.2.8", False),
        ("192.0.2.7", "192.0.2.7", True),
        ("0.0.0.0/0", "203.0.113.9", True),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("0.0.0.0/0", "::1", False),
        ("0.0.0.0/0", "fe80::1%eth0", False),
        ("192.0.2.0/24", "::ffff:192.0.2.7", True),
        ("192.0.2.0/24", "::ffff:198.51.100.7", False),
        ("0.0.0.0/0", "", False),
        ("0.0.0.0/0", "unknown", False),
        ("0.0.0.0/0", "192.0.2.7, 198.51.100.1", False),
        ("0.0.0.0/0", "192.0.2.07", False),
        ("0.0.0.0/0", " 192.0.2.7", False),
    ],
)
def test_the_viewers_address_is_in_the_range(network: str, ip: str, allowed: bool) -> None:
    policy = document(
        '{"DateLessThan":{"AWS:EpochTime":1900000060},"IpAddress":{"AWS:SourceIp":"%s"}}' % network  # noqa: UP031
    )
    decision = judge(f"{FILE}?{query(by_hand(policy))}", ip=ip)
    assert decision.reason == ("allowed" if allowed else "address-mismatch")


@pytest.mark.parametrize("source", ["2001:db8::/32", "::/0", "192.0.2.7/24", "example.com", "", "192.0.2.0/99"])
def test_a_range_that_is_no_ipv4_network_makes_the_policy_malformed(source: str) -> None:
    condition = {"DateLessThan": {"AWS:EpochTime": NOW + 60}, "IpAddress": {"AWS:SourceIp": source}}
    decision = judge(f"{FILE}?{query(by_hand(document(json.dumps(condition))))}")
    assert (decision.code, decision.reason) == ("MalformedPolicy", "malformed-policy")


# What is told


def test_control_characters_of_a_viewers_reach_no_terminal() -> None:
    decision = judge(f"{HOST}/\x1b[2J\n\x9b?{query({**GOOD, 'Key-Pair-Id': chr(27) + '[31m'})}", ip="\x1b[0m")
    assert all(check.detail.isprintable() and "\x1b" not in check.detail for check in decision.checks)


def test_long_values_are_cut() -> None:
    decision = judge(f"{FILE}?Key-Pair-Id={'K' * 5000}&Expires={'9' * 5000}")
    assert all(len(check.detail) < 250 for check in decision.checks)


def test_values_are_frozen() -> None:
    decision = judge(CANNED)
    with pytest.raises(FrozenInstanceError):
        decision.reason = "expired"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        decision.checks[0].ok = False  # type: ignore[misc]
    assert judge(CANNED) == decision


def test_the_body_is_cloudfronts_to_the_byte() -> None:
    assert error_body("AccessDenied", "Access denied") == (
        b'<?xml version="1.0" encoding="UTF-8"?>'
        b"<Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>"
    )


def test_the_origin_gets_the_viewers_own_parameters() -> None:
    assert (
        without_signing_parameters(SIGNER.sign_url(f"{FILE}?b=2&a=%20+", expires=NOW + 60).partition("?")[2])
        == "b=2&a=%20+"
    )


def test_trusted_keys_are_looked_up_by_their_exact_id() -> None:
    trusted: dict[str, PublicKey] = {"K1": OTHER.public_key, KEY_ID: ECDSA.public_key}
    assert verify(ViewerRequest(CANNED), trusted, NOW).allowed
    assert verify(ViewerRequest(CANNED.replace(KEY_ID, "K1")), trusted, NOW).reason == "signature-mismatch"


@pytest.mark.parametrize("text", [RSA.public_key.pem, RSA.pem(), RSA.public_key.pem.encode()])
def test_text_in_place_of_a_trusted_key_is_refused_and_never_shown(text: Any) -> None:
    with pytest.raises(InputError, match=r"a trusted key is a (str|bytes): load it with PublicKey\.load\(pem\)$"):
        verify(ViewerRequest(CANNED), {KEY_ID: text}, NOW)
    assert verify(ViewerRequest(CANNED), {"K1": text}, NOW).reason == "unknown-key"
