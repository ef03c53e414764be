"""What is planned for a rotation, and how far one has come: the JSON that another machine continues from."""

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final, Literal

from keyfront.core.keys import HashAlgorithm, SigningKey
from keyfront.errors import InputError
from keyfront.keystore import KMSReference, SignerDocument

_FORMAT: Final = 1
_MINUTE, _HOUR = 60, 3600


class Phase(StrEnum):
    """How far a rotation has come: what each names is done."""

    BEGUN = "begun"
    """The new key exists; nothing in CloudFront has changed."""
    UPLOADED = "uploaded"
    ADDED = "added"
    """Its public half is in the key group, on its way to the edge locations."""
    PROVED = "proved"
    """They let in what it signs."""
    SWITCHED = "switched"
    """The signers' document names it. What the old key signed is still let in."""
    REMOVED = "removed"
    """The outgoing key is out of the group."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """The key that comes: a pair that is made here, or one that is in KMS."""

    algorithm: Literal["rsa", "ecdsa"] | None = None
    """`None`: as the old one."""
    kms_key: str | None = None
    hash_algorithm: HashAlgorithm | None = None
    """`None`: as the old document says; always SHA256 for KMS."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rotation is to do. Times are in seconds."""

    group: str
    """The key group's id."""
    signer: str
    """Where the signers' document is, such as `ssm:/shop/signing-key`."""
    new: NewKey = NewKey()
    grace: float = 24 * _HOUR
    """For how long after the switch the old key is trusted: no shorter than the longest life of what it signed."""
    propagation: float = 5 * _MINUTE
    """How long the edge locations may take to learn of a changed group. Nothing documents a signal for it."""
    signer_ttl: float = 10 * _MINUTE
    """How long a signer may go on with a document that was replaced: twice its time to live."""
    longest_life: float | None = None
    """The longest life of what is signed, if it is known."""
    probe_url: str | None = None
    """What to ask for with the new key; a path below a protected behavior is found when it is `None`."""
    probes: int = 20
    """So many in a row have to be let in."""

    def __post_init__(self) -> None:
        for name in ("grace", "propagation", "signer_ttl"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name)}: give seconds from 0 on")
        if not 1 <= self.probes <= 1000:
            raise InputError(f"probes is {self.probes}: give a number from 1 to 1000")
        if self.longest_life is not None and self.grace < self.longest_life:
            raise InputError(
                f"a grace of {self.grace:.0f} s is shorter than the longest life of what is signed "
                f"({self.longest_life:.0f} s): links that are valid would be refused; give a grace of at least that"
            )


@dataclass(frozen=True, slots=True)
class State:
    """How far a rotation has come. Moments are seconds since the epoch."""

    plan: Plan
    id: str
    started: float
    phase: Phase
    old_id: str
    key: dict[str, str]
    """The new key, `{"private_key": PEM}` until the signers have it, or `{"kms_key": KEY}`."""
    hash_algorithm: HashAlgorithm
    version: int
    """Of the document that is going to be written."""
    new_id: str | None = None
    added_at: float | None = None
    switched_at: float | None = None
    back: bool = False
    """Whether it is being undone: the new key is then the one that goes."""

    @property
    def key_name(self) -> str:
        """The new public key's name in CloudFront: names are unique, so that it cannot be uploaded twice."""
        return f"keyfront-{self.id}"

    @property
    def outgoing(self) -> str | None:
        """The id of the key that leaves the group in the end."""
        return self.new_id if self.back else self.old_id

    @property
    def removable_at(self) -> float | None:
        """When the last signature of the outgoing key has expired."""
        return None if self.switched_at is None else self.switched_at + self.plan.signer_ttl + self.plan.grace

    def document(self) -> SignerDocument:
        """What the signers get."""
        if self.new_id is None:
            raise ValueError("a document needs the new key's id")
        held = KMSReference(self.key["kms_key"]) if "kms_key" in self.key else SigningKey.load(self.key["private_key"])
        return SignerDocument(self.new_id, held, self.hash_algorithm, self.version)

    def to_json(self) -> str:
        """The text that is stored. Holds the new private key until the signers have it."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, where: str) -> "State":
        """The state in `text`. Raises `InputError` for what this version cannot continue, and shows none of it."""
        try:
            given: dict[str, Any] = json.loads(text)
            if given.pop("format") != _FORMAT:
                raise InputError(f"{where} was written by another version of keyfront: continue with that one")
            plan = given.pop("plan")
            new = NewKey(**plan.pop("new"))
            return cls(plan=Plan(**plan, new=new), **{**given, "phase": Phase(given["phase"])})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{where} holds no rotation that can be continued") from None

    def at(self, phase: Phase, **changes: Any) -> "State":
        """This rotation, come so far."""
        return replace(self, phase=phase, **changes)

    def __repr__(self) -> str:
        return f"State({self.id}, {self.phase}, {self.old_id} to {self.new_id})"
