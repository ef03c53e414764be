"""The decision on a request: route, admit, geo restriction, authorise. The edge and `keyfront authz` both call it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from keyfront.core import access, verification
from keyfront.core.access import Rejection
from keyfront.core.letter_case import folded_matcher
from keyfront.core.paths import readings
from keyfront.core.verification import Decision
from keyfront.edge.behaviors import Behavior
from keyfront.edge.configuration import Configuration, Distribution
from keyfront.edge.request.admission import Door, admit, rejected, route
from keyfront.edge.request.geography import Country, is_blocked
from keyfront.edge.request.staging import goes_to_staging
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import EdgeResponse, refused


@dataclass(slots=True)
class Admitted:
    """A request that is let in, with its distribution, behavior and path."""

    distribution: Distribution
    behavior: Behavior
    path: str
    """The raw path, or the default root object's."""
    decision: Decision | None
    """The decision on the signature; `None` if the behavior is public."""


@dataclass(slots=True)
class TurnedAway:
    """A request that is refused or redirected."""

    answer: EdgeResponse
    distribution: Distribution | None = None
    """`None` if the request is not for any distribution."""
    behavior: Behavior | None = None


def decide(
    configuration: Configuration,
    door: Door,
    viewer: Request,
    now: float,
    country_of: Country,
    *,
    ignore_case: bool = False,
) -> Admitted | TurnedAway:
    """Decide whether `viewer` is let in at `now` (seconds since the epoch); if not, the result has the response.

    The behavior of every reading of the path (see `keyfront.core.paths`) must let the request in: its protocol and
    method as well as its signature (assumed). With `ignore_case`, every behavior that matches the path in any case
    must let it in, too.
    """
    distribution = route(configuration, door, viewer)
    if isinstance(distribution, Rejection):
        return TurnedAway(rejected(distribution, door, viewer))
    if distribution.traffic is not None and goes_to_staging(distribution.traffic.policy, viewer, now):
        distribution = distribution.traffic.staging
    # A request for / is judged as a request for the default root object: assumed.
    path = distribution.root if distribution.root and viewer.path == "/" else viewer.path
    ways = readings(path)
    behavior = distribution.behavior(ways[0].path)
    also = [each for way in ways for each in _spelt_otherwise(distribution, way.path)] if ignore_case else ()
    others = (*(distribution.behavior(way.path) for way in ways), *also) if len(ways) > 1 or also else ()
    rejection = admit(viewer, behavior) or _first_rejection(viewer, others)
    restriction = distribution.geo_restriction
    if rejection is None and restriction is not None and is_blocked(restriction, viewer, country_of):
        rejection = access.BAD_COUNTRY
    if rejection is not None:
        return TurnedAway(rejected(rejection, door, viewer), distribution, behavior)
    decision = None
    if behavior.keys is not None or others or ways[0].elsewhere:
        request = verification.ViewerRequest(viewer.url, viewer.header(b"cookie"), viewer.ip)
        decision = access.authorise(request, behavior, distribution.behavior, ways, now, also)
    if decision is not None and not decision.allowed:
        return TurnedAway(refused(decision), distribution, behavior)
    return Admitted(distribution, behavior, path, decision)


def _first_rejection(viewer: Request, behaviors: Sequence[Behavior]) -> Rejection | None:
    for behavior in behaviors:
        if (rejection := admit(viewer, behavior)) is not None:
            return rejection
    return None


def _spelt_otherwise(distribution: Distribution, path: str) -> Iterator[Behavior]:
    """Yield the behaviors that match `path` only if case is ignored, up to the one that matches it exactly."""
    for behavior in distribution.behaviors:
        if behavior.matches(path[1:]):
            return
        if folded_matcher(behavior.pattern)(path[1:]):
            yield behavior
