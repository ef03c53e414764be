"""The edge's ASGI face: one application for each listener, all before the same edge."""

import logging

from keyfront.edge.observation import Desk
from keyfront.edge.origin.failures import BrokenBodyError
from keyfront.edge.pipeline import Edge
from keyfront.edge.request.admission import Door
from keyfront.edge.request.viewer import Request
from keyfront.web.types import ASGIApp, Receive, Scope, Send

_log = logging.getLogger(__name__)


def application(edge: Edge, door: Door, desk: Desk | None = None) -> ASGIApp:
    """What answers the requests that come through `door`, and tells `desk` of each."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            viewer = Request(scope)
            if desk is None:
                await edge.answer(viewer, door, receive, send)
            else:
                with desk.watching(viewer, scope["client"], receive, send) as (watched_receive, watched_send):
                    await edge.answer(viewer, door, watched_receive, watched_send)
        except BrokenBodyError as error:
            # Raised on: the server then ends the connection without the end of the body.
            _log.warning("%s; the viewer's download is broken off with it", error)
            raise
        except Exception:
            _log.exception("a request could not be answered")
            raise

    return app
