"""Authorise: whether a protected behavior lets a viewer in. `keyfront.verification` is the one judge."""

from keyfront import authorisation, verification
from keyfront.edge.configuration import Behavior, Site
from keyfront.edge.viewer import ViewerRequest
from keyfront.paths import Reading
from keyfront.verification import Decision


def authorise(
    viewer: ViewerRequest, site: Site, behavior: Behavior, ways: tuple[Reading, ...], now: float
) -> Decision | None:
    """Judge a request by the behavior of its path, and by those of the other readings of it (see `keyfront.paths`).

    `now` is seconds since the epoch. The first decision that refuses counts; `None` where nothing is protected.
    """
    if behavior.keys is None and len(ways) == 1 and not ways[0].elsewhere:
        return None
    request = verification.ViewerRequest(viewer.url, viewer.header(b"cookie"), viewer.ip)
    return authorisation.authorise(request, behavior, site.behavior, ways, now, verification.judge)
