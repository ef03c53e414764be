"""What an operator sees of an edge: logs, and a port with metrics, health and readiness."""

import socket
import time
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
from keyfront.edge.server.settings import EdgeSettings
from keyfront.edge.server.standing import Standing
from keyfront.local.edge_fleet import EdgeFleet
from keyfront.web.local import LocalOnly
from keyfront.web.serving import Listener, bind_loopback

if TYPE_CHECKING:
    from starlette.requests import Request

Alive = Callable[[], Mapping[str, bool]]
"""Whether the process of each edge location runs, by name."""

Standings = Callable[[], Mapping[str, Standing]]
"""The state of each edge location's configuration, by name."""


@dataclass(frozen=True)
class ObservationOptions:
    """The options for logs and the admin port."""

    log_decisions: bool = False
    """Whether to write a line for each request to standard error."""
    access_logs: Path | None = None
    """The folder for access logs."""
    admin_port: int | None = None
    """0 takes any free port."""

    def settings(self, settings: EdgeSettings) -> EdgeSettings:
        """Return `settings` with these logs. Raises `InputError` for a folder that cannot be written to."""
        logs = self.access_logs.absolute() if self.access_logs else None
        if logs is not None:
            AccessLog(logs, domain_name=str).close()
        return replace(settings, log_decisions=self.log_decisions, access_logs=logs)


class AdminPort:
    """The operator's port. It is bound at once, answers from `start` on, and closes with the stack."""

    def __init__(self, port: int, stack: AsyncExitStack) -> None:
        """Bind the port. Raises `PortError`."""
        self._stack = stack
        self._sockets: list[socket.socket] = bind_loopback(port, option="another with --admin-port")
        for bound in self._sockets:
            stack.callback(bound.close)
        self.metrics = Path(stack.enter_context(TemporaryDirectory(prefix="keyfront-metrics-")))
        """The folder for the metrics of the edge's processes."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._sockets[0].getsockname()[1]}"

    def start(self, edges: EdgeFleet) -> None:
        """Start to answer."""
        app = LocalOnly(application(self.metrics, alive=edges.alive, standings=edges.standings))
        for bound in self._sockets:
            listener = Listener(app, bound)
            listener.start()
            self._stack.push_async_callback(listener.stop)


def application(metrics: Path, *, alive: Alive, standings: Standings) -> Starlette:
    """Return the application of the admin port.

    `/metrics` shows the metrics of all processes in Prometheus's format. `/healthz` is 200 if every location's process
    runs. `/readyz` is 200 if each location has a configuration that is not too old and has a key in each trusted key
    group.
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
            Route("/healthz", lambda _: _health(alive())),
            Route("/readyz", lambda _: _readiness(standings())),
        ]
    )


def _health(states: Mapping[str, bool]) -> Response:
    return _lines({name: "ok" if runs else "does not run" for name, runs in states.items()}, fine=all(states.values()))


def _readiness(states: Mapping[str, Standing]) -> Response:
    now = time.monotonic()
    said = {name: standing.says(now) for name, standing in states.items()}
    return _lines(said, fine=all(standing.ready for standing in states.values()))


def _lines(said: Mapping[str, str], *, fine: bool) -> Response:
    lines = [f"{name} {what}\n" for name, what in said.items()]
    return PlainTextResponse("".join(lines), status_code=200 if said and fine else 503)
