"""Authorise: whether a protected behavior lets a viewer in. `keyfront.core.verification` is the one judge."""

from keyfront.core import access as authorisation
from keyfront.core import verification
from keyfront.core.paths import Reading
from keyfront.core.verification import Decision
from keyfront.edge.configuration import Behavior, Site
from keyfront.edge.request.viewer import ViewerRequest


def authorise(
    viewer: ViewerRequest, site: Site, behavior: Behavior, ways: tuple[Reading, ...], now: float
) -> Decision | None:
    """Judge a request by the behavior of its path, and by those of its other readings (see `keyfront.core.paths`).

    `now` is seconds since the epoch. The first decision that refuses counts; `None` where nothing is protected.
    """
    if behavior.keys is None and len(ways) == 1 and not ways[0].elsewhere:
        return None
    request = verification.ViewerRequest(viewer.url, viewer.header(b"cookie"), viewer.ip)
    return authorisation.authorise(request, behavior, site.behavior, ways, now, verification.judge)
