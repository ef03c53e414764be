"""`kms:KEY`, and keys in KMS that a document names: KMS gets the policy and returns the signature.

CloudFront has accepted SHA-256 (`Hash-Algorithm=SHA256`) since April 2026. KMS can sign with SHA-256, but not with
SHA-1. The key never leaves the HSM. Source: KMS API reference, Sign: at most 4,096 bytes with MessageType RAW.
"""

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keyfront.core.keys import Algorithm, HashAlgorithm, PublicKey, SigningKey
from keyfront.errors import InputError, KeyLoadError
from keyfront.keystore.services import asked
from keyfront.keystore.source import Opening

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.literals import SigningAlgorithmSpecType

_MOST_BYTES: Final = 4096
_SIGNING: "Final[dict[Algorithm, SigningAlgorithmSpecType]]" = {
    "rsa": "RSASSA_PKCS1_V1_5_SHA_256",
    "ecdsa": "ECDSA_SHA_256",
}


class BareKMSKey:
    """A KMS key without a document; its key-pair id is given in addition. It cannot be written."""

    def __init__(self, key: str, key_pair_id: str) -> None:
        self._key = key
        self._key_pair_id = key_pair_id
        self.name = f"KMS key {key}"

    @classmethod
    def open(cls, name: str, opening: Opening) -> "BareKMSKey":
        """Return the KMS key `name`: id, ARN or alias. Raises `InputError` without a key-pair id."""
        if opening.key_pair_id is None:
            raise InputError(
                f"kms:{name} does not say which public key CloudFront has: give its id as well (KEYPAIR_ID, --key-id), "
                'or keep {"key_pair_id": "K…", "kms_key": "…"} in a parameter'
            )
        return cls(name, opening.key_pair_id)

    def read(self) -> str:
        """Return a document that names this key."""
        return json.dumps({"key_pair_id": self._key_pair_id, "kms_key": self._key})


@dataclass(frozen=True, slots=True)
class KMSReference:
    """A KMS key that signs, as a document names it: id, ARN or alias."""

    key_id: str

    def members(self) -> dict[str, object]:
        """Return its members in a document."""
        return {"kms_key": self.key_id}

    def open(self, client: "KMSClient") -> "KMSKey":
        """Return the key that signs (`kms:GetPublicKey`). Raises `ServiceError` and `KeyLoadError`."""
        return KMSKey(self.key_id, client)


class KMSKey:
    """An asymmetric KMS key (RSA_2048 or ECC_NIST_P256, SIGN_VERIFY) for `keyfront.Signer`.

    Every signature is a request to KMS: it takes some milliseconds, and the account has a quota of hundreds or
    thousands a second. With `Signer.grant` one signature opens many URLs.
    """

    def __init__(self, key_id: str, client: "KMSClient") -> None:
        """Read the public key from KMS (`kms:GetPublicKey`). Raises `ServiceError`, and `KeyLoadError` for a key
        that CloudFront would not accept."""
        self._client = client
        self.name = f"KMS key {key_id}"
        answer = asked(self.name, "kms:GetPublicKey", lambda: client.get_public_key(KeyId=key_id))
        needed = "make one of spec RSA_2048 or ECC_NIST_P256 for SIGN_VERIFY"
        if answer["KeyUsage"] != "SIGN_VERIFY":
            raise KeyLoadError(f"{self.name} is for {answer['KeyUsage']}: {needed}")
        try:
            self.public_key = PublicKey.load(_pem("PUBLIC KEY", answer["PublicKey"]))
        except KeyLoadError as error:
            raise KeyLoadError(
                f"{self.name} is not a key that CloudFront accepts: {error}; {needed}", reason=error.reason
            ) from None
        # An alias may name another key later, but the public half and the key that signs must stay together.
        self.arn = answer["KeyId"]
        self.algorithm: Algorithm = self.public_key.algorithm

    def sign(self, data: bytes, hash_algorithm: HashAlgorithm = "SHA256") -> bytes:
        """Return KMS's signature over `data` (`kms:Sign`). Raises `InputError` for SHA-1 and over 4,096 bytes."""
        if hash_algorithm != "SHA256":
            raise InputError(f"{self.name} cannot sign {hash_algorithm}: use hash_algorithm='SHA256'")
        if len(data) > _MOST_BYTES:
            raise InputError(
                f"the policy has {len(data):,} bytes, and KMS signs at most {_MOST_BYTES:,}: sign a shorter resource"
            )
        answer = asked(
            self.name,
            "kms:Sign",
            lambda: self._client.sign(
                KeyId=self.arn, Message=data, MessageType="RAW", SigningAlgorithm=_SIGNING[self.algorithm]
            ),
        )
        return answer["Signature"]

    def __repr__(self) -> str:
        return f"KMSKey({self.algorithm}, {self.arn}, {self.public_key.fingerprint})"


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A private key that KMS made and encrypted (`GenerateDataKeyPairWithoutPlaintext`).

    Without `kms:Decrypt` the text is useless, so an environment variable or a file may hold it.
    """

    ciphertext: bytes
    kms_key: str
    """The symmetric KMS key that wraps it: id, ARN or alias."""

    def members(self) -> dict[str, object]:
        """Return its members in a document."""
        ciphertext = base64.b64encode(self.ciphertext).decode("ascii")
        return {"wrapped_key": {"ciphertext": ciphertext, "kms_key": self.kms_key}}

    def open(self, client: "KMSClient") -> SigningKey:
        """Return the decrypted key (`kms:Decrypt`). Raises `ServiceError` and `KeyLoadError`."""
        name = f"the data key wrapped by KMS key {self.kms_key}"
        answer = asked(
            name,
            "kms:Decrypt",
            lambda: client.decrypt(CiphertextBlob=self.ciphertext, KeyId=self.kms_key),
        )
        try:
            return SigningKey.load(_pem("PRIVATE KEY", answer["Plaintext"]))
        except InputError as error:
            raise KeyLoadError(f"{name} holds no usable private key: {error}", reason=error.reason) from None


def new_wrapped_key(kms_key: str, client: "KMSClient", algorithm: Algorithm = "rsa") -> tuple[WrappedKey, PublicKey]:
    """Return a new key pair. KMS encrypts its private key (`kms:GenerateDataKeyPairWithoutPlaintext`)."""
    answer = asked(
        f"KMS key {kms_key}",
        "kms:GenerateDataKeyPairWithoutPlaintext",
        lambda: client.generate_data_key_pair_without_plaintext(
            KeyId=kms_key, KeyPairSpec="RSA_2048" if algorithm == "rsa" else "ECC_NIST_P256"
        ),
    )
    public = PublicKey.load(_pem("PUBLIC KEY", answer["PublicKey"]))
    return WrappedKey(answer["PrivateKeyCiphertextBlob"], answer["KeyId"]), public


def _pem(label: str, der: bytes) -> str:
    return f"-----BEGIN {label}-----\n{base64.b64encode(der).decode('ascii')}\n-----END {label}-----\n"
