"""What an operator sees of an edge: what is logged, and a port with metrics, health and readiness."""

import socket
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from keyfront.edge.observation.access_log import AccessLog
from keyfront.edge.settings import EdgeSettings
from keyfront.serving import Listener, bind_loopback
from keyfront.stack.edges import Edges

if TYPE_CHECKING:
    from starlette.requests import Request

States = Callable[[], Mapping[str, bool]]
"""Edge locations by their names, and whether each is as it should be."""


@dataclass(frozen=True)
class Observing:
    """What is wanted of it."""

    log_decisions: bool = False
    """A line for each request, on standard error."""
    access_logs: Path | None = None
    """A folder for access logs."""
    admin_port: int | None = None
    """0: any that is free."""

    def settings(self, settings: EdgeSettings) -> EdgeSettings:
        """`settings`, with the logs in them. Raises `InputError` for a folder that cannot be written to."""
        logs = self.access_logs.absolute() if self.access_logs else None
        if logs is not None:
            AccessLog(logs, domain_name=str).close()
        return replace(settings, log_decisions=self.log_decisions, access_logs=logs)


class AdminPort:
    """The operator's port, taken when this is made and answered from `start`; it closes with the stack."""

    def __init__(self, port: int, stack: AsyncExitStack) -> None:
        """Raises `PortError`."""
        self._stack = stack
        self._sockets: list[socket.socket] = bind_loopback(port, option="another with --admin-port")
        for bound in self._sockets:
            stack.callback(bound.close)
        self.metrics = Path(stack.enter_context(TemporaryDirectory(prefix="keyfront-metrics-")))
        """The folder into which the edge's processes count."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._sockets[0].getsockname()[1]}"

    def start(self, edges: Edges) -> None:
        """Answer from now on."""
        app = application(self.metrics, alive=edges.alive, ready=edges.ready)
        for bound in self._sockets:
            listener = Listener(app, bound)
            listener.start()
            self._stack.push_async_callback(listener.stop)


def application(metrics: Path, *, alive: States, ready: States) -> Starlette:
    """`/metrics` in Prometheus's format, from the folder that the processes write into; `/healthz`; `/readyz`.

    Healthy: every location's process runs. Ready: each has read the account, so that it knows what to serve.
    """

    def show_metrics(_: "Request") -> Response:
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(metrics))  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/metrics", show_metrics),
            Route("/healthz", lambda _: _states(alive(), "does not run")),
            Route("/readyz", lambda _: _states(ready(), "has not read the account yet")),
        ]
    )


def _states(states: Mapping[str, bool], otherwise: str) -> Response:
    lines = [f"{name} {'ok' if fine else otherwise}\n" for name, fine in states.items()]
    return PlainTextResponse("".join(lines), status_code=200 if states and all(states.values()) else 503)
