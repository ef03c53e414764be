"""One request under way: what the phases hand on, and the viewer's side of the connection."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from keyfront.core.verification import Decision
from keyfront.edge.cache.objects import CacheKey
from keyfront.edge.configuration import Behavior, Distribution
from keyfront.edge.request.viewer import Request
from keyfront.errors import KeyfrontError
from keyfront.web.types import Receive, Send

_SOON_SECONDS: Final = 0.02
"""What is done by then is not worth watching the viewer for, which costs a task."""


class ViewerGoneError(KeyfrontError):
    """The viewer closed the connection before it had sent or read everything."""


@dataclass(slots=True)
class Exchange:
    """A request that was let in, with everything that its answer depends on."""

    viewer: Request
    distribution: Distribution
    behavior: Behavior
    path: str
    """What is fetched: the raw path, or the default root object's."""
    query: str
    """The viewer's own query string, to the byte."""
    key: CacheKey
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


class WhileThere:
    """Cancels what is done within it when the viewer goes away, and raises `ViewerGoneError` in its place.

    What `asyncio.timeout` is for time.
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
