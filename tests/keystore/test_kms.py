"""Keys that stay in KMS, and keys that KMS wrapped: what they sign is let in, and what they cannot sign is refused."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from cryptography.hazmat.primitives import serialization

from keyfront import Signer, SigningKey, ViewerRequest, verify
from keyfront.errors import InputError, KeyLoadError, ServiceError
from keyfront.keystore import KeyStore, KMSKey, KMSReference, SignerDocument, WrappedKey, new_wrapped_key, open_keystore

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

URL = "https://d111111abcdef8.cloudfront.net/a.pdf"


def make(kms: "KMSClient", spec: str, usage: str = "SIGN_VERIFY") -> str:
    return kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]  # type: ignore[arg-type]


@pytest.mark.parametrize(("spec", "algorithm"), [("RSA_2048", "rsa"), ("ECC_NIST_P256", "ecdsa")])
def test_what_kms_signs_is_let_in(kms: "KMSClient", spec: str, algorithm: str) -> None:
    key = KMSKey(make(kms, spec), kms)
    signer = Signer("KKMS", key, "SHA256")
    assert key.algorithm == algorithm
    trusted = {"KKMS": key.public_key}
    for ip in (None, "192.0.2.0/24"):
        url = signer.sign_url(URL, expires=timedelta(minutes=5), ip=ip)
        assert verify(ViewerRequest(url, ip="192.0.2.7"), trusted, now=0).allowed
        assert "Hash-Algorithm=SHA256" in url
    assert not hasattr(key, "pem")


@pytest.mark.usefixtures("by_environment")
def test_an_alias_with_the_id_beside_it_is_an_address(kms: "KMSClient") -> None:
    kms.create_alias(AliasName="alias/shop-address", TargetKeyId=make(kms, "ECC_NIST_P256"))
    signer = open_keystore("kms:alias/shop-address", "KALIAS").signer()
    assert verify(
        ViewerRequest(signer.sign_url(URL, expires=timedelta(1))), {"KALIAS": signer.key.public_key}, now=0
    ).allowed
    with pytest.raises(InputError, match="does not say which public key"):
        open_keystore("kms:alias/shop-address")


def test_an_alias_that_moves_on_does_not_separate_a_signer_from_its_public_key(kms: "KMSClient") -> None:
    kms.create_alias(AliasName="alias/shop-moving", TargetKeyId=make(kms, "ECC_NIST_P256"))
    key = KMSKey("alias/shop-moving", kms)
    kms.update_alias(AliasName="alias/shop-moving", TargetKeyId=make(kms, "ECC_NIST_P256"))
    assert key.public_key.verify(b"x", key.sign(b"x", "SHA256"), "SHA256")


class Notes:
    name = "the notes"

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self) -> str:
        return self.text


def test_one_write_moves_a_signer_from_a_file_to_kms(kms: "KMSClient", rsa_key: SigningKey) -> None:
    notes = Notes(SignerDocument("KOLD", rsa_key).to_json())
    store = KeyStore(notes, kms=lambda: kms, ttl=0)
    assert store.signer().key is not None
    arn = make(kms, "RSA_2048")
    document = SignerDocument("KNEW", KMSReference(arn), "SHA256", 2)
    assert "PRIVATE" not in document.to_json()
    assert SignerDocument.parse(document.to_json(), source="it") == document
    notes.text = document.to_json()
    fresh = KeyStore(notes, kms=lambda: kms).signer()
    assert (fresh.key_pair_id, fresh.hash_algorithm) == ("KNEW", "SHA256")
    assert isinstance(fresh.key, KMSKey)


def test_sha1_and_what_is_too_long_are_refused_before_kms_is_asked(kms: "KMSClient") -> None:
    key = KMSKey(make(kms, "ECC_NIST_P256"), kms)
    with pytest.raises(InputError, match="cannot sign SHA1"):
        Signer("KKMS", key).sign_url(URL, expires=timedelta(1))
    with pytest.raises(InputError, match=r"4,\d+ bytes.*at most 4,096"):
        Signer("KKMS", key, "SHA256").sign_cookies(f"{URL}/{'a' * 4096}/", expires=timedelta(1))


@pytest.mark.parametrize(
    ("spec", "usage", "said"),
    [
        ("RSA_4096", "SIGN_VERIFY", "an RSA key of 4096 bits.*RSA_2048 or ECC_NIST_P256"),
        ("ECC_NIST_P384", "SIGN_VERIFY", "secp384r1"),
        ("RSA_2048", "ENCRYPT_DECRYPT", "is for ENCRYPT_DECRYPT"),
    ],
)
def test_a_key_that_cloudfront_would_not_take_is_refused(kms: "KMSClient", spec: str, usage: str, said: str) -> None:
    with pytest.raises(KeyLoadError, match=said):
        KMSKey(make(kms, spec, usage), kms)


def test_a_key_that_is_not_there_is_named(kms: "KMSClient") -> None:
    with pytest.raises(ServiceError, match=r"KMS key alias/none .*NotFoundException: there is no such key"):
        KMSKey("alias/none", kms)


@pytest.fixture
def refused(kms: "KMSClient") -> Iterator[Stubber]:
    with Stubber(kms) as stubber:
        yield stubber


@pytest.mark.parametrize(
    ("code", "message", "advice"),
    [
        (
            "AccessDeniedException",
            "not authorized to perform: kms:GetPublicKey",
            "IAM action kms:GetPublicKey",
        ),
        ("AccessDeniedException", "", "allow the IAM action kms:GetPublicKey"),
        ("ThrottlingException", "Rate exceeded", "too many requests to KMS"),
        ("ExpiredTokenException", "", "have expired"),
        ("DisabledException", "", "the KMS key is disabled"),
    ],
)
def test_a_refusal_says_what_is_missing(
    code: str, message: str, advice: str, refused: Stubber, kms: "KMSClient"
) -> None:
    refused.add_client_error("get_public_key", service_error_code=code, service_message=message)
    with pytest.raises(ServiceError) as caught:
        KMSKey("alias/shop", kms)
    assert advice in str(caught.value)


def test_a_wrapped_key_signs_once_kms_has_opened_it(
    kms: "KMSClient", rsa_key: SigningKey, caplog: pytest.LogCaptureFixture
) -> None:
    wrapping = kms.create_key()["KeyMetadata"]["KeyId"]
    der = serialization.load_pem_private_key(rsa_key.pem().encode(), None).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    ciphertext = kms.encrypt(KeyId=wrapping, Plaintext=der)["CiphertextBlob"]
    text = SignerDocument("KWRAP", WrappedKey(ciphertext, wrapping), "SHA256").to_json()
    caplog.set_level(1)
    caplog.set_level(1, "botocore")
    signer = KeyStore(Notes(text), kms=lambda: kms).signer()
    assert signer.key.public_key == rsa_key.public_key
    assert rsa_key.pem().splitlines()[3] not in text + caplog.text


def test_a_new_wrapped_key_never_leaves_kms_in_the_clear(
    refused: Stubber, kms: "KMSClient", rsa_key: SigningKey
) -> None:
    # moto does not make data key pairs.
    public = serialization.load_pem_public_key(rsa_key.public_key.pem.encode()).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    answer: dict[str, Any] = {"PrivateKeyCiphertextBlob": b"wrapped", "PublicKey": public, "KeyId": "arn:key"}
    refused.add_response(
        "generate_data_key_pair_without_plaintext", answer, {"KeyId": "alias/wrap", "KeyPairSpec": "RSA_2048"}
    )
    assert new_wrapped_key("alias/wrap", kms) == (WrappedKey(b"wrapped", "arn:key"), rsa_key.public_key)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"kms_key": ""}, "kms_key in it is empty"),
        ({"kms_key": "a", "private_key": "b"}, "private_key and kms_key"),
        ({"kms_key": "a", "hash_algorithm": "SHA1"}, "KMS cannot sign: use SHA256"),
        ({"kms_key": "a", "version": -1}, "version in it"),
        ({"kms_key": "a", "version": True}, "version in it"),
        ({"wrapped_key": "x"}, "wrapped_key in it is not"),
        ({"wrapped_key": {"ciphertext": "?", "kms_key": "a"}}, "not base64"),
        ({"wrapped_key": {"ciphertext": "", "kms_key": "a"}}, "ciphertext in it is empty"),
        ({"wrapped_key": {"ciphertext": "YQ==", "kms_key": 1}}, "kms_key in it is empty or not text"),
    ],
)
def test_other_documents_are_refused(members: dict[str, object], said: str) -> None:
    with pytest.raises(KeyLoadError, match=said):
        SignerDocument.parse(json.dumps({"key_pair_id": "KONE", **members}), source="it")
