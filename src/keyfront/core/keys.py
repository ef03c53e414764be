"""Private and public keys that CloudFront accepts: RSA 2048 and ECDSA P-256, loaded from any form of PEM.

Source: Developer Guide, "Specify signers that can create signed URLs and signed cookies". A key is parsed once, when it
is loaded.
"""

import base64
import hashlib
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Literal, Protocol
from weakref import WeakValueDictionary

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from keyfront.core.pem import PRIVATE_LABELS, PUBLIC_LABELS, check_text, find_block, read_file
from keyfront.core.showing import refuse_text, told
from keyfront.errors import InputError, KeyLoadError

PRIVATE_KEY: Final = "private_key.pem"
PUBLIC_KEY: Final = "public_key.pem"
"""The file names that `SigningKey.write` uses."""

Algorithm = Literal["rsa", "ecdsa"]
HashAlgorithm = Literal["SHA1", "SHA256"]

_PROBE: Final = b"keyfront"

_PADDING = padding.PKCS1v15()
_RSA_HASHES = {"SHA1": hashes.SHA1(), "SHA256": hashes.SHA256()}  # noqa: S303  CloudFront's default is SHA-1
# ECDSA with a digest from hashlib is faster than letting it hash: 31,000 a second instead of 20,000.
_DIGESTS = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256}
_ECDSA_HASHES = {name: ec.ECDSA(Prehashed(algorithm)) for name, algorithm in _RSA_HASHES.items()}

_NEEDED = "CloudFront accepts RSA 2048 and ECDSA P-256 (prime256v1)"


class PublicKey:
    """A public key that CloudFront accepts. Equal keys are equal values."""

    __slots__ = ("_verify", "algorithm", "fingerprint", "pem")

    algorithm: Algorithm
    fingerprint: str
    """`SHA256:` and the base64 digest of the SubjectPublicKeyInfo, in the style of OpenSSH's fingerprints."""
    pem: str
    """SubjectPublicKeyInfo, as `openssl pkey -pubout` writes it."""

    def __init__(self, key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> None:
        if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            refuse_text(key, "the key", "load it with PublicKey.load(pem)")
        self.algorithm = _algorithm(key)
        self._verify = _verify_rsa(key) if isinstance(key, rsa.RSAPublicKey) else _verify_ecdsa(key)
        der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.fingerprint = "SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")
        self.pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode(
            "ascii"
        )

    @classmethod
    def load(cls, pem: bytes | str) -> "PublicKey":
        """Return the key in `pem` (`BEGIN PUBLIC KEY`). Raises `KeyLoadError` if CloudFront would not accept it."""
        check_text(pem)
        _, block = find_block(pem, PUBLIC_LABELS)
        try:
            key = serialization.load_pem_public_key(block)
        except (ValueError, UnsupportedAlgorithm):
            text = f"the public key's content cannot be read; {_NEEDED}"
            raise KeyLoadError(text, reason="key-damaged") from None
        if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            raise _another_kind(key)
        return cls(key)

    def verify(self, data: bytes, signature: bytes, hash_algorithm: HashAlgorithm = "SHA1") -> bool:
        """Return whether this key made `signature` over `data`. Never raises."""
        try:
            self._verify(signature, data, hash_algorithm)
        except (InvalidSignature, ValueError, KeyError):
            return False
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.pem == other.pem

    def __hash__(self) -> int:
        return hash(self.pem)

    def __repr__(self) -> str:
        return f"PublicKey({self.algorithm}, {self.fingerprint})"


class PrivateKey(Protocol):
    """A private key as a signer uses it: a `SigningKey` in memory, or a key that stays in KMS."""

    @property
    def algorithm(self) -> Algorithm:
        """`rsa` or `ecdsa`."""

    @property
    def public_key(self) -> PublicKey:
        """The public key that CloudFront has."""

    def sign(self, data: bytes, hash_algorithm: HashAlgorithm) -> bytes:
        """Return the signature over `data`: PKCS#1 v1.5 for RSA, ASN.1/DER for ECDSA. May raise a `KeyfrontError`."""


