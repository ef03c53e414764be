"""The console beside the endpoint of `keyfront up`. Its pages are imported with the first request."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from keyfront.console.decisions import Decisions
from keyfront.console.events import Stopping
from keyfront.console.gate import Secrets
from keyfront.local import domain_names
from keyfront.local.clients import session
from keyfront.local.provision import PARAMETER
from keyfront.web.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from keyfront.console.accounts import LiveAccount


class Console:
    """The console of this machine, as an ASGI application."""

    def __init__(self, endpoint: str, http_port: int) -> None:
        """`endpoint` is the URL of the AWS endpoint, `http_port` the edge's port for HTTP."""
        self._endpoint = endpoint
        self._http_port = http_port
        self._known = Secrets()
        self._stopping = Stopping()
        self._made: asyncio.Future[ASGIApp] | None = None
        self.decisions = Decisions()
        """What the edge decides. The edge's reports go there."""

    def address(self, port: int) -> str:
        """Return the address to open, with the token, if the console is served at `port`."""
        return f"http://127.0.0.1:{port}/?token={self._known.token}"

    def stop(self) -> None:
        """End the streams of events, which would otherwise keep connections open."""
        self._stopping.is_asked = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._made is None:
            self._made = asyncio.ensure_future(asyncio.to_thread(self._make))
        app = await asyncio.shield(self._made)
        await app(scope, receive, send)

    def _make(self) -> ASGIApp:
        from keyfront.console.application import console

        return console(
            self._account(),
            self._known,
            read_only=False,
            stopping=self._stopping,
            decisions=self.decisions,
            addresses=self._addresses,
            signer=f"ssm:{PARAMETER}",
        )

    def _account(self) -> "LiveAccount":
        from keyfront.console.accounts import LiveAccount

        connect = self._connect()
        return LiveAccount(f"this machine, {self._endpoint}", lambda: connect("cloudfront"), connect)

    def _connect(self) -> Callable[[str], Any]:
        from botocore.config import Config

        made = session()
        config = Config(proxies={}, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})

        def connect(service: str) -> Any:
            return made.client(service, endpoint_url=self._endpoint, config=config)  # type: ignore[call-overload]

        return connect

    def _addresses(self, domain_name: str) -> Sequence[str]:
        # Browsers do not trust the machine's authority, so plain HTTP comes first.
        return domain_names.plain(domain_name, self._http_port), f"https://{domain_name}"
