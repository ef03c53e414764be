"""One request under way: what the phases hand on, and the viewer's side of the connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from keyfront.edge.cache import Key
from keyfront.edge.configuration import Behavior, Site
from keyfront.edge.responding import Send
from keyfront.edge.viewer import ViewerRequest
from keyfront.errors import KeyfrontError
from keyfront.serving import Message
from keyfront.verification import Decision

Receive = Callable[[], Awaitable[Message]]


class ViewerGoneError(KeyfrontError):
    """The viewer closed the connection before it had sent or read everything."""


@dataclass(slots=True)
class Exchange:
    """A request that was let in, with everything that its answer depends on."""

    viewer: ViewerRequest
    site: Site
    behavior: Behavior
    path: str
    """What is fetched: the raw path, or the default root object's."""
    query: str
    """The viewer's own query string, to the byte."""
    key: Key
    send: Send
    inbound: "Inbound"
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request, for the log: decided before its body is sent. It holds no query string."""

    request_id: bytes
    at: float
    distribution_id: str
    ip: str
    method: str
    url: str
    """Without the query string, in which the signature is."""
    status: int
    cache: str
    """CloudFront's word for it: `Hit`, `Miss`, `RefreshHit`, `Error`, `Redirect`."""
    reason: str
    """Why it was refused, as a stable slug of ours, or `allowed`."""
    decision: Decision | None
    """The judgement on a protected behavior's request."""


class Inbound:
    """What comes from the viewer once the headers are there: the body, and in the end its going away."""

    def __init__(self, receive: Receive, *, has_body: bool) -> None:
        self._receive = receive
        self._body_read = asyncio.Event()
        if not has_body:
            self._body_read.set()

    async def body(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises `ViewerGoneError` when it breaks off."""
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                raise ViewerGoneError("the viewer went away while it sent a body")
            if message["body"]:
                yield message["body"]
            if not message["more_body"]:
                self._body_read.set()
                return

    async def gone(self) -> None:
        """Return when the viewer has closed the connection."""
        await self._body_read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
