"""The one judge: what CloudFront answers to a viewer's request for protected content, and why.

Source: Developer Guide, "How CloudFront validates signed URLs" and "… signed cookies". Time, keys and the
request come in as values; nothing here reads a clock, a file or a socket, and no input raises.
"""

import ipaddress
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple, cast
from urllib.parse import unquote_to_bytes

from keyfront import encoding
from keyfront.errors import EncodingError, PolicyError
from keyfront.keys import HashAlgorithm, PublicKey
from keyfront.policy import LATEST, Policy
from keyfront.resource import covers
from keyfront.urls import SIGNING_PARAMETERS, without_signing_parameters

__all__ = [
    "Check",
    "Decision",
    "Refusal",
    "ViewerRequest",
    "credentials_of",
    "error_body",
    "verify",
    "without_signing_parameters",
]

_COOKIE_PREFIX: Final = "CloudFront-"
_HASH_ALGORITHMS: Final = ("SHA1", "SHA256")
# As JSON writes an integer: a leading zero would be a second way to ask for the same policy.
_SECONDS = re.compile(r"0|[1-9][0-9]{0,18}")


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
    """One step of the judgement, and what it saw. (A tuple: six are made for each request, and these are made fast.)"""

    name: str
    ok: bool
    detail: str


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


@dataclass(slots=True)
class _Judgement:
    """The checks so far; the first that fails decides the answer, later ones are still told."""

    checks: list[Check] = field(default_factory=list)
    refusal: Refusal | None = None
    reason: str = "allowed"

    def see(self, name: str, ok: bool, detail: str, refusal: Refusal, reason: str) -> bool:
        self.checks.append(Check(name, ok, detail))
        if not ok and self.refusal is None:
            self.refusal, self.reason = refusal, reason
        return ok

    def decide(self, key_pair_id: str | None) -> Decision:
        refused = self.refusal
        return Decision(
            allowed=refused is None,
            status=200 if refused is None else refused.status,
            code=refused.code if refused else None,
            message=refused.message if refused else None,
            reason=self.reason,
            checks=tuple(self.checks),
            key_pair_id=key_pair_id,
        )


def verify(request: ViewerRequest, trusted_keys: Mapping[str, PublicKey], now: float) -> Decision:
    """Judge `request` at `now` (seconds since the epoch) against the keys of the behavior's trusted key groups.

    `trusted_keys` maps key-pair ids to public keys. A request that carries any signing parameter is judged as a
    signed URL alone; otherwise its cookies count. Never raises.
    """
    judgement = _Judgement()
    see = judgement.see
    credentials, url = credentials_of(request)

    key_pair_id = credentials.get("Key-Pair-Id", "")
    if not see("key-pair-id", bool(key_pair_id), _shown(key_pair_id), MISSING_KEY, "missing-key-pair-id"):
        return judgement.decide(None)
    key = trusted_keys.get(key_pair_id)
    trusted = f"{key_pair_id} is trusted" if key else f"{_shown(key_pair_id)} is not among {_listed(trusted_keys)}"
    see("trusted-key", key is not None, trusted, INVALID_KEY, "unknown-key")

    try:
        policy, signed = _policy(credentials, url)
    except PolicyError as error:
        given = "Policy" in credentials or credentials.get("Expires")
        reason = "malformed-policy" if given else "missing-policy"
        see("policy", False, str(error), MALFORMED_POLICY, reason)
        return judgement.decide(key_pair_id)
    custom = "Policy" in credentials
    see("policy", True, "custom policy" if custom else "canned policy", MALFORMED_POLICY, "malformed-policy")

    _see_signature(judgement, credentials, key, signed)
    covered = not custom or policy.resource is None or covers(policy.resource, url)
    verb = "covers" if covered else "does not cover"
    resource = f"{_printable(policy.resource or 'any')} {verb} {_printable(url)}"
    see("resource", covered, resource, ACCESS_DENIED, "resource-mismatch")
    if policy.starts is not None:
        starts = f"valid after {_when(policy.starts)}, asked at {_when(now)}"
        see("starts", now > policy.starts, starts, ACCESS_DENIED, "not-yet-valid")
    expires = f"valid before {_when(policy.expires)}, asked at {_when(now)}"
    see("expires", now < policy.expires, expires, ACCESS_DENIED, "expired")
    if policy.ip is not None:
        within = _within(request.ip, policy.ip)
        viewer = _printable(request.ip) or "an unknown address"
        address = f"{viewer} is {'in' if within else 'not in'} {policy.ip}"
        see("address", within, address, ACCESS_DENIED, "address-mismatch")
    return judgement.decide(key_pair_id)


