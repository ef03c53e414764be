"""An endpoint for moto's tests, in a process of its own: their resets empty every service of the process.

Prints its address, and runs until it is ended. With an id as its argument, that origin access identity is there after
each reset: moto's tests name one that they do not make.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any

from keyfront.local.aws import Endpoint
from keyfront.local.controlplane import ControlPlane
from keyfront.local.controlplane.asgi import application
from keyfront.local.controlplane.store import Resource
from keyfront.web.serving import Listener, bind
from keyfront.web.types import ASGIApp

_EDGE = "edge"


def deploying(plane: ControlPlane) -> ASGIApp:
    """CloudFront's API with an edge that has each change as soon as it is answered, and is slow to invalidate."""
    answer = application(plane)
    plane.propagation.register(_EDGE)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(scope, receive, send)
        store = plane._account.store
        with store.transaction():
            plane.propagation.applied(_EDGE, {d.id: d.etag for d in store.distributions})

    return app


async def main(identity: str | None) -> None:
    plane = ControlPlane()

    def reset() -> None:
        plane.reset()
        store, now = plane._account.store, datetime.now(UTC)
        if identity:
            with store.transaction():
                config: Any = {"CallerReference": identity, "Comment": ""}
                store.origin_access_identities.put(Resource(identity, "E1", config, now, now))

    listener = Listener(Endpoint(deploying(plane), plane=plane, moto_api=True, reset=reset), bind("127.0.0.1", 0))
    listener.start()
    print(f"http://127.0.0.1:{listener.port}", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
