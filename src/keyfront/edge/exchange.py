"""One request under way: the values that phases pass on, and the viewer's side of the connection."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, NamedTuple

from keyfront.core.verification import Decision
from keyfront.edge.behaviors import Behavior
from keyfront.edge.cache.objects import CacheKey
from keyfront.edge.configuration import Distribution
from keyfront.edge.request.viewer import Request
from keyfront.errors import KeyfrontError
from keyfront.web.types import Receive, Send

_SOON_SECONDS: Final = 0.02
"""Work that ends within this time does not watch the viewer, since that costs a task."""


class ViewerGoneError(KeyfrontError):
    """The viewer closed the connection before it sent or read everything."""


@dataclass(slots=True)
class Exchange:
    """A request that was let in, with everything that its response depends on."""

    viewer: Request
    distribution: Distribution
    behavior: Behavior
    path: str
    """The path to fetch: the raw path, or the default root object's."""
    query: str
    """The viewer's own query string, unchanged."""
    key: CacheKey
    send: Send
    inbound: "Inbound"
    decision: Decision | None


class Outcome(NamedTuple):
    """The outcome of a request for the log, known before the response's body is sent. It has no query string."""

    request_id: bytes
    at: float
    distribution_id: str
    ip: str
    method: str
    url: str
    """Without the query string, which contains the signature."""
    status: int
    cache: str
    """CloudFront's cache result: `Hit`, `Miss`, `RefreshHit`, `Error` or `Redirect`."""
    reason: str
    """The reason of the refusal, a stable slug of ours, or `allowed`."""
    decision: Decision | None
    """The decision on the signature, if the behavior is protected."""


class Inbound:
    """What comes from the viewer after the headers: the body, and the end of the connection."""

    def __init__(self, receive: Receive, *, has_body: bool) -> None:
        self._receive = receive
        self._body_read = asyncio.Event()
        if not has_body:
            self._body_read.set()

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives. Raises `ViewerGoneError` if it breaks off."""
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
        """Wait until the viewer has closed the connection."""
        await self._body_read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


class WhileThere:
    """A context manager that cancels its block when the viewer goes away, and then raises `ViewerGoneError`.

    It works like `asyncio.timeout`, with the viewer in place of a time.
    """

    def __init__(self, inbound: Inbound) -> None:
        self._inbound = inbound
        self._watch: asyncio.Task[None] | None = None
        self._is_over = self._is_gone = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._timer = asyncio.get_running_loop().call_later(_SOON_SECONDS, self._begin)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._is_over = True
        self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()
        if (
            self._is_gone
            and self._task.uncancel() == 0
            and kind is not None
            and issubclass(kind, asyncio.CancelledError)
        ):
            raise ViewerGoneError("the viewer went away") from error

    def _begin(self) -> None:
        self._watch = asyncio.ensure_future(self._inbound.gone())
        self._watch.add_done_callback(self._ended)

    def _ended(self, watch: "asyncio.Task[None]") -> None:
        if not self._is_over and not watch.cancelled():
            watch.exception()
            self._is_gone = True
            self._task.cancel()