def error_body(code: str, message: str) -> bytes:
    """CloudFront's answer to a refused request, to the byte and without a newline."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    ).encode()


def credentials_of(request: ViewerRequest) -> tuple[dict[str, str], str]:
    """The signing parameters that count, by their query names, and the URL without any.

    Assumed: a parameter that stands twice is refused as malformed (no single value can hold the `&` that joins
    them here); of two cookies with one name the first counts, which browsers send for the longer path; a cookie's
    value is taken as it is, so that a framework which percent-encodes cookies is noticed here and not in production.
    """
    base, mark, query = request.url.partition("?")
    if mark:
        credentials: dict[str, str] = {}
        own: list[str] = []
        for part in query.split("&"):
            name, _, value = part.partition("=")
            if name in SIGNING_PARAMETERS:
                text = _unquoted(value) if "%" in value else value
                credentials[name] = f"{credentials[name]}&{text}" if name in credentials else text
            else:
                own.append(part)
        if credentials:
            left = "&".join(own)
            return credentials, f"{base}?{left}" if left else base
    # The signer leaves out a dangling question mark, and so does the judge.
    return _cookies(request.cookie), request.url if query else base


def _cookies(header: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in header.split(";"):
        name, _, value = part.strip(" \t").partition("=")
        name = name.removeprefix(_COOKIE_PREFIX) if name.startswith(_COOKIE_PREFIX) else ""
        if name in SIGNING_PARAMETERS:
            found.setdefault(name, value)
    return found


def _policy(credentials: Mapping[str, str], url: str) -> tuple[Policy, bytes]:
    """The policy that counts and the bytes that were signed. With both forms present `Policy` counts (assumed)."""
    if "Policy" in credentials:
        try:
            signed = encoding.decode(credentials["Policy"])
        except EncodingError as error:
            raise PolicyError(f"the policy cannot be decoded: {error}") from None
        return Policy.parse(signed), signed
    expires = credentials.get("Expires", "")
    if not expires:
        raise PolicyError("neither Policy nor Expires is there")
    if not _SECONDS.fullmatch(expires) or int(expires) > LATEST:
        hint = ": it looks like milliseconds" if _SECONDS.fullmatch(expires) and len(expires) == 13 else ""
        raise PolicyError(f"Expires is {_shown(expires)}, not seconds since the epoch up to {LATEST}{hint}")
    policy = Policy(url, int(expires))
    return policy, policy.to_bytes()


def _see_signature(judgement: _Judgement, credentials: Mapping[str, str], key: PublicKey | None, signed: bytes) -> None:
    see = judgement.see
    text = credentials.get("Signature", "")
    if not text:
        see("signature", False, "no signature", MALFORMED_SIGNATURE, "missing-signature")
        return
    try:
        signature = encoding.decode(text)
    except EncodingError as error:
        see("signature", False, str(error), MALFORMED_SIGNATURE, "malformed-signature")
        return
    algorithm = credentials.get("Hash-Algorithm", "SHA1")
    if algorithm not in _HASH_ALGORITHMS:
        detail = f"{_shown(algorithm)} is neither SHA1 nor SHA256"
        see("hash-algorithm", False, detail, ACCESS_DENIED, "unknown-hash-algorithm")
        return
    if key is not None:
        genuine = _is_genuine(key, signed, signature, cast(HashAlgorithm, algorithm))
        detail = f"{'is' if genuine else 'is not'} this key's over the policy, with {algorithm}"
        see("signature", genuine, detail, ACCESS_DENIED, "signature-mismatch")


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


def _unquoted(value: str) -> str:
    return unquote_to_bytes(value.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogateescape")


def _listed(trusted_keys: Mapping[str, PublicKey]) -> str:
    return f"the trusted keys: {', '.join(sorted(trusted_keys)[:20]) or 'there are none'}"


def _shown(text: str) -> str:
    return (ascii(text) if len(text) <= 80 else ascii(text[:79]) + "…") if text else "none"


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
