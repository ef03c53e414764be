"""Whether a protected path lets a viewer in, however the server behind may read that path.

`keyfront.core.verification` is the one judge; this asks it once for each place that a request may lead to (see
`keyfront.core.paths`). The edge, `keyfront authz` and the middlewares all let a request in through here.
"""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from keyfront.core.keys import PublicKey
from keyfront.core.paths import Reading
from keyfront.core.verification import Decision, ViewerRequest, verify


class Behavior(Protocol):
    """What is configured for a path."""

    @property
    def keys(self) -> Mapping[str, PublicKey] | None:
        """Key-pair ids and keys that it trusts; `None` where nothing is protected."""


B = TypeVar("B", bound=Behavior)

Judge = Callable[[ViewerRequest, Mapping[str, PublicKey], float], Decision]


def authorise(
    request: ViewerRequest,
    behavior: B,
    behavior_of: Callable[[str], B],
    ways: tuple[Reading, ...],
    now: float,
    judge: Judge = verify,
) -> Decision | None:
    """Judge a request by the behavior of its path, and by those of the other readings of it.

    `behavior_of` finds the behavior of a normalised path, `now` is seconds since the epoch. The first decision that
    refuses counts; `None` where nothing is protected. `judge` is `verify`, or the one of `verification` that tells
    less.
    """
    decision = _judged(request, behavior, now, judge)
    if len(ways) == 1 and not ways[0].elsewhere:
        return decision
    judged = [behavior]
    for way in ways:
        if decision is not None and not decision.allowed:
            break
        other = behavior_of(way.path)
        if not any(other is each for each in judged):
            judged.append(other)
            decision = _judged(request, other, now, judge) or decision
        if way.elsewhere and other.keys is not None and (decision is None or decision.allowed):
            decision = _covering(request, way.elsewhere, other, now, judge) or decision
    return decision


def _judged(request: ViewerRequest, behavior: Behavior, now: float, judge: Judge) -> Decision | None:
    return None if behavior.keys is None else judge(request, behavior.keys, now)


def _covering(request: ViewerRequest, path: str, behavior: Behavior, now: float, judge: Judge) -> Decision | None:
    """The refusal of a custom policy that covers the URL as sent, and not the place that it may lead to.

    A canned policy names one URL: it was signed for exactly the bytes that were sent, so there is nothing that it
    could cover by accident, and its signature cannot verify for another URL.
    """
    location, mark, query = request.url.partition("?")
    site = location[: location.index("/", location.index("://") + 3)]
    elsewhere = ViewerRequest(f"{site}{path}{mark}{query}", request.cookie, request.ip)
    decision = _judged(elsewhere, behavior, now, judge)
    return None if decision is None or decision.allowed or decision.reason == "signature-mismatch" else decision
