"""The one judge: what CloudFront answers to a viewer's request for protected content, and why.

Source: Developer Guide, "How CloudFront validates signed URLs" and "… signed cookies". Time, keys and the
request come in as values; nothing here reads a clock, a file or a socket, and no input raises.
"""

import ipaddress
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from keyfront.core.credentials import Fault, Presented, credentials, excerpt, presented
from keyfront.core.keys import HashAlgorithm, PublicKey
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
    "judge",
    "refusal_for",
    "verify",
    "without_signing_parameters",
]


@dataclass(frozen=True, slots=True)
class ViewerRequest:
    """What CloudFront looks at when it judges a request."""

    url: str
    """As the viewer sent it: `scheme://host/path?query`, to the byte."""
    cookie: str = ""
    """The Cookie header; several are joined by `; `."""
    ip: str = ""
    """The viewer's address, IPv4 or IPv6."""


class Check(NamedTuple):
    """One step of the judgement, and what it saw."""

    name: str
    ok: bool
    detail: str
    reason: str = ""
    """Why it failed, as in `Decision.reason`; empty for a check that did not."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """CloudFront's answer to a refused request."""

    code: str
    message: str
    status: int = 403


# The order of these answers, and 403 for the malformed ones, are assumed (seen in the field, not in the guide).
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
"""By reason; any other is `ACCESS_DENIED`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the edge answers. `reason` is a stable slug of ours: `allowed`, `expired`, `resource-mismatch`, …"""

    allowed: bool
    status: int
    code: str | None
    message: str | None
    reason: str
    checks: tuple[Check, ...]
    key_pair_id: str | None = None


def verify(request: ViewerRequest, trusted_keys: Mapping[str, PublicKey], now: float) -> Decision:
    """Judge `request` at `now` (seconds since the epoch) against the keys of the behavior's trusted key groups.

    `trusted_keys` maps key-pair ids to public keys. A request that carries any signing parameter is judged as a
    signed URL alone; otherwise its cookies count. Raises for no request; `InputError` for keys that are not loaded.
    """
    for key in trusted_keys.values():
        refuse_text(key, "a trusted key", "load it with PublicKey.load(pem)")
    return _decide(request, trusted_keys, now, always_describe=True)


def judge(request: ViewerRequest, trusted_keys: Mapping[str, PublicKey], now: float) -> Decision:
    """As `verify`, for those who let thousands in each second: `checks` is empty when the request is allowed.

    To write down what was seen takes longer than to see it.
    """
    return _decide(request, trusted_keys, now, always_describe=False)


def refusal_for(reason: str) -> Refusal:
    """CloudFront's answer to a request that fails for `reason`, the slug of a decision or a check."""
    return _REFUSALS.get(reason, ACCESS_DENIED)


def _decide(
    request: ViewerRequest, trusted_keys: Mapping[str, PublicKey], now: float, *, always_describe: bool
) -> Decision:
    shown = presented(request.url, request.cookie)
    key_pair_id = shown.key_pair_id
    key = trusted_keys.get(key_pair_id)
    seen = _see(shown, key, request.ip, now)
    reason = next(filter(None, seen.values()), None)
    checks = _described(seen, request, shown, trusted_keys, now) if reason or always_describe else ()
    if reason is None:
        return Decision(True, 200, None, None, "allowed", checks, key_pair_id)
    refusal = refusal_for(reason)
    return Decision(False, refusal.status, refusal.code, refusal.message, reason, checks, key_pair_id or None)


def _see(shown: Presented, key: PublicKey | None, ip: str, now: float) -> dict[str, str]:
    """Every check that is made, in its order, with the reason why it fails or an empty text.

    The first that fails decides the answer; later ones are still made, to be described.
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
    seen: Mapping[str, str],
    request: ViewerRequest,
    shown: Presented,
    trusted_keys: Mapping[str, PublicKey],
    now: float,
) -> tuple[Check, ...]:
    """What was seen, in words."""
    if "policy" not in seen:
        return (Check("key-pair-id", False, excerpt(""), seen["key-pair-id"]),)
    policy, signature = shown.policy, shown.signature
    unknown = f"{excerpt(shown.key_pair_id)} is not among {_listed(trusted_keys)}"
    details = {
        "key-pair-id": excerpt(shown.key_pair_id),
        "trusted-key": unknown if seen["trusted-key"] else f"{shown.key_pair_id} is trusted",
    }
    if isinstance(policy, Fault):
        details["policy"] = policy.detail
    else:
        details["policy"] = "custom policy" if shown.custom else "canned policy"
        details |= _conditions(seen, policy, shown.url, request.ip, now)
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
    """CloudFront's answer to a refused request, to the byte and without a newline."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    ).encode()


def credentials_of(request: ViewerRequest) -> tuple[dict[str, str], str]:
    """The signing parameters that count, by their query names, and the URL without any: see `credentials`."""
    return credentials(request.url, request.cookie)


def _within(address: str, network: str) -> bool:
    """Whether an IPv4 viewer is in `network`. A viewer over IPv6 never is, not even in 0.0.0.0/0: assumed."""
    try:
        viewer = ipaddress.ip_address(address)
        if isinstance(viewer, ipaddress.IPv6Address):
            # An IPv4 connection to a dual-stack socket; no address on the wire looks like this.
            viewer = viewer.ipv4_mapped or viewer
        return viewer in _range(network)
    except ValueError:
        return False


def _is_genuine(key: PublicKey, signed: bytes, signature: bytes, algorithm: HashAlgorithm) -> bool:
    try:
        _remember_genuine(key, signed, signature, algorithm)
    except _NotGenuineError:
        return False
    return True


class _NotGenuineError(Exception):
    """Raised rather than returned: what is raised is not kept, so that nobody fills the memory with forgeries."""


@lru_cache(maxsize=8192)
def _remember_genuine(key: PublicKey, signed: bytes, signature: bytes, algorithm: HashAlgorithm) -> None:
    # The thousandth part of a video comes with the signature of the first: whether it is the key's over these bytes
    # never changes. Time, address and resource are judged anew for every request.
    if not key.verify(signed, signature, algorithm):
        raise _NotGenuineError


_range = lru_cache(maxsize=1024)(ipaddress.IPv4Network)


def _listed(trusted_keys: Mapping[str, PublicKey]) -> str:
    return f"the trusted keys: {', '.join(sorted(trusted_keys)[:20]) or 'there are none'}"


def _printable(text: str) -> str:
    """`text` of a viewer's, for a terminal or a log: nothing in it moves a cursor or ends a line."""
    return text if text.isascii() and text.isprintable() else ascii(text)


def _when(seconds: float) -> str:
    try:
        return _second(math.floor(seconds))
    except (ValueError, OverflowError, OSError):
        return str(seconds)


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    # Writing out a time takes longer than all the rest that is done for a check; the same seconds come again and again.
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