class SigningKey:
    """A private key that signs for CloudFront. Its `repr` and errors never hold the key."""

    __slots__ = ("__weakref__", "_key", "_sign", "algorithm", "public_key")

    algorithm: Algorithm
    public_key: PublicKey

    def __init__(self, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            refuse_text(key, "the key", "load it with SigningKey.load(pem), or SigningKey.load(Path(…)) for a file")
            raise _another_kind(key)
        self._key = key
        self.public_key = PublicKey(key.public_key())
        self.algorithm = self.public_key.algorithm
        self._sign = _sign_rsa(key) if isinstance(key, rsa.RSAPrivateKey) else _sign_ecdsa(key)

    @classmethod
    def generate(cls, algorithm: Algorithm = "rsa") -> "SigningKey":
        """Return a new key: `rsa` is RSA 2048, `ecdsa` is P-256."""
        if algorithm == "rsa":
            return cls(rsa.generate_private_key(public_exponent=65537, key_size=2048))
        if algorithm == "ecdsa":
            return cls(ec.generate_private_key(ec.SECP256R1()))
        raise InputError(f"key type {told(algorithm)} is not known: choose 'rsa' or 'ecdsa'")

    @classmethod
    def load(cls, source: bytes | str | Path, passphrase: str | bytes | None = None) -> "SigningKey":
        r"""Return the key in PEM text, or in the file at a `Path`.

        The PEM may be PKCS#8, PKCS#1 or SEC1, encrypted or not, with any line ends, with `\n` written as two characters
        (environment variables), or with its line breaks lost. Raises `KeyLoadError` for anything else, for a missing or
        wrong passphrase, and for a file that cannot be read. If the program still holds the key of the same text, the
        text is not parsed again, unless it is encrypted.
        """
        if isinstance(source, Path):
            source = read_file(source)
        check_text(source)
        digest = hashlib.sha256(
            source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")
        ).digest()
        if (held := _HELD.get(digest)) is not None:
            return held
        label, block = find_block(source, PRIVATE_LABELS)
        encrypted = label == "ENCRYPTED PRIVATE KEY" or b"Proc-Type: 4,ENCRYPTED" in block
        if encrypted and not passphrase:
            text = "the private key is encrypted: its passphrase is needed"
            raise KeyLoadError(text, reason="passphrase-missing", member="passphrase")
        secret = passphrase.encode() if isinstance(passphrase, str) else passphrase
        try:
            # Skips the check of the key's numbers, which takes 35 ms. The test signature below takes 1 ms.
            key = serialization.load_pem_private_key(
                block, secret if encrypted else None, unsafe_skip_rsa_key_validation=True
            )
        except UnsupportedAlgorithm:
            text = f"the private key is of a kind that is not supported; {_NEEDED}"
            raise KeyLoadError(text, reason="key-of-another-kind") from None
        except (ValueError, TypeError):
            if encrypted:
                text = "the private key cannot be read: the passphrase is wrong, or the key is damaged"
                raise KeyLoadError(text, reason="passphrase-wrong", member="passphrase") from None
            raise _damaged() from None
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise _another_kind(key)
        loaded = cls(key)
        if not loaded._is_whole():
            raise _damaged()
        if not encrypted:  # an encrypted key must fail again with a wrong or missing passphrase
            _HELD[digest] = loaded
        return loaded

    def sign(self, data: bytes, hash_algorithm: HashAlgorithm = "SHA1") -> bytes:
        """Return the signature over `data`: PKCS#1 v1.5 for RSA, ASN.1/DER for ECDSA."""
        return self._sign(data, hash_algorithm)

    def pem(self, passphrase: str | bytes | None = None) -> str:
        """Return the key as PKCS#8, encrypted if a passphrase is given."""
        secret = passphrase.encode() if isinstance(passphrase, str) else passphrase
        encryption = serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption()
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        ).decode("ascii")

    def write(self, directory: Path, passphrase: str | bytes | None = None) -> tuple[Path, Path]:
        """Write `private_key.pem` (mode 0600) and `public_key.pem` into `directory`, and return both paths.

        Makes `directory` if it is missing. Raises `InputError` if a file exists or cannot be written; then neither file
        is written.
        """
        private, public = directory / PRIVATE_KEY, directory / PUBLIC_KEY
        for path in (private, public):
            if os.path.lexists(path):
                raise InputError(f"{path} exists and is not overwritten: move it away or choose another directory")
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with ExitStack() as undo:
                for path, text, mode in ((private, self.pem(passphrase), 0o600), (public, self.public_key.pem, 0o644)):
                    _write_new(path, text, mode=mode)
                    undo.callback(path.unlink)
                undo.pop_all()
        except OSError as error:
            raise InputError(f"cannot write keys to {directory}: {error.strerror}") from None
        return private, public

    def _is_whole(self) -> bool:
        """Return whether the public half verifies this key's signatures."""
        try:
            return self.public_key.verify(_PROBE, self.sign(_PROBE, "SHA256"), "SHA256")
        except (ValueError, InternalError):
            return False

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm}, {self.public_key.fingerprint})"


