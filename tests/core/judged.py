"""Signed requests, and `judge`: the decision on a request, checked against its own checks."""

import re
from collections.abc import Mapping
from typing import Any

from tests.keys import shared_rsa

from keyfront import Decision, Signer, SigningKey, ViewerRequest, verify
from keyfront.core.encoding import encode

NOW = 1_900_000_000
KEY_ID = "K2JCJMDEHXQW5F"
HOST = "https://d111111abcdef8.cloudfront.net"
FILE = f"{HOST}/images/horizon.jpg"
RSA, ECDSA, OTHER = shared_rsa(), SigningKey.generate("ecdsa"), SigningKey.generate("ecdsa")
TRUSTED = {KEY_ID: ECDSA.public_key}
SIGNER = Signer(KEY_ID, ECDSA, clock=lambda: NOW)

CODES = {
    "MissingKey": "Missing Key-Pair-Id query parameter or cookie value",
    "InvalidKey": "Unknown Key",
    "MalformedPolicy": "Malformed Policy",
    "MalformedSignature": "Could not unencode Signature",
    "AccessDenied": "Access denied",
}


def judge(url: str, cookie: str = "", ip: str = "192.0.2.7", now: float = NOW) -> Decision:
    decision = verify(ViewerRequest(url, cookie, ip), TRUSTED, now)
    first = next((check for check in decision.checks if not check.ok), None)
    if decision.allowed:
        assert (decision.status, decision.code, decision.message, decision.reason) == (200, None, None, "allowed")
        assert first is None
    else:
        assert decision.status == 403
        assert decision.code is not None
        assert decision.message == CODES[decision.code]
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+|expired", decision.reason)
        assert first is not None
    assert all(check.detail.isprintable() for check in decision.checks)
    return decision


def by_hand(policy: bytes, key: SigningKey = ECDSA, hash_algorithm: Any = "SHA1", **replaced: str) -> dict[str, str]:
    """The parameters of a custom policy as some other program would put them together."""
    signature = key.sign(policy, hash_algorithm)
    parameters = {"Policy": encode(policy), "Signature": encode(signature), "Key-Pair-Id": KEY_ID}
    if hash_algorithm == "SHA256":
        parameters["Hash-Algorithm"] = "SHA256"
    return {**parameters, **replaced}


def query(parameters: Mapping[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in parameters.items())


def cookies(parameters: Mapping[str, str]) -> str:
    return "; ".join(f"CloudFront-{name}={value}" for name, value in parameters.items())


def document(condition: str = '{"DateLessThan":{"AWS:EpochTime":1900000060}}', resource: str = FILE) -> bytes:
    return f'{{"Statement":[{{"Resource":"{resource}","Condition":{condition}}}]}}'.encode()


CANNED = SIGNER.sign_url(FILE, expires=NOW + 60)
CUSTOM = SIGNER.sign_url(FILE, expires=NOW + 60, starts=NOW - 60, ip="192.0.2.0/24")
POLICY = document()
GOOD = by_hand(POLICY)
