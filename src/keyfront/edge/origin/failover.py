"""Origin failover: in an origin group, a request goes to the second origin if the first one fails.

Source: Developer Guide, "Optimize high availability with CloudFront origin failover": for GET, HEAD and OPTIONS, if the
first origin gives one of the group's status codes, cannot be connected to, or does not answer in time. Every request
goes to the first origin first.
"""

import logging
from collections.abc import Callable
from typing import Final

from keyfront.edge.behaviors import Behavior
from keyfront.edge.cache.objects import Entry
from keyfront.edge.cache.ranges import well_formed
from keyfront.edge.configuration import Distribution
from keyfront.edge.exchange import Exchange
from keyfront.edge.origin.client import OriginRequest, OriginResponse, Origins
from keyfront.edge.origin.failures import OriginError
from keyfront.edge.request.forwarding import origin_headers, select_query
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import Headers

_log = logging.getLogger(__name__)

_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_PART: Final = frozenset({b"range", b"if-range"})
_CONDITION: Final = frozenset({b"if-none-match", b"if-modified-since"})


async def ask(origins: Origins, exchange: Exchange, known: Entry | None) -> tuple[Behavior, OriginResponse]:
    """Return the origin's response, and the behavior with the origin that sent it. Raises `OriginError`.

    With `known`, an expired object, the request asks whether the object has changed.
    """
    viewer = exchange.viewer
    body = exchange.inbound.body() if viewer.has_body else None

    def request(behavior: Behavior) -> OriginRequest:
        return OriginRequest(
            method=viewer.method,
            path=exchange.path,
            query=select_query(exchange.query, behavior.rules.sent_query),
            headers=_headers(viewer, behavior, exchange.distribution, known),
            body=body,
            content_length=viewer.header(b"content-length") if body is not None else "",
        )

    fails_over = viewer.method in _METHODS and body is None
    return await _in_order(origins, exchange.behavior, exchange.distribution, viewer, request, fails_over=fails_over)


async def ask_for_page(
    origins: Origins, behavior: Behavior, distribution: Distribution, asker: Request
) -> tuple[Behavior, OriginResponse]:
    """Return the same for a plain GET that the edge makes itself. Raises `OriginError`."""

    def request(behavior: Behavior) -> OriginRequest:
        return OriginRequest("GET", asker.path, "", _headers(asker, behavior, distribution, None))

    return await _in_order(origins, behavior, distribution, asker, request, fails_over=True)


async def _in_order(
    origins: Origins,
    first: Behavior,
    distribution: Distribution,
    viewer: Request,
    request: Callable[[Behavior], OriginRequest],
    *,
    fails_over: bool,
) -> tuple[Behavior, OriginResponse]:
    failover = first.failover if fails_over else None
    try:
        response = await _ask(origins, first, distribution, viewer, request(first))
    except OriginError as error:
        if failover is None:
            raise
        _log.warning("%s; the request goes to the origin group's second origin", error)
    else:
        if failover is None or response.status not in failover.statuses:
            return first, response
        response.close()
    second = failover.behavior
    return second, await _ask(origins, second, distribution, viewer, request(second))


async def _ask(
    origins: Origins, behavior: Behavior, distribution: Distribution, viewer: Request, asked: OriginRequest
) -> OriginResponse:
    if behavior.origin is None:
        raise OriginError(502, f"distribution {distribution.id} has no origin for {behavior.pattern}")
    return await origins.ask(behavior.origin, behavior, viewer, asked)


def _headers(viewer: Request, behavior: Behavior, distribution: Distribution, known: Entry | None) -> Headers:
    s3 = behavior.origin is not None and behavior.origin.custom is None
    headers = origin_headers(viewer, behavior.rules, via=distribution.via, s3=s3)
    if known is not None:
        headers = [item for item in headers if item[0] not in _PART | _CONDITION]
        if etag := known.fields.get("etag"):
            headers.append((b"if-none-match", etag.encode("latin-1")))
        if known.modified is not None:
            headers.append((b"if-modified-since", known.fields["last-modified"].encode("latin-1")))
    elif not well_formed(viewer.header(b"range")):
        # For a malformed range the viewer gets the whole object, whatever the origin would have sent.
        headers = [item for item in headers if item[0] not in _PART]
    return headers
