"""A rotation's plan and its state: the JSON from which another machine can continue."""

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
    """The last completed step of a rotation."""

    BEGUN = "begun"
    """The new key exists; nothing in CloudFront has changed."""
    UPLOADED = "uploaded"
    ADDED = "added"
    """Its public half is in the key group, on its way to the edge locations."""
    PROVED = "proved"
    """The edge locations accept its signatures."""
    SWITCHED = "switched"
    """The signers' document names it. The old key's signatures are still accepted."""
    REMOVED = "removed"
    """The outgoing key is not in the group any more."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """The new key: a pair that keyfront makes, or one in KMS."""

    algorithm: Literal["rsa", "ecdsa"] | None = None
    """`None`: as the old key."""
    kms_key: str | None = None
    hash_algorithm: HashAlgorithm | None = None
    """`None`: as in the old document; always SHA256 for KMS."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a rotation. Times are in seconds."""

    group: str
    """The key group's id."""
    signer: str
    """Where the signers' document is, such as `ssm:/shop/signing-key`."""
    new: NewKey = NewKey()
    grace: float = 24 * _HOUR
    """How long after the switch the old key is trusted: not shorter than the longest lifetime of its signatures."""
    propagation: float = 5 * _MINUTE
    """How long the edge locations may take to learn of a changed group. CloudFront documents no signal for it."""
    signer_ttl: float = 10 * _MINUTE
    """How long a signer may use the replaced document: twice its time to live."""
    longest_life: float | None = None
    """The longest lifetime of a signature, if it is known."""
    probe_url: str | None = None
    """The URL to request with the new key; if `None`, a path below a protected behavior is chosen."""
    probes: int = 20
    """How many requests in a row must be allowed."""
    logs: str | None = None
    """A folder or `s3://BUCKET/PREFIX` with access logs, which show how long the old key is needed."""

    def __post_init__(self) -> None:
        for name in ("grace", "propagation", "signer_ttl"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name)}: give seconds from 0 on")
        if not 1 <= self.probes <= 1000:
            raise InputError(f"probes is {self.probes}: give a number from 1 to 1000")
        if self.longest_life is not None and self.grace < self.longest_life:
            raise InputError(
                f"a grace of {self.grace:.0f} s is shorter than the longest lifetime of a signature "
                f"({self.longest_life:.0f} s): valid links would be refused; give a grace of at least that"
            )


@dataclass(frozen=True, slots=True)
class State:
    """The state of a rotation. Times are seconds since the epoch."""

    plan: Plan
    id: str
    started: float
    phase: Phase
    old_id: str
    key: dict[str, str]
    """The new key, `{"private_key": PEM}` until the signers have it, or `{"kms_key": KEY}`."""
    hash_algorithm: HashAlgorithm
    version: int
    """The version of the document that will be written."""
    new_id: str | None = None
    added_at: float | None = None
    switched_at: float | None = None
    removed_at: float | None = None
    back: bool = False
    """Whether the rotation is being undone: then the new key is removed."""

    @property
    def key_name(self) -> str:
        """The new public key's name in CloudFront. Names are unique, so it cannot be uploaded twice."""
        return f"keyfront-{self.id}"

    @property
    def unused_at(self) -> float | None:
        """The time from which no signer uses the outgoing key."""
        return None if self.switched_at is None else self.switched_at + self.plan.signer_ttl

    @property
    def removable_at(self) -> float | None:
        """The time when the last signature of the outgoing key has expired."""
        return None if self.switched_at is None else self.switched_at + self.plan.signer_ttl + self.plan.grace

    def document(self) -> SignerDocument:
        """Return the signers' new document."""
        if self.new_id is None:
            raise ValueError("a document needs the new key's id")
        held = KMSReference(self.key["kms_key"]) if "kms_key" in self.key else SigningKey.load(self.key["private_key"])
        return SignerDocument(self.new_id, held, self.hash_algorithm, self.version)

    def to_json(self) -> str:
        """Return the text to store. It holds the new private key until the signers have it."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, where: str) -> "State":
        """Return the state in `text`. Raises `InputError` if this version cannot continue it, without showing it."""
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
            raise InputError(f"{where} does not hold a rotation that can be continued") from None

    def at(self, phase: Phase, **changes: Any) -> "State":
        """Return this rotation with a later phase and these changes."""
        return replace(self, phase=phase, **changes)

    def __repr__(self) -> str:
        return f"State({self.id}, {self.phase}, {self.old_id} to {self.new_id})"
