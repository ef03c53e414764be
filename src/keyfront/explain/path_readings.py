"""Other ways an origin may read a path. A request that is allowed as sent may be refused for one of them.

`keyfront.core.paths` has the readings and `keyfront.core.access` checks them, both here and at the edge. So `explain`
never says that a request is allowed if keyfront's edge refuses it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from keyfront.core.access import Rejection, authorise, refuse
from keyfront.core.keys import PublicKey
from keyfront.core.paths import readings
from keyfront.core.verification import Decision, ViewerRequest
from keyfront.explain.configuration import Distribution


@dataclass(frozen=True, slots=True)
class _Rule:
    keys: Mapping[str, PublicKey] | None
    rejection: Rejection | None = None


def refused_elsewhere(
    request: ViewerRequest,
    path: str,
    distribution: Distribution | None,
    keys: Mapping[str, PublicKey],
    now: float,
    method: str,
) -> Decision | Rejection | None:
    """Return the first refusal of `request` under any reading of `path`, or `None`.

    `keys` are trusted if the distribution's keys are not known. `now` is seconds since the epoch.
    """
    if not path.startswith("/"):
        return None
    if distribution is None:
        everywhere = _Rule(keys)
        decision = authorise(request, everywhere, lambda _: everywhere, readings(path), now)
    else:
        rules = {
            id(each): _Rule(
                None if not each.protected else keys if each.keys is None else each.keys,
                refuse(request.url.partition("://")[0].lower(), method, each.viewer_protocol_policy, each.methods),
            )
            for each in distribution.behaviors
        }
        ways = readings(distribution.asked(path))

        def rule_of(way: str) -> _Rule:
            return rules[id(distribution.taking(way)[0])]

        if rejection := next(filter(None, (rule_of(way.path).rejection for way in ways)), None):
            return rejection
        decision = authorise(request, rule_of(ways[0].path), rule_of, ways, now)
    return decision if decision is not None and not decision.allowed else None
