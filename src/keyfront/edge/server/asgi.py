"""The edge's ASGI applications: one for each listener, all for the same edge."""

import logging

from keyfront.edge.observation import Desk
from keyfront.edge.origin.failures import BrokenBodyError
from keyfront.edge.pipeline import Edge
from keyfront.edge.request.admission import Door
from keyfront.edge.request.viewer import Request
from keyfront.web.types import ASGIApp, Receive, Scope, Send

_log = logging.getLogger(__name__)


def application(edge: Edge, door: Door, desk: Desk | None = None) -> ASGIApp:
    """Return the application that answers the requests of `door`. `desk` watches each one."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            viewer = Request(scope)
            if desk is None or not desk.is_watching:
                await edge.answer(viewer, door, receive, send)
                return
            witness = desk.watch(viewer, send)
            try:
                await edge.answer(viewer, door, witness.receiving(receive), witness.send)
            finally:
                desk.end(witness)
        except BrokenBodyError as error:
            # The server then closes the connection without ending the body.
            _log.warning("%s; the viewer's download is broken off, too", error)
            raise
        except Exception:
            _log.exception("a request could not be answered")
            raise

    return app
