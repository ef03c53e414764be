"""Addresses, which say where a signing key is: `ssm:/shop/signing-key`, `kms:alias/shop`, `file:key.json`, …"""

from dataclasses import dataclass
from typing import cast

from keyfront.core.showing import like_a_key, told
from keyfront.errors import InputError
from keyfront.keystore.registry import KINDS, Entry, find
from keyfront.keystore.source import Connect, Opening, Source, WritableSource


@dataclass(frozen=True, slots=True)
class Address:
    """Where a signing key is. `kind` is a prefix in the registry."""

    kind: str
    name: str

    def __post_init__(self) -> None:
        if like_a_key(self.name):
            raise InputError(f"the signer's address holds the key itself: write where it is, {KINDS['file']}")

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Return the address in `KIND:NAME`. Raises `InputError`, and never shows a text that might be a key."""
        if not isinstance(text, str):
            unset = " (was a variable not set?)" if text is None else ""
            text = f"the signer's address is {told(text)}{unset}: write one of {', '.join(map(str, KINDS.values()))}"
            raise InputError(text)
        kind, colon, name = text.partition(":")
        entry = _entry(kind, known=bool(colon))
        if not name.strip():
            raise InputError(f"the signer's address {told(text)} names nothing: write {entry}")
        return cls(kind, name)

    def open(self, opening: Opening) -> Source:
        """Return the source at this address. Raises `InputError` if its kind cannot open it."""
        return _entry(self.kind).load().open(self.name, opening)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


def open_writable(address: str, *, connect: Connect | None = None) -> WritableSource:
    """Return the source at `address` for writing. `connect` makes AWS clients; if not given, boto3's rules apply.

    Raises `InputError` for a kind that cannot be written, such as an environment variable or a bare KMS key.
    """
    where = Address.parse(address)
    if _is_writable(_entry(where.kind)):
        return cast("WritableSource", where.open(Opening(connect=connect, writing=True)))
    possible = [str(entry) for entry in KINDS.values() if _is_writable(entry)]
    raise InputError(
        f"{address} cannot hold a signer's document: use {', '.join(possible)} "
        '(for a key in KMS the document there says "kms_key")'
    )


def _is_writable(entry: Entry) -> bool:
    return hasattr(entry.load(), "write")


def _entry(kind: str, *, known: bool = True) -> Entry:
    entry = find(kind) if known else None
    if entry is None:
        shown = repr(kind) if len(kind) <= 20 and kind.isascii() and kind.isprintable() else "something else"
        raise InputError(
            f"the signer's address begins with {shown}: write one of {', '.join(map(str, KINDS.values()))}"
        )
    return entry
