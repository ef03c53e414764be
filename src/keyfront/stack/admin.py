"""The operator's port of an edge: metrics of all its processes together, health and readiness."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

States = Callable[[], Mapping[str, bool]]
"""Edge locations by their names, and whether each is as it should be."""


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
