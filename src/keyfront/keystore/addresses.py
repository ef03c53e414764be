"""One string that says where a signing key lives: `ssm:/shop/signing-key`, `kms:alias/shop`, `file:key.json`, …"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

from keyfront.core.showing import like_a_key, told
from keyfront.errors import InputError
from keyfront.keystore.refreshing import SECONDS
from keyfront.keystore.sources import EnvironmentVariable, KeyFile, Secret, Source, SSMParameter

Kind = Literal["file", "env", "ssm", "secretsmanager", "kms"]

_EXAMPLES: Final[Mapping[str, str]] = {
    "file": "file:signer.json",
    "env": "env:SIGNING_KEY",
    "ssm": "ssm:/shop/signing-key",
    "secretsmanager": "secretsmanager:shop/signing-key",
    "kms": "kms:alias/shop",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a signing key lives."""

    kind: Kind
    name: str

    def __post_init__(self) -> None:
        if like_a_key(self.name):
            raise InputError(f"the signer's address holds the key itself: write where it is, {_EXAMPLES['file']}")

    @classmethod
    def parse(cls, text: str) -> "Address":
        """`KIND:NAME`. Raises `InputError`; its text does not hold what might be a key."""
        kind, colon, name = text.partition(":")
        if not colon or kind not in _EXAMPLES:
            shown = repr(kind) if len(kind) <= 20 and kind.isascii() and kind.isprintable() else "something else"
            raise InputError(f"the signer's address begins with {shown}: write one of {', '.join(_EXAMPLES.values())}")
        if not name.strip():
            raise InputError(f"the signer's address {told(text)} names nothing: write {_EXAMPLES[kind]}")
        return cls(cast(Kind, kind), name)

    def source(self, *, seconds: float = SECONDS) -> Source | None:
        """What reads the document there, in `seconds` at most; `None` for a bare KMS key, which has none."""
        match self.kind:
            case "file":
                return KeyFile(Path(self.name))
            case "env":
                return EnvironmentVariable(self.name)
            case "ssm":
                return SSMParameter(self.name, seconds=seconds)
            case "secretsmanager":
                return Secret(self.name, seconds=seconds)
            case "kms":
                return None

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"
