"""A signer's document: a key-pair id and the key to sign with, read from the text of a source.

There are two forms: a PEM alone, with its id given separately (`KEYPAIR_ID`), and a JSON document. The document holds
everything, so id and key change together:

    {"key_pair_id": "K2JCJMDEHXQW5F", "private_key": "-----BEGIN PRIVATE KEY-----\\n…",
     "hash_algorithm": "SHA256", "version": 3}

Instead of `private_key` it may name a KMS key that signs, `"kms_key": "arn:aws:kms:…"`, or hold a private key that KMS
wrapped, `"wrapped_key": {"ciphertext": "base64…", "kms_key": "alias/…"}`. `version` counts the rotations.
"""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keyfront.core.key_ids import checked_key_pair_id
from keyfront.core.keys import HashAlgorithm, PrivateKey, SigningKey
from keyfront.core.showing import refuse_text
from keyfront.errors import InputError, KeyLoadError
from keyfront.keystore.source import MissingError, Source, WritableSource

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from keyfront.keystore.kms import KMSReference, WrappedKey

_HELD: Final = ("private_key", "kms_key", "wrapped_key")
_MEMBERS: Final = ("key_pair_id", *_HELD, "hash_algorithm", "version")
_FORM: Final = (
    '{"key_pair_id": "K…", "private_key": "-----BEGIN …", "hash_algorithm": "SHA1" or "SHA256" (optional)}, '
    'or with "kms_key": "KEY" instead of private_key'
)
# A short and plain id may be shown; any other value might be the key itself.
_PLAIN_ID = re.compile(r"[A-Za-z0-9]{1,64}")


@dataclass(frozen=True, slots=True)
class SignerDocument:
    """Everything that signing needs besides the policy. `key` is a private key, or names one in KMS."""

    key_pair_id: str
    key: "SigningKey | KMSReference | WrappedKey"
    hash_algorithm: HashAlgorithm = "SHA1"
    version: int = 0
    """How often it was rotated; 0 if not counted."""

    def __post_init__(self) -> None:
        refuse_text(self.key, "the key", "load it with SigningKey.load(pem)")
        checked_key_pair_id(self.key_pair_id)

    @classmethod
    def parse(cls, text: str, *, source: str, key_pair_id: str | None = None) -> "SignerDocument":
        """Return the document in `text`: JSON if it begins with `{`, otherwise a PEM with the id `key_pair_id`.

        `source` is the source's name, for errors. With JSON, `key_pair_id` may be left out; if given, it must be the
        document's own. Raises `KeyLoadError`. The error's text never holds the key.
        """
        if text.lstrip().startswith("{"):
            return _from_json(text, source, key_pair_id)
        if key_pair_id is None:
            raise KeyLoadError(
                f"{source} holds no JSON document, and no key-pair id was given: "
                f"set KEYPAIR_ID, or store both together as {_FORM}"
            )
        return cls(_checked_id(key_pair_id, "the key-pair id (KEYPAIR_ID)"), _key(text, source))

    @classmethod
    def load(cls, source: Source) -> "SignerDocument | None":
        """Return the document in `source`; `None` if nothing is there. Raises `KeyfrontError`."""
        try:
            text = source.read()
        except MissingError:
            return None
        return cls.parse(text, source=source.name)

    def save(self, source: WritableSource) -> None:
        """Replace the content of `source` by this document, in one step. Raises `KeyfrontError`."""
        source.write(self.to_json())

    def to_json(self) -> str:
        """Return the JSON form. It may hold the private key: use it only where the document is kept."""
        held = {"private_key": self.key.pem()} if isinstance(self.key, SigningKey) else self.key.members()
        version = {"version": self.version} if self.version else {}
        return json.dumps({"key_pair_id": self.key_pair_id, **held, "hash_algorithm": self.hash_algorithm, **version})

    def open(self, kms: "Callable[[], KMSClient]") -> "PrivateKey":
        """Return the key that signs, in memory or in KMS. `kms` returns a client if one is needed.

        Raises `ServiceError` and `KeyLoadError`.
        """
        return self.key if isinstance(self.key, SigningKey) else self.key.open(kms())


