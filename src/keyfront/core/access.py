"""Decides whether a behavior allows a request: first by protocol and method, then by the signature.

Only `keyfront.core.verification` checks signatures. `authorise` calls it once for each file that a path may lead to
(see `keyfront.core.paths`). The edge, `keyfront authz`, `explain` and the middlewares all use this module.

Sources: Developer Guide, "Viewer protocol policy", "Allowed HTTP methods"; API model, ViewerProtocolPolicy.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple, Protocol, TypeVar

from keyfront.core.keys import PublicKey
from keyfront.core.paths import Reading
from keyfront.core.verification import Decision, ViewerRequest, verify


class Rejection(NamedTuple):
    """A refusal or redirect before CloudFront checks any signature."""

    status: int
    reason: str
    """One of keyfront's stable slugs, as in `Decision.reason`."""


BAD_HOST: Final = Rejection(400, "invalid-host")
UNKNOWN_HOST: Final = Rejection(403, "unknown-host")
BAD_PATH: Final = Rejection(400, "invalid-path")
BAD_TARGET: Final = Rejection(400, "invalid-target")
TOO_LARGE: Final = Rejection(413, "too-large")
DISABLED: Final = Rejection(403, "distribution-disabled")  # assumed
HTTPS_ONLY: Final = Rejection(403, "https-only")
BAD_METHOD: Final = Rejection(403, "method-not-allowed")
BAD_BODY: Final = Rejection(403, "body-not-allowed")  # for HEAD: assumed
BAD_COUNTRY: Final = Rejection(403, "geo-restricted")
REDIRECT: Final = Rejection(301, "redirect-to-https")
REDIRECT_WITH_METHOD: Final = Rejection(307, "redirect-to-https")
REDIRECTS: Final = (REDIRECT, REDIRECT_WITH_METHOD)


def refuse_protocol(scheme: str, method: str, policy: str) -> Rejection | None:
    """Return the rejection of a request over `scheme` by a viewer protocol policy, or `None`."""
    if scheme != "http" or policy == "allow-all":
        return None
    if policy != "redirect-to-https":
        return HTTPS_ONLY
    return REDIRECT if method in ("GET", "HEAD") else REDIRECT_WITH_METHOD


def refuse_method(method: str, allowed: Collection[str]) -> Rejection | None:
    """Return the rejection of a method that is not `allowed`, or `None`."""
    return None if method in allowed else BAD_METHOD


def refuse(scheme: str, method: str, policy: str, allowed: Collection[str]) -> Rejection | None:
    """Return a behavior's rejection of the protocol or else of the method, or `None`."""
    return refuse_protocol(scheme, method, policy) or refuse_method(method, allowed)


class Behavior(Protocol):
    """The configuration for a path."""

    @property
    def keys(self) -> Mapping[str, PublicKey] | None:
        """The keys that it trusts, by key-pair id; `None` if the path is not protected."""


B = TypeVar("B", bound=Behavior)


def authorise(
    request: ViewerRequest,
    behavior: B,
    behavior_of: Callable[[str], B],
    ways: tuple[Reading, ...],
    now: float,
    also: Sequence[B] = (),
) -> Decision | None:
    """Check a request against the behavior of its path and the behaviors of the path's other readings.

    Returns the first decision that refuses, or `None` if nothing is protected. `behavior_of` finds the behavior of a
    normalised path. `now` is in seconds since the epoch. `also` are further behaviors that must allow the request.
    """
    decision = _judged(request, behavior, now)
    if len(ways) == 1 and not ways[0].elsewhere and not also:
        return decision
    judged = [behavior]
    for way in ways:
        if decision is not None and not decision.allowed:
            break
        other = behavior_of(way.path)
        if not any(other is each for each in judged):
            judged.append(other)
            decision = _judged(request, other, now) or decision
        if way.elsewhere and other.keys is not None and (decision is None or decision.allowed):
            decision = _covering(request, way.elsewhere, other, now) or decision
    for other in also:
        if decision is not None and not decision.allowed:
            break
        decision = _judged(request, other, now) or decision
    return decision


def _judged(request: ViewerRequest, behavior: Behavior, now: float) -> Decision | None:
    return None if behavior.keys is None else verify(request, behavior.keys, now)


def _covering(request: ViewerRequest, path: str, behavior: Behavior, now: float) -> Decision | None:
    """Return the refusal of a custom policy that covers the URL as sent, but not `path`, which it may lead to.

    A canned policy names one URL and is signed for exactly the bytes that were sent. So it cannot cover another URL
    by accident, and its signature does not verify for another URL.
    """
    location, mark, query = request.url.partition("?")
    site = location[: location.index("/", location.index("://") + 3)]
    elsewhere = ViewerRequest(f"{site}{path}{mark}{query}", request.cookie, request.ip)
    decision = _judged(elsewhere, behavior, now)
    return None if decision is None or decision.allowed or decision.reason == "signature-mismatch" else decision
