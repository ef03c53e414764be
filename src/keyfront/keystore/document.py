"""What is kept for a signer: a key-pair id and a private key, read from the text that a source holds.

Two forms. A PEM alone, whose id is told apart from it (an environment variable), and a JSON document that holds
both, so that they can only change together:

    {"key_pair_id": "K2JCJMDEHXQW5F", "private_key": "-----BEGIN PRIVATE KEY-----\\n…", "hash_algorithm": "SHA256"}
"""

import json
import re
from dataclasses import dataclass
from typing import Final

from keyfront.errors import InputError, KeyLoadError
from keyfront.keys import HashAlgorithm, SigningKey

_MEMBERS: Final = ("key_pair_id", "private_key", "hash_algorithm")
_FORM: Final = '{"key_pair_id": "K…", "private_key": "-----BEGIN …", "hash_algorithm": "SHA1" or "SHA256" (optional)}'
# An id that is short and plain may be shown; anything else in its place might be the key itself.
_PLAIN_ID = re.compile(r"[A-Za-z0-9]{1,64}")


@dataclass(frozen=True, slots=True)
class SignerDocument:
    """Everything a signature needs besides what is signed."""

    key_pair_id: str
    key: SigningKey
    hash_algorithm: HashAlgorithm = "SHA1"

    @classmethod
    def parse(cls, text: str, *, source: str, key_pair_id: str | None = None) -> "SignerDocument":
        """The document in `text`: the JSON form when it begins with `{`, else a PEM whose id is `key_pair_id`.

        `source` names where the text came from, for errors. With the JSON form `key_pair_id` may be left out;
        when it is given it must be the document's own. Raises `KeyLoadError`, whose text never holds the key.
        """
        if text.lstrip().startswith("{"):
            return _from_json(text, source, key_pair_id)
        if key_pair_id is None:
            raise KeyLoadError(
                f"{source} holds no JSON document, and no key-pair id was given beside it: "
                f"set KEYPAIR_ID, or store both together as {_FORM}"
            )
        return cls(_checked_id(key_pair_id, "the key-pair id (KEYPAIR_ID)"), _key(text, source))

    def to_json(self) -> str:
        """The JSON form. Holds the private key: for the place where it is kept, and nowhere else."""
        return json.dumps(
            {
                "key_pair_id": self.key_pair_id,
                "private_key": self.key.pem(),
                "hash_algorithm": self.hash_algorithm,
            }
        )


def _from_json(text: str, source: str, expected_id: str | None) -> SignerDocument:
    members = _members(text, source)
    key_pair_id = _checked_id(members.get("key_pair_id"), f"key_pair_id in {source}")
    if expected_id is not None and expected_id != key_pair_id:
        shown = repr(expected_id) if _PLAIN_ID.fullmatch(expected_id) else "another value"
        raise KeyLoadError(
            f"KEYPAIR_ID is {shown}, and {source} holds the key of {key_pair_id!r}: "
            "remove KEYPAIR_ID, because the document names its own"
        )
    private_key = members.get("private_key")
    if not isinstance(private_key, str):
        raise KeyLoadError(f"private_key in {source} is missing or no text: store {_FORM}")
    return SignerDocument(key_pair_id, _key(private_key, source), _hash_algorithm(members, source))


def _members(text: str, source: str) -> dict[str, object]:
    try:
        # Not strict: a PEM pasted between the quotes brings its line breaks along.
        document = json.loads(text, strict=False, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise KeyLoadError(f"{source} begins like a JSON document and is none{where}: store {_FORM}") from None
    members: dict[str, object] = dict(document)
    for name, _ in document:
        if name not in _MEMBERS:
            shown = repr(name) if re.fullmatch(r"[\w.-]{1,40}", name) else "with another name"
            raise KeyLoadError(f"{source} has a member {shown}, which is not known: store {_FORM}")
    if len(members) != len(document):
        raise KeyLoadError(f"{source} names a member twice: store {_FORM}")
    return members


def _hash_algorithm(members: dict[str, object], source: str) -> HashAlgorithm:
    match members.get("hash_algorithm", "SHA1"):
        case "SHA1":
            return "SHA1"
        case "SHA256":
            return "SHA256"
        case _:
            raise KeyLoadError(f"hash_algorithm in {source} is neither 'SHA1' nor 'SHA256'")


def _checked_id(value: object, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise KeyLoadError(f"{what} is missing or no text: give the public key's id in CloudFront, K…")
    if not _PLAIN_ID.fullmatch(value):
        raise KeyLoadError(
            f"{what} is no key-pair id (its {len(value)} characters are not shown, in case they are a secret): "
            "give the public key's id in CloudFront, K…"
        )
    return value


def _key(pem: str, source: str) -> SigningKey:
    try:
        return SigningKey.load(pem)
    except InputError as error:
        raise KeyLoadError(f"{source} holds no usable private key: {error}") from None
