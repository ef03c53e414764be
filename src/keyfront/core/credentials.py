"""Reads a request's signing parameters from its URL or its cookies.

The result depends only on these bytes, not on the viewer or the time. This module does not decide anything.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple, cast
from urllib.parse import unquote_to_bytes

from keyfront.core import encoding
from keyfront.core.keys import HashAlgorithm
from keyfront.core.policy import LATEST, Policy, canonical, unchecked
from keyfront.core.urls import SIGNING_PARAMETERS
from keyfront.errors import EncodingError, PolicyError

_COOKIE_PREFIX: Final = "CloudFront-"
_HASH_ALGORITHMS: Final = ("SHA1", "SHA256")
# As JSON writes an integer: a leading zero would be a second way to name the same policy.
_is_number = re.compile(r"0|[1-9][0-9]{0,18}").fullmatch
_REMEMBERED_BYTES: Final = 2048


class Fault(NamedTuple):
    """Why a part of the credentials cannot be used."""

    check: str
    """The check that it fails."""
    reason: str
    """One of keyfront's stable slugs."""
    detail: str
    cause: str = ""
    """The `reason` of the error behind it."""


class Presented(NamedTuple):
    """The credentials of one request."""

    key_pair_id: str
    url: str
    """As the viewer sent it, without the signing parameters."""
    policy: Policy | Fault
    custom: bool
    """Whether the policy came with the request. A canned policy is made from the URL."""
    signed: bytes
    """The bytes that the signature must be over."""
    signature: bytes | Fault
    algorithm: HashAlgorithm


def presented(url: str, cookie: str) -> Presented:
    """Return the credentials of a request for `url` (as sent, to the byte) with this Cookie header. Never raises."""
    # All parts of a video come with the same credentials, so they are cached. Long ones are read each time, so that the
    # cache stays within some 20 MB, whatever viewers send.
    return _remembered(url, cookie) if len(url) + len(cookie) <= _REMEMBERED_BYTES else _presented(url, cookie)


def credentials(url: str, cookie: str) -> tuple[dict[str, str], str]:
    """Return the signing parameters that count, by their query names, and the URL without any.

    Assumed:

    - A parameter that occurs twice is malformed (its values are joined with `&`, which no single value can hold).
    - Of two cookies with one name the first counts: browsers send the one with the longer path first.
    - A cookie's value is not decoded, so a framework that percent-encodes cookies fails here and not in production.
    """
    base, mark, query = url.partition("?")
    if mark:
        found: dict[str, str] = {}
        own: list[str] = []
        for part in query.split("&"):
            name, _, value = part.partition("=")
            if name in SIGNING_PARAMETERS:
                text = _unquoted(value) if "%" in value else value
                found[name] = f"{found[name]}&{text}" if name in found else text
            else:
                own.append(part)
        if found:
            left = "&".join(own)
            return found, f"{base}?{left}" if left else base
    # The signer leaves out a dangling question mark, so it is left out here too.
    return _cookies(cookie), url if query else base


def excerpt(text: str) -> str:
    """Return a viewer's text, quoted and shortened, for an error or a log."""
    return (ascii(text) if len(text) <= 80 else ascii(text[:79]) + "…") if text else "none"


def _presented(url: str, cookie: str) -> Presented:
    given, url = credentials(url, cookie)
    policy, signed = _policy(given, url)
    signature, algorithm = _signature(given)
    return Presented(given.get("Key-Pair-Id", ""), url, policy, "Policy" in given, signed, signature, algorithm)


_remembered = lru_cache(maxsize=4096)(_presented)


def _cookies(header: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in header.split(";"):
        name, _, value = part.strip(" \t").partition("=")
        name = name.removeprefix(_COOKIE_PREFIX) if name.startswith(_COOKIE_PREFIX) else ""
        if name in SIGNING_PARAMETERS:
            found.setdefault(name, value)
    return found


def _policy(given: Mapping[str, str], url: str) -> tuple[Policy | Fault, bytes]:
    """Return the policy that counts and the signed bytes. If both forms are present, `Policy` counts (assumed)."""
    try:
        if "Policy" in given:
            signed = encoding.decode(given["Policy"])
            return Policy.parse(signed), signed
        seconds = _expires(given.get("Expires", ""))
        return (unchecked(url, seconds) if url else Policy(url, seconds)), canonical(url, seconds)
    except EncodingError as error:
        text = f"the policy cannot be decoded: {error}"
        return Fault("policy", "malformed-policy", text, "policy-unreadable"), b""
    except PolicyError as error:
        reason = "missing-policy" if error.reason == "policy-missing" else "malformed-policy"
        return Fault("policy", reason, str(error), error.reason), b""


def _expires(text: str) -> int:
    number = _is_number(text)
    if number and (seconds := int(text)) <= LATEST:
        return seconds
    if not text:
        raise PolicyError("both Policy and Expires are missing", reason="policy-missing")
    reason = "expires-not-a-number"
    if number:
        reason = "expires-in-milliseconds" if len(text) == 13 else "expires-too-late"
    hint = ": it looks like milliseconds" if reason == "expires-in-milliseconds" else ""
    raise PolicyError(
        f"Expires is {excerpt(text)}, not seconds since the epoch up to {LATEST}{hint}",
        reason=reason,
        member="Expires",
        value=text[:40],
    )


def _signature(given: Mapping[str, str]) -> tuple[bytes | Fault, HashAlgorithm]:
    text = given.get("Signature", "")
    if not text:
        return Fault("signature", "missing-signature", "no signature"), "SHA1"
    try:
        signature = encoding.decode(text)
    except EncodingError as error:
        return Fault("signature", "malformed-signature", str(error)), "SHA1"
    algorithm = given.get("Hash-Algorithm", "SHA1")
    if algorithm not in _HASH_ALGORITHMS:
        detail = f"{excerpt(algorithm)} is neither SHA1 nor SHA256"
        return Fault("hash-algorithm", "unknown-hash-algorithm", detail), "SHA1"
    return signature, cast(HashAlgorithm, algorithm)


def _unquoted(value: str) -> str:
    return unquote_to_bytes(value.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogateescape")
