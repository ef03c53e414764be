"""KMS: pairs of data keys, and keys that may not be used."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

if TYPE_CHECKING:
    from tests.local.aws.conftest import Running

_CONTEXT = {"shop": "films"}


@pytest.fixture
def kms(endpoint: "Running") -> Any:
    return endpoint.client("kms")


def create(kms: Any, **settings: Any) -> str:
    arn: str = kms.create_key(**settings)["KeyMetadata"]["Arn"]
    return arn


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"])
def test_a_pair_of_data_keys_can_be_decrypted_again(kms: Any, spec: str) -> None:
    key = create(kms)
    made = kms.generate_data_key_pair(KeyId=key, KeyPairSpec=spec, EncryptionContext=_CONTEXT)
    assert (made["KeyId"], made["KeyPairSpec"]) == (key, spec)
    opened = kms.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"], EncryptionContext=_CONTEXT)
    assert opened["Plaintext"] == made["PrivateKeyPlaintext"]
    public = load_der_private_key(made["PrivateKeyPlaintext"], None).public_key()
    assert public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == made["PublicKey"]


def test_a_pair_comes_without_its_plaintext(kms: Any) -> None:
    kms.create_alias(AliasName="alias/films", TargetKeyId=(key := create(kms)).rpartition("/")[2])
    made = kms.generate_data_key_pair_without_plaintext(KeyId="alias/films", KeyPairSpec="ECC_NIST_P256")
    assert (made["KeyId"], "PrivateKeyPlaintext" in made) == (key, False)
    private = load_der_private_key(kms.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"])["Plaintext"], None)
    assert private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == made["PublicKey"]


@pytest.mark.parametrize(
    ("settings", "spec", "error"),
    [
        ({}, "RSA_1024", "'RSA_1024' at 'keyPairSpec' failed to satisfy constraint"),
        ({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, "RSA_2048", "InvalidKeyUsageException"),
    ],
)
def test_a_pair_that_kms_does_not_make_is_refused(kms: Any, settings: dict[str, str], spec: str, error: str) -> None:
    with pytest.raises(ClientError, match=error):
        kms.generate_data_key_pair(KeyId=create(kms, **settings), KeyPairSpec=spec)


def test_a_pair_of_a_key_that_does_not_exist_is_refused(kms: Any) -> None:
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.generate_data_key_pair(KeyId="none", KeyPairSpec="RSA_2048")


def test_a_disabled_key_is_not_used(kms: Any) -> None:
    key = create(kms)
    signing = create(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    for arn in (key, signing):
        kms.disable_key(KeyId=arn)
    uses: tuple[Callable[[], Any], ...] = (
        lambda: kms.decrypt(CiphertextBlob=sealed),
        lambda: kms.encrypt(KeyId=key, Plaintext=b"x"),
        lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256"),
        lambda: kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256"),
        lambda: kms.sign(KeyId=signing, Message=b"x", SigningAlgorithm="ECDSA_SHA_256"),
    )
    for use in uses:
        with pytest.raises(kms.exceptions.DisabledException, match="is disabled"):
            use()
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"


def test_a_key_that_waits_for_its_deletion_is_brought_back_disabled(kms: Any) -> None:
    key = create(kms)
    with pytest.raises(kms.exceptions.KMSInvalidStateException, match="is not pending deletion"):
        kms.cancel_key_deletion(KeyId=key)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    for refused in (kms.enable_key, kms.disable_key):
        with pytest.raises(kms.exceptions.KMSInvalidStateException, match="is pending deletion"):
            refused(KeyId=key)
    kms.cancel_key_deletion(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
