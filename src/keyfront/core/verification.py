"""Decides how CloudFront answers a viewer's request for protected content, and why. No other module decides this.

Source: Developer Guide, "How CloudFront validates signed URLs" and "… signed cookies". Time, keys and request are
arguments: this module reads no clock, file or socket. No request makes it raise.
"""

import ipaddress
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Final, NamedTuple

from keyfront.core.credentials import Fault, Presented, credentials, excerpt, presented
from keyfront.core.keys import HashAlgorithm, PublicKey
from keyfront.core.networks import LONGEST_ADDRESS
from keyfront.core.policy import Policy
from keyfront.core.resource import covers
from keyfront.core.showing import refuse_text
from keyfront.core.urls import without_signing_parameters

__all__ = [
    "Check",
    "Decision",
    "Refusal",
    "ViewerRequest",
    "credentials_of",
    "error_body",
    "refusal_for",
    "verify",
    "without_signing_parameters",
]


@dataclass(frozen=True, slots=True)
class ViewerRequest:
    """The parts of a request that CloudFront checks."""

    url: str
    """As the viewer sent it: `scheme://host/path?query`, to the byte."""
    cookie: str = ""
    """The Cookie header; several are joined by `; `."""
    ip: str = ""
    """The viewer's address, IPv4 or IPv6."""


class Check(NamedTuple):
    """One check, and its result."""

    name: str
    ok: bool
    detail: str
    reason: str = ""
    """Why it failed, as in `Decision.reason`; empty if it passed."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """CloudFront's response to a refused request."""

    code: str
    message: str
    status: int = 403


# Assumed (seen in the field, not in the guide): the order of these refusals, and 403 for malformed input.
MISSING_KEY: Final = Refusal("MissingKey", "Missing Key-Pair-Id query parameter or cookie value")
INVALID_KEY: Final = Refusal("InvalidKey", "Unknown Key")
MALFORMED_POLICY: Final = Refusal("MalformedPolicy", "Malformed Policy")
MALFORMED_SIGNATURE: Final = Refusal("MalformedSignature", "Could not unencode Signature")
ACCESS_DENIED: Final = Refusal("AccessDenied", "Access denied")
_REFUSALS: Final = {
    "missing-key-pair-id": MISSING_KEY,
    "unknown-key": INVALID_KEY,
    "missing-policy": MALFORMED_POLICY,
    "malformed-policy": MALFORMED_POLICY,
    "missing-signature": MALFORMED_SIGNATURE,
    "malformed-signature": MALFORMED_SIGNATURE,
}
"""The refusals by reason; any other reason is `ACCESS_DENIED`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision on a request. `reason` is one of keyfront's stable slugs: `allowed`, `expired`, …"""

    reason: str
    key_pair_id: str | None = None
    describe: Callable[[], tuple[Check, ...]] = field(default=tuple, repr=False, compare=False)

    @property
    def allowed(self) -> bool:
        """Whether the request is allowed."""
        return self.reason == "allowed"

    @property
    def status(self) -> int:
        """The status of CloudFront's response."""
        return 200 if self.allowed else refusal_for(self.reason).status

    @property
    def code(self) -> str | None:
        """The code in the body of a refusal; `None` if the request is allowed."""
        return None if self.allowed else refusal_for(self.reason).code

    @property
    def message(self) -> str | None:
        """The message in the body of a refusal; `None` if the request is allowed."""
        return None if self.allowed else refusal_for(self.reason).message

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check, in order. They are described now, because that takes longer than making them."""
        return self.describe()


def verify(request: ViewerRequest, trusted_keys: Mapping[str, PublicKey], now: float) -> Decision:
    """Check `request` at `now` (seconds since the epoch) with the keys of the behavior's trusted key groups.

    `trusted_keys` maps key-pair ids to public keys. If the URL has any signing parameter, only the URL counts;
    otherwise the cookies count. Raises `InputError` for text in place of the key that the request names, and nothing
    else.
    """
    shown = presented(request.url, request.cookie)
    key = trusted_keys.get(shown.key_pair_id)
    if key is not None and type(key) is not PublicKey:
        refuse_text(key, "a trusted key", "load it with PublicKey.load(pem)")
    seen = _see(shown, key, request.ip, now)
    reason = next(filter(None, seen.values()), "allowed")
    others = () if key is not None else tuple(trusted_keys)
    return Decision(reason, shown.key_pair_id or None, partial(_described, seen, shown, request.ip, now, others))


def refusal_for(reason: str) -> Refusal:
    """Return CloudFront's response to a request that fails for `reason`, the slug of a decision or a check."""
    return _REFUSALS.get(reason, ACCESS_DENIED)