def _from_json(text: str, source: str, expected_id: str | None) -> SignerDocument:
    members = _members(text, source)
    key_pair_id = _checked_id(members.get("key_pair_id"), f"key_pair_id in {source}")
    if expected_id is not None and expected_id != key_pair_id:
        shown = repr(expected_id) if _PLAIN_ID.fullmatch(expected_id) else "another value"
        raise KeyLoadError(
            f"KEYPAIR_ID is {shown}, and {source} holds the key of {key_pair_id!r}: "
            "remove KEYPAIR_ID, because the document names its own"
        )
    held = [name for name in _HELD if name in members]
    if len(held) > 1:
        raise KeyLoadError(f"{source} holds {' and '.join(held)}: only one of them can sign, so remove the others")
    key = _held(members, source)
    hash_algorithm = _hash_algorithm(members, source, default="SHA256" if "kms_key" in members else "SHA1")
    if "kms_key" in members and hash_algorithm != "SHA256":
        raise KeyLoadError(
            f"hash_algorithm in {source} is {hash_algorithm}, which KMS cannot sign: use SHA256",
            member="hash_algorithm",
        )
    return SignerDocument(key_pair_id, key, hash_algorithm, _version(members, source))


def _held(members: dict[str, object], source: str) -> "SigningKey | KMSReference | WrappedKey":
    if "kms_key" in members:
        # Imported late, as below: a key in memory does not need it.
        from keyfront.keystore.kms import KMSReference

        return KMSReference(_text_of(members["kms_key"], f"kms_key in {source}"))
    if "wrapped_key" in members:
        wrapped = members["wrapped_key"]
        inner = dict(wrapped) if isinstance(wrapped, list) else {}
        if inner.keys() != {"ciphertext", "kms_key"}:
            raise KeyLoadError(f'wrapped_key in {source} is not {{"ciphertext": "base64…", "kms_key": "KEY"}}')
        text = _text_of(inner["ciphertext"], f"ciphertext in {source}")
        try:
            ciphertext = base64.b64decode(text, validate=True)
        except ValueError:
            raise KeyLoadError(f"ciphertext in {source} is not base64", member="ciphertext") from None
        from keyfront.keystore.kms import WrappedKey

        return WrappedKey(ciphertext, _text_of(inner["kms_key"], f"kms_key in {source}"))
    private_key = members.get("private_key")
    if not isinstance(private_key, str):
        raise KeyLoadError(f"private_key in {source} is missing or not text: store {_FORM}", member="private_key")
    return _key(private_key, source)


def _text_of(value: object, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise KeyLoadError(f"{what} is empty or not text: store {_FORM}")
    return value


def _version(members: dict[str, object], source: str) -> int:
    version = members.get("version", 0)
    if not isinstance(version, int) or isinstance(version, bool) or not 0 <= version < 2**53:
        raise KeyLoadError(
            f"version in {source} is not a whole number: leave it out, or count from 1", member="version"
        )
    return version


def _members(text: str, source: str) -> dict[str, object]:
    try:
        # Not strict: a PEM pasted between the quotes may contain line breaks.
        document = json.loads(text, strict=False, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise KeyLoadError(f"{source} begins like a JSON document, but is not one{where}: store {_FORM}") from None
    members: dict[str, object] = dict(document)
    for name, _ in document:
        if name not in _MEMBERS:
            shown = repr(name) if re.fullmatch(r"[\w.-]{1,40}", name) else "with another name"
            raise KeyLoadError(f"{source} has an unknown member {shown}: store {_FORM}")
    if len(members) != len(document):
        raise KeyLoadError(f"{source} names a member twice: store {_FORM}")
    return members


def _hash_algorithm(members: dict[str, object], source: str, *, default: HashAlgorithm) -> HashAlgorithm:
    match members.get("hash_algorithm", default):
        case "SHA1":
            return "SHA1"
        case "SHA256":
            return "SHA256"
        case _:
            raise KeyLoadError(f"hash_algorithm in {source} is neither 'SHA1' nor 'SHA256'", member="hash_algorithm")


def _checked_id(value: object, what: str) -> str:
    try:
        return checked_key_pair_id(value, what)
    except InputError as error:
        raise KeyLoadError(str(error), reason=error.reason, member=error.member, value=error.value) from None


def _key(pem: str, source: str) -> SigningKey:
    try:
        return SigningKey.load(pem)
    except InputError as error:
        raise KeyLoadError(f"{source} holds no usable private key: {error}", reason=error.reason) from None
