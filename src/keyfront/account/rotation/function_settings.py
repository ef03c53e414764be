"""The settings of the rotation's Lambda function."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from keyfront.core.keys import HashAlgorithm
from keyfront.errors import InputError


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a rotation: the function's environment variables, in capitals. Times are in seconds."""

    key_group: str
    """The id or name of the group that trusts the key."""
    grace_seconds: int = 24 * 3600
    """How long after the switch the old key is trusted: not shorter than the longest lifetime of its signatures."""
    signer_ttl_seconds: int = 600
    """How long a signer may use the replaced document: twice its time to live."""
    propagation_seconds: int = 300
    """How long the edge locations may take to learn of a changed group. CloudFront documents no signal for it."""
    probes: int = 20
    """How many requests in a row, signed with the new key, must be allowed."""
    probe_url: str | None = None
    """The URL to request; if not set, a path below a protected behavior is chosen."""
    key_type: Literal["rsa", "ecdsa"] | None = None
    """`None`: as the old key."""
    hash_algorithm: HashAlgorithm | None = None
    """`None`: as in the old document."""

    def __post_init__(self) -> None:
        for name in ("grace_seconds", "signer_ttl_seconds", "propagation_seconds"):
            if getattr(self, name) < 0:
                raise InputError(f"{name.upper()} is {getattr(self, name)}: give seconds from 0 on")
        if not 1 <= self.probes <= 1000:
            raise InputError(f"PROBES is {self.probes}: give a number from 1 to 1000")
        for name, value, known in (
            ("KEY_TYPE", self.key_type, ("rsa", "ecdsa")),
            ("HASH_ALGORITHM", self.hash_algorithm, ("SHA1", "SHA256")),
        ):
            if value is not None and value not in known:
                raise InputError(f"{name} is {value!r}: give {' or '.join(known)}")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Return the settings in `environment`; an empty variable counts as not set. Raises `InputError`."""
        given: dict[str, Any] = {}
        for field in fields(cls):
            name = field.name.upper()
            value = environment.get(name, "").strip()
            if value:
                given[field.name] = _whole(name, value) if field.type is int else value
        if "key_group" not in given:
            raise InputError("KEY_GROUP is not set: give the id or name of the key group that trusts the key")
        return cls(**given)


def _whole(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise InputError(f"{name} is {value!r}: give a whole number") from None
