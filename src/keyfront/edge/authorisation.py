"""Authorise: whether a protected behavior lets a viewer in. `keyfront.verification` is the one judge."""

from keyfront import verification
from keyfront.edge.configuration import Behavior, Site
from keyfront.edge.paths import Reading
from keyfront.edge.viewer import ViewerRequest
from keyfront.verification import Decision


def authorise(
    viewer: ViewerRequest, site: Site, behavior: Behavior, readings: tuple[Reading, ...], now: float
) -> Decision | None:
    """Judge a request by the behavior of its path, and by those of the other readings of it (see `paths`).

    `now` is seconds since the epoch. The first decision that refuses counts; `None` where nothing is protected.
    """
    decision = _judge(viewer, viewer.url, behavior, now)
    if len(readings) == 1 and not readings[0].elsewhere:
        return decision
    judged = [behavior]
    for reading in readings:
        if decision is not None and not decision.allowed:
            break
        other = site.behavior(reading.path)
        if not any(other is each for each in judged):
            judged.append(other)
            decision = _judge(viewer, viewer.url, other, now) or decision
        if reading.elsewhere and other.keys is not None and (decision is None or decision.allowed):
            decision = _covering(viewer, reading.elsewhere, other, now) or decision
    return decision


def _judge(viewer: ViewerRequest, url: str, behavior: Behavior, now: float) -> Decision | None:
    if behavior.keys is None:
        return None
    request = verification.ViewerRequest(url, viewer.header(b"cookie"), viewer.ip)
    return verification.verify(request, behavior.keys, now)


def _covering(viewer: ViewerRequest, path: str, behavior: Behavior, now: float) -> Decision | None:
    """The refusal of a custom policy that covers the URL as sent, and not the place that it may lead to.

    A canned policy names one URL: it was signed for exactly the bytes that were sent, so there is nothing that it
    could cover by accident, and its signature cannot verify for another URL.
    """
    query = f"?{viewer.query}" if viewer.query else ""
    decision = _judge(viewer, f"{viewer.scheme}://{viewer.host}{path}{query}", behavior, now)
    return None if decision is None or decision.allowed or decision.reason == "signature-mismatch" else decision
