"""Key-pair ids: what can be one, and what an id of something else is called."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfront.core.key_ids import checked_key_pair_id
from keyfront.errors import InputError
from keyfront.explain.rules import RULES

ACCEPTED = ["K2JCJMDEHXQW5F", "K36X4X2EO997HM", "APKAEIBAERJR2EXAMPLE", "K1", "KKMS"]

ANOTHER_KIND = [
    ("E1ABCDEFGHIJKL", "a distribution, an origin access control"),
    ("EDFDVBD6EXAMPLE", "a distribution"),
    ("e2qwruhapomqzl", "an origin access identity"),
    ("origin-access-identity/cloudfront/E2QWRUHAPOMQZL", "an origin access identity"),
    ("b3ee3859-7e14-4235-abdb-195ff195395c", "a key group"),
    ("B3EE3859-7E14-4235-ABDB-195FF195395C", "a key group"),
    ("d111111abcdef8", "a distribution (its domain name)"),
    ("d111111abcdef8.cloudfront.net", "a distribution (its domain name)"),
    ("media.example.com", "a host (its domain name)"),
    ("AIDACKCEVSQ6C2EXAMPLE", "of IAM"),
    ("AROADBQP57FF2AEXAMPLE", "of IAM"),
    ("ANPAI23HXD2O5EXAMPLE", "of IAM"),
    ("123456789012", "an AWS account"),
    ("arn:aws:cloudfront::123456789012:distribution/E1ABCDEFGHIJKL", "an ARN"),
    ("alias/shop", "a KMS key (its name)"),
    ("SHA256:KrZi9hun5ppEOHeqOD6eqb/MOkdDzba", "a key (its fingerprint)"),
    ("keys/private_key.pem", "a file (its name)"),
    ("k2jcjmdehxqw5f", "small letters, and case matters"),
]

ELSE_REFUSED = [
    (None, "missing or not text (None)", "key-pair-id-missing"),
    (7, "missing or not text (a int)", "key-pair-id-missing"),
    ("", "it is empty", "key-pair-id-missing"),
    ("  ", "it is empty", "key-pair-id-missing"),
    ("undefined", "a variable was not set", "key-pair-id-unset"),
    ("nil", "a variable was not set", "key-pair-id-unset"),
    ("[object Object]", "a variable was not set", "key-pair-id-unset"),
    ("AKIAIOSFODNN7EXAMPLE", "the id of an IAM access key", "key-pair-id-is-access-key"),
    ("ASIAIOSFODNN7EXAMPLE", "an IAM access key", "key-pair-id-is-access-key"),
    ("K2JCJMDEHXQW5F\n", "white space or a line end", "key-pair-id-malformed"),
    ('"K2JCJMDEHXQW5F"', "a quotation mark", "key-pair-id-malformed"),
    ("K2JCJMDEHXQW5F)", "neither letters nor digits", "key-pair-id-malformed"),
    ("<key-pair-id>", "neither letters nor digits", "key-pair-id-malformed"),
]


@pytest.mark.parametrize("key_pair_id", ACCEPTED)
def test_an_id_is_taken(key_pair_id: str) -> None:
    assert checked_key_pair_id(key_pair_id) == key_pair_id


@pytest.mark.parametrize(("given", "says"), ANOTHER_KIND)
def test_an_id_of_something_else_is_refused_by_what_it_is(given: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        checked_key_pair_id(given, "KEYPAIR_ID")
    assert refused.value.reason == "key-pair-id-of-another-kind"
    assert refused.value.reason in RULES
    assert str(refused.value).startswith(("KEYPAIR_ID is " + repr(given), f"KEYPAIR_ID is {given}"))
    assert says in str(refused.value)
    assert str(refused.value).endswith(": give the public key's id in CloudFront, K…")


@pytest.mark.parametrize(("given", "says", "reason"), ELSE_REFUSED)
def test_what_is_no_id_is_refused_saying_why(given: Any, says: str, reason: str) -> None:
    with pytest.raises(InputError) as refused:
        checked_key_pair_id(given)
    assert says in str(refused.value)
    assert (refused.value.reason, refused.value.member) == (reason, "key_pair_id")


@pytest.mark.parametrize(
    "secret", ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "A" * 40, "-----BEGIN PRIVATE KEY-----"]
)
def test_what_may_be_a_secret_is_not_shown(secret: str) -> None:
    with pytest.raises(InputError) as refused:
        checked_key_pair_id(secret)
    assert secret not in str(refused.value)
    assert refused.value.value is None


@given(st.text(max_size=60))
def test_nothing_makes_it_raise_anything_but_our_own_error(text: str) -> None:
    try:
        accepted = checked_key_pair_id(text)
    except InputError as error:
        told = str(error)
    else:
        told = f"{accepted} is accepted"
        assert accepted == text
        assert text.isalnum()
    assert told.isprintable()
