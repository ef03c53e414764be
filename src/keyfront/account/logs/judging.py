"""Judges refused requests again, from what the log shows: why was it refused?

Only `keyfront.core.verification` judges signatures. Where the log does not hold what it needs (the signature is hidden,
or the keys are not known), those checks are left out, and what remains unknown is called so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

from keyfront.core.keys import PublicKey
from keyfront.core.verification import Check, ViewerRequest, verify
from keyfront.explain import Distribution, Finding, explain, from_inventory
from keyfront.explain.values import Stage
from keyfront.inventory import Inventory

NOT_SIGNED: Final = "not-signed"
NOT_THE_SIGNATURE: Final = "not-the-signature"
UNKNOWN: Final = "key-or-signature"

WORDS: Final = {
    NOT_SIGNED: "The request came without a signature",
    NOT_THE_SIGNATURE: "Not the signature: WAF, a country, the method, or the origin",
    UNKNOWN: "A wrong key or signature: the log does not show which",
    "missing-key-pair-id": "The key-pair id is missing",
    "unknown-key": "The key is not trusted there",
    "missing-policy": "The expiry or the policy is missing",
    "malformed-policy": "The policy cannot be read",
    "missing-signature": "The signature is missing",
    "malformed-signature": "The signature cannot be decoded",
    "unknown-hash-algorithm": "The hash algorithm is unknown",
    "signature-mismatch": "The URL or the signature was changed",
    "resource-mismatch": "The policy is for another URL",
    "not-yet-valid": "Not valid yet",
    "expired": "Expired",
    "address-mismatch": "The policy is for another address",
}
"""The reasons, most of them those of a decision, and how a report words them."""

_OF_THE_KEY: Final = ("trusted-key", "signature", "hash-algorithm")
_HIDDEN: Final = ("Signature=hidden", "CloudFront-Signature=hidden")


@dataclass(frozen=True, slots=True)
class Logged:
    """A refused request, with its values as they are in the log."""

    distribution: str
    scheme: str
    host: str
    path: str
    query: str
    cookie: str
    address: str
    at: int
    """When the edge finished its response, in seconds since the epoch."""
    taken: float

    @property
    def request(self) -> ViewerRequest:
        """Return the request as the viewer sent it."""
        query = f"?{decoded(self.query)}" if self.query else ""
        return ViewerRequest(
            f"{self.scheme}://{self.host}{decoded(self.path)}{query}", decoded(self.cookie), self.address
        )

    @property
    def hidden(self) -> bool:
        """Return whether the log holds a hash instead of the signature, as a laptop's does."""
        return any(mark in self.query or mark in self.cookie for mark in _HIDDEN)


def decoded(text: str) -> str:
    """Return a value of a log without CloudFront's percent-encoding, once."""
    return unquote_to_bytes(text).decode("utf-8", "surrogateescape") if "%" in text else text


class LogJudge:
    """Finds the reason of refused requests. With an account it knows which keys each path trusts."""

    def __init__(self, account: Inventory | None = None) -> None:
        self._account = account
        self._distributions: dict[str, Distribution] = {}
        for each in account.distributions if account else ():
            known = from_inventory(each, account)
            self._distributions |= dict.fromkeys((each.id, each.domain_name, *each.aliases), known)
        self._keys = lru_cache(maxsize=4096)(self._trusted)

    def reason(
        self,
        distribution: str,
        scheme: str,
        host: str,
        path: str,
        query: str | None,
        cookie: str | None,
        address: str | None,
        at: int,
        taken: float | None,
    ) -> str:
        """Return the reason of a refused request: a key of `WORDS`. DuckDB calls it for each row. Never raises."""
        logged = Logged(distribution, scheme, host, path, query or "", cookie or "", address or "", at, taken or 0.0)
        keys = self._keys(distribution, path)
        if keys is not None and keys.public:
            return NOT_THE_SIGNATURE
        # The log has the end of the response, in whole seconds: the check was earlier.
        before, after = (self._judged(logged, keys, moment) for moment in (at - logged.taken, at + 1))
        return before if before not in (NOT_THE_SIGNATURE, UNKNOWN) else after

    def findings(self, logged: Logged) -> tuple[Finding, ...]:
        """Return what `explain` finds in a request, errors first."""
        distribution = self._distributions.get(logged.distribution)
        report = explain(logged.request, now=logged.at - logged.taken, distribution=distribution)
        return tuple(
            each
            for each in report.findings
            if each.severity == "error" and not (logged.hidden and each.stage is Stage.SIGNATURE)
        )

    def _judged(self, logged: Logged, keys: "_Trusted | None", now: float) -> str:
        decision = verify(logged.request, keys.keys if keys else {}, now)
        if decision.reason == "missing-key-pair-id":
            signs = ("Signature=", "Policy=", "Expires=", "Hash-Algorithm=")
            return "missing-key-pair-id" if any(each in logged.query + logged.cookie for each in signs) else NOT_SIGNED
        left_out = () if keys and not logged.hidden else _OF_THE_KEY if not keys else _OF_THE_KEY[1:]
        failed = next((check for check in decision.checks if not check.ok and check.name not in left_out), None)
        if failed is not None:
            return _slug(failed)
        return UNKNOWN if left_out else NOT_THE_SIGNATURE

    def _trusted(self, distribution: str, path: str) -> "_Trusted | None":
        known = self._distributions.get(distribution)
        if known is None:
            return None
        behavior = next(iter(known.matching(decoded(path))), None)
        if behavior is None or behavior.keys is None:
            return None
        return _Trusted(behavior.keys, public=not behavior.protected)


@dataclass(frozen=True, slots=True)
class _Trusted:
    keys: Mapping[str, PublicKey]
    public: bool


def _slug(check: Check) -> str:
    return check.reason if check.reason in WORDS else UNKNOWN