_HELD: Final[WeakValueDictionary[bytes, SigningKey]] = WeakValueDictionary()
"""Keys in use, by the digests of their texts. It keeps no key alive and no text."""


def _sign_rsa(key: rsa.RSAPrivateKey) -> Callable[[bytes, HashAlgorithm], bytes]:
    sign = key.sign
    return lambda data, name: sign(data, _PADDING, _RSA_HASHES[name])


def _sign_ecdsa(key: ec.EllipticCurvePrivateKey) -> Callable[[bytes, HashAlgorithm], bytes]:
    sign = key.sign
    return lambda data, name: sign(_DIGESTS[name](data).digest(), _ECDSA_HASHES[name])


def _verify_rsa(key: rsa.RSAPublicKey) -> Callable[[bytes, bytes, HashAlgorithm], None]:
    verify = key.verify
    return lambda signature, data, name: verify(signature, data, _PADDING, _RSA_HASHES[name])


def _verify_ecdsa(key: ec.EllipticCurvePublicKey) -> Callable[[bytes, bytes, HashAlgorithm], None]:
    verify = key.verify
    return lambda signature, data, name: verify(signature, _DIGESTS[name](data).digest(), _ECDSA_HASHES[name])


def _algorithm(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> Algorithm:
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size == 2048:
            return "rsa"
    elif isinstance(key.curve, ec.SECP256R1):
        return "ecdsa"
    raise _another_kind(key)


def _another_kind(key: object) -> KeyLoadError:
    size = getattr(key, "key_size", None)
    if isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey):
        kind = f"an RSA key of {size} bits"
    elif isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey):
        kind = f"an ECDSA key on the curve {key.curve.name}"
    else:
        kind = f"a key of another kind ({type(key).__name__.lstrip('_')})"
    return KeyLoadError(f"found {kind}; {_NEEDED}", reason="key-of-another-kind", value=kind)


def _damaged() -> KeyLoadError:
    return KeyLoadError("the private key cannot be read: the key is damaged", reason="key-damaged")


def _write_new(path: Path, text: str, *, mode: int) -> None:
    """Write a new file, whole or not at all. Raises `OSError`."""
    beside = path.with_name(f".{path.name}.{os.urandom(8).hex()}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            os.fchmod(descriptor, mode)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        try:
            path.hardlink_to(beside)  # a rename would overwrite
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            if os.path.lexists(path):
                raise
            beside.rename(path)
    finally:
        beside.unlink(missing_ok=True)