def _see(shown: Presented, key: PublicKey | None, ip: str, now: float) -> dict[str, str]:
    """Make every check, in order; return the reason why each fails, or an empty text.

    The first failure decides the response. Later checks are still made, so that they can be described.
    """
    if not shown.key_pair_id:
        return {"key-pair-id": "missing-key-pair-id"}
    seen = {"key-pair-id": "", "trusted-key": "unknown-key" if key is None else ""}
    policy, signature = shown.policy, shown.signature
    if isinstance(policy, Fault):
        seen["policy"] = policy.reason
        return seen
    seen["policy"] = ""
    if isinstance(signature, Fault):
        seen[signature.check] = signature.reason
    elif key is not None:
        genuine = _is_genuine(key, shown.signed, signature, shown.algorithm)
        seen["signature"] = "" if genuine else "signature-mismatch"
    covered = not shown.custom or policy.resource is None or covers(policy.resource, shown.url)
    seen["resource"] = "" if covered else "resource-mismatch"
    if policy.starts is not None:
        seen["starts"] = "" if now > policy.starts else "not-yet-valid"
    seen["expires"] = "" if now < policy.expires else "expired"
    if policy.ip is not None:
        seen["address"] = "" if _within(ip, policy.ip) else "address-mismatch"
    return seen


def _described(
    seen: Mapping[str, str], shown: Presented, ip: str, now: float, others: Sequence[str]
) -> tuple[Check, ...]:
    """Return the checks described in words. `others` are the trusted keys' ids, if the request's is not one."""
    if "policy" not in seen:
        return (Check("key-pair-id", False, excerpt(""), seen["key-pair-id"]),)
    policy, signature = shown.policy, shown.signature
    unknown = f"{excerpt(shown.key_pair_id)} is not among {_listed(others)}"
    details = {
        "key-pair-id": excerpt(shown.key_pair_id),
        "trusted-key": unknown if seen["trusted-key"] else f"{shown.key_pair_id} is trusted",
    }
    if isinstance(policy, Fault):
        details["policy"] = policy.detail
    else:
        details["policy"] = "custom policy" if shown.custom else "canned policy"
        details |= _conditions(seen, policy, shown.url, ip, now)
    if isinstance(signature, Fault):
        details[signature.check] = signature.detail
    else:
        verb = "is not" if seen.get("signature") else "is"
        details["signature"] = f"{verb} this key's over the policy, with {shown.algorithm}"
    return tuple(Check(name, not reason, details[name], reason) for name, reason in seen.items())


def _conditions(seen: Mapping[str, str], policy: Policy, url: str, ip: str, now: float) -> dict[str, str]:
    verb = "does not cover" if seen["resource"] else "covers"
    details = {
        "resource": f"{_printable(policy.resource or 'any')} {verb} {_printable(url)}",
        "expires": f"valid before {_when(policy.expires)}, asked at {_when(now)}",
    }
    if policy.starts is not None:
        details["starts"] = f"valid after {_when(policy.starts)}, asked at {_when(now)}"
    if policy.ip is not None:
        viewer = _printable(ip) or "an unknown address"
        details["address"] = f"{viewer} is {'not in' if seen['address'] else 'in'} {policy.ip}"
    return details


def error_body(code: str, message: str) -> bytes:
    """Return the body of CloudFront's response to a refused request, byte for byte, without a newline."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    ).encode()


def credentials_of(request: ViewerRequest) -> tuple[dict[str, str], str]:
    """Return the signing parameters that count, by their query names, and the URL without any (see `credentials`)."""
    return credentials(request.url, request.cookie)


def _within(address: str, network: str) -> bool:
    """Return whether an IPv4 viewer is in `network`. A viewer over IPv6 never is, not even in 0.0.0.0/0: assumed."""
    return len(address) <= LONGEST_ADDRESS and _is_in(address, network)


@lru_cache(maxsize=4096)
def _is_in(address: str, network: str) -> bool:
    try:
        viewer = ipaddress.ip_address(address)
        if isinstance(viewer, ipaddress.IPv6Address):
            # An IPv4 connection to a dual-stack socket. On the network no address looks like this.
            viewer = viewer.ipv4_mapped or viewer
        return viewer in ipaddress.IPv4Network(network)
    except ValueError:
        return False


def _is_genuine(key: PublicKey, signed: bytes, signature: bytes, algorithm: HashAlgorithm) -> bool:
    try:
        _remember_genuine(key, signed, signature, algorithm)
    except _NotGenuineError:
        return False
    return True


class _NotGenuineError(Exception):
    """A wrong signature. It is raised, not returned, because `lru_cache` does not keep it: forgeries use no memory."""


@lru_cache(maxsize=8192)
def _remember_genuine(key: PublicKey, signed: bytes, signature: bytes, algorithm: HashAlgorithm) -> None:
    # All parts of a video come with the same signature, so signature checks are cached. Time, address and resource are
    # checked on every request.
    if not key.verify(signed, signature, algorithm):
        raise _NotGenuineError


def _listed(ids: Sequence[str]) -> str:
    return f"the trusted keys: {', '.join(sorted(ids)[:20]) or 'there are none'}"


def _printable(text: str) -> str:
    """Return a viewer's text for a terminal or a log: nothing in it moves a cursor or ends a line."""
    return text if text.isascii() and text.isprintable() else ascii(text)


def _when(seconds: float) -> str:
    try:
        return _second(math.floor(seconds))
    except (ValueError, OverflowError, OSError):
        return str(seconds)


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    # Formatting a time takes longer than the rest of a check, and the same seconds come again and again.
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
