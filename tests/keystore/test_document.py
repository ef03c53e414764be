"""`SignerDocument`: both forms, and a clear refusal for everything else that never shows what it found."""

import json
from collections.abc import Callable
from typing import NoReturn

import pytest

from keyfront.core.keys import SigningKey
from keyfront.errors import KeyLoadError
from keyfront.keystore import SignerDocument

MARKER = "MARKERsecretMARKER"


def parse(text: str, key_pair_id: str | None = None) -> SignerDocument:
    return SignerDocument.parse(text, source="SSM parameter /shop/key", key_pair_id=key_pair_id)


def no_kms() -> NoReturn:
    raise AssertionError("KMS is not needed")


def test_a_pem_takes_its_id_from_beside_it(rsa_key: SigningKey) -> None:
    document = parse(rsa_key.pem(), "K2JCJMDEHXQW5F")
    assert document.key_pair_id == "K2JCJMDEHXQW5F"
    assert document.open(no_kms).public_key == rsa_key.public_key
    assert document.hash_algorithm == "SHA1"


def test_a_json_document_holds_id_key_and_hash_algorithm(ecdsa_key: SigningKey) -> None:
    text = json.dumps({"key_pair_id": "KONE", "private_key": ecdsa_key.pem(), "hash_algorithm": "SHA256"})
    document = parse(text)
    assert (document.key_pair_id, document.hash_algorithm) == ("KONE", "SHA256")
    assert document.open(no_kms).public_key == ecdsa_key.public_key


def test_the_hash_algorithm_may_be_left_out(rsa_key: SigningKey) -> None:
    assert parse(json.dumps({"key_pair_id": "KONE", "private_key": rsa_key.pem()})).hash_algorithm == "SHA1"


def test_what_is_written_is_read_back(rsa_key: SigningKey) -> None:
    document = SignerDocument("KONE", rsa_key, "SHA256")
    read = parse(document.to_json())
    assert (read.key_pair_id, read.hash_algorithm) == ("KONE", "SHA256")
    assert read.open(no_kms).public_key == rsa_key.public_key


def test_a_pem_pasted_with_its_line_breaks_into_the_json_is_read(rsa_key: SigningKey) -> None:
    text = f'\n  {{"key_pair_id": "KONE", "private_key": "{rsa_key.pem()}"}}\n'
    assert parse(text).open(no_kms).public_key == rsa_key.public_key


def test_the_same_id_in_the_environment_does_no_harm(rsa_key: SigningKey) -> None:
    text = SignerDocument("KONE", rsa_key).to_json()
    assert parse(text, "KONE").key_pair_id == "KONE"


def test_another_id_in_the_environment_is_refused_and_both_are_named(rsa_key: SigningKey) -> None:
    with pytest.raises(KeyLoadError, match=r"KEYPAIR_ID is 'KTWO', and SSM parameter /shop/key holds .* 'KONE'"):
        parse(SignerDocument("KONE", rsa_key).to_json(), "KTWO")


def test_a_repr_does_not_show_the_key(rsa_key: SigningKey) -> None:
    body = rsa_key.pem().splitlines()[3]
    assert body not in repr(SignerDocument("KONE", rsa_key))


REFUSED: list[tuple[str, Callable[[str], str], str | None, str]] = [
    ("a PEM without an id", lambda pem: pem, None, "set KEYPAIR_ID, or store both together"),
    ("an empty parameter", lambda pem: "", "KONE", "found nothing at all"),
    ("no PEM", lambda pem: MARKER, "KONE", "found no PEM block"),
    ("a PEM in place of the id", lambda pem: pem, "-----BEGIN " + MARKER, "is not a key-pair id"),
    ("broken JSON", lambda pem: '{"private_key": "' + MARKER, None, r"begins like a JSON document, but is not one"),
    ("deep JSON", lambda pem: '{"a":' * 100_000, None, "begins like a JSON document, but is not one"),
    ("no key", lambda pem: '{"key_pair_id": "KONE"}', None, "private_key in SSM parameter /shop/key is missing"),
    ("no id", lambda pem: json.dumps({"private_key": pem}), None, "key_pair_id in .* is missing"),
    (
        "a number for an id",
        lambda pem: json.dumps({"key_pair_id": 7, "private_key": pem}),
        None,
        "key_pair_id in .* is missing or not text",
    ),
    (
        "id and key the wrong way round",
        lambda pem: json.dumps({"key_pair_id": pem, "private_key": "KONE"}),
        None,
        "key_pair_id in .* is not a key-pair id",
    ),
    (
        "a key with holes",
        lambda pem: json.dumps({"key_pair_id": "KONE", "private_key": pem[:200] + pem[300:]}),
        None,
        "holds no usable private key",
    ),
    (
        "another hash algorithm",
        lambda pem: json.dumps({"key_pair_id": "KONE", "private_key": pem, "hash_algorithm": "MD5"}),
        None,
        "neither 'SHA1' nor 'SHA256'",
    ),
    (
        "a misspelt member",
        lambda pem: json.dumps({"key_pair_id": "KONE", "private_key": pem, "hash_algoritm": "SHA256"}),
        None,
        "has an unknown member 'hash_algoritm'",
    ),
    (
        "a secret in place of a member's name",
        lambda pem: json.dumps({f"{MARKER} {pem}": 1}),
        None,
        "has an unknown member with another name",
    ),
    (
        "a member that stands twice",
        lambda pem: '{"key_pair_id": "KONE", "key_pair_id": "KTWO", "private_key": ' + json.dumps(pem) + "}",
        None,
        "names a member twice",
    ),
]


@pytest.mark.parametrize(
    ("text", "key_pair_id", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_anything_else_is_refused_without_showing_it(
    text: Callable[[str], str], key_pair_id: str | None, message: str, rsa_key: SigningKey
) -> None:
    pem = rsa_key.pem()
    with pytest.raises(KeyLoadError, match=message) as caught:
        parse(text(pem), key_pair_id)
    shown = str(caught.value)
    assert MARKER not in shown
    assert not [line for line in pem.splitlines()[1:-1] if line in shown]
