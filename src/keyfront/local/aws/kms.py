"""Extends moto's KMS: pairs of data keys, key states that count, and keys that are named by their ARN.

Sources: KMS API Reference, "GenerateDataKeyPair"; KMS Developer Guide, "Key states of AWS KMS keys".
"""

import base64
import json
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from moto.core.exceptions import JsonRESTError
from moto.kms.exceptions import InvalidKeyUsageException, ValidationException
from moto.kms.models import Key, KmsBackend
from moto.kms.responses import KmsResponse

_STATES: Final = {
    "Disabled": ("DisabledException", "is disabled."),
    "PendingDeletion": ("KMSInvalidStateException", "is pending deletion."),
    "PendingImport": ("KMSInvalidStateException", "is pending import."),
}
_PAIRS: Final[dict[str, Callable[[], PrivateKeyTypes]]] = {
    **{f"RSA_{bits}": partial(rsa.generate_private_key, 65537, bits) for bits in (2048, 3072, 4096)},
    "ECC_NIST_P256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ECC_NIST_P384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ECC_NIST_P521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ECC_SECG_P256K1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ECC_NIST_EDWARDS25519": ed25519.Ed25519PrivateKey.generate,
}
"""How to make a pair of each specification. SM2 exists only in China Regions."""
_USES: Final = ("encrypt", "sign", "verify", "generate_mac", "verify_mac")
_CHANGES: Final = {
    "disable_key": ("Enabled", "Disabled"),
    "enable_key": ("Enabled", "Disabled"),
    "schedule_key_deletion": ("Enabled", "Disabled", "PendingImport"),
    "cancel_key_deletion": ("PendingDeletion",),
}
"""The states that a key may have for each change."""
_originals: Final[dict[str, Callable[..., Any]]] = {
    name: getattr(KmsBackend, name) for name in ("decrypt", *_USES, *_CHANGES)
}


def state_error(key: Key) -> tuple[str, str] | None:
    """Return the error code and message for a use of `key` in its state, or `None` if it can be used."""
    if key.key_state not in _STATES:
        return None
    code, state = _STATES[key.key_state]
    return code, f"{key.arn} {state}"


def install() -> None:
    """Extend moto. A key that is disabled would otherwise sign and decrypt."""
    KmsResponse.generate_data_key_pair = generate_data_key_pair  # type: ignore[attr-defined]
    KmsResponse.generate_data_key_pair_without_plaintext = without_plaintext  # type: ignore[attr-defined]
    KmsBackend.decrypt = _decrypting  # type: ignore[method-assign]
    for name in _USES:
        setattr(KmsBackend, name, _using(_originals[name]))
    for name, states in _CHANGES.items():
        setattr(KmsBackend, name, _changing(_originals[name], states))


def generate_data_key_pair(self: KmsResponse) -> str:
    """GenerateDataKeyPair. The private key is encrypted as `Encrypt` does, so `Decrypt` returns it."""
    key_id, spec = self._get_param("KeyId"), self._get_param("KeyPairSpec")
    self._validate_key_id(key_id)
    if spec not in _PAIRS:
        raise ValidationException(
            f"1 validation error detected: Value '{spec}' at 'keyPairSpec' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(_PAIRS)}]"
        )
    if _key(self.kms_backend, key_id).key_spec != "SYMMETRIC_DEFAULT":
        raise InvalidKeyUsageException
    pair = _PAIRS[spec]()
    private = pair.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    sealed, arn = self.kms_backend.encrypt(
        key_id=key_id, plaintext=private, encryption_context=self._get_param("EncryptionContext", {})
    )
    public = pair.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    blobs = {"PrivateKeyCiphertextBlob": sealed, "PrivateKeyPlaintext": private, "PublicKey": public}
    named = {name: base64.b64encode(blob).decode("ascii") for name, blob in blobs.items()}
    return json.dumps({**named, "KeyId": arn, "KeyPairSpec": spec})


def without_plaintext(self: KmsResponse) -> str:
    """GenerateDataKeyPairWithoutPlaintext."""
    made = json.loads(generate_data_key_pair(self))
    del made["PrivateKeyPlaintext"]
    return json.dumps(made)


def _key(backend: KmsBackend, name: str) -> Key:
    """Return the key that an id, an ARN or an alias names."""
    key: Key = backend.keys[backend.any_id_to_key_id(name)]
    return key


def _check(key: Key) -> None:
    if error := state_error(key):
        raise JsonRESTError(*error)


def _using(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def use(self: KmsBackend, *arguments: Any, **named: Any) -> Any:
        _check(_key(self, named["key_id"] if "key_id" in named else arguments[0]))
        return method(self, *arguments, **named)

    return use


def _changing(method: Callable[..., Any], states: tuple[str, ...]) -> Callable[..., Any]:
    @wraps(method)
    def change(self: KmsBackend, key_id: str, *arguments: Any, **named: Any) -> Any:
        key = _key(self, key_id)
        if key.key_state not in states:
            message = f"{key.arn} is not pending deletion."
            raise JsonRESTError(*(state_error(key) or ("KMSInvalidStateException", message)))
        return method(self, key.id, *arguments, **named)

    return change


def _decrypting(self: KmsBackend, *arguments: Any, **named: Any) -> tuple[bytes, str]:
    """Decrypt. The ciphertext names the key, so its state is known only afterwards."""
    plaintext, arn = _originals["decrypt"](self, *arguments, **named)
    _check(_key(self, arn))
    return plaintext, arn
