"""An edge in front of an endpoint's distributions, in the endpoint's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING

from botocore.credentials import Credentials

from keyfront.edge.configuration import configure
from keyfront.edge.origin.client import Origins
from keyfront.edge.pipeline import Edge
from keyfront.edge.request.admission import Door
from keyfront.edge.server.asgi import application
from keyfront.inventory import read
from keyfront.web.serving import Listener, bind

if TYPE_CHECKING:
    from tests.local.aws.conftest import Running

Answer = tuple[int, list[tuple[str, str]], bytes]


@contextmanager
def edge_before(endpoint: Running) -> Iterator[int]:
    """An edge that serves the distributions as they are now; its port for HTTP."""
    configuration = configure(read(endpoint.client("cloudfront")))

    async def start() -> tuple[Origins, Listener]:
        origins = Origins(endpoint_url=endpoint.url, credentials=lambda: Credentials("test", "test"))
        edge = Edge(origins)
        edge.configuration = configuration
        listener = Listener(application(edge, Door()), bind("127.0.0.1", 0))
        listener.start()
        return origins, listener

    origins, listener = asyncio.run_coroutine_threadsafe(start(), endpoint.loop).result(30)
    yield listener.port

    async def stop() -> None:
        await listener.stop()
        await origins.aclose()

    asyncio.run_coroutine_threadsafe(stop(), endpoint.loop).result(30)


def ask(port: int, domain: str, path: str, **headers: str) -> Answer:
    """The edge's answer: status, headers and body."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", path, headers={"Host": domain, **named})
    got = connection.getresponse()
    held = got.status, got.getheaders(), got.read()
    connection.close()
    return held
