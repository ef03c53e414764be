"""One process of `keyfront backend`: the application, with the operator's wishes around it."""

from collections.abc import Sequence
from dataclasses import dataclass

from keyfront.backend.asgi.adapter import ASGIRequest, Observe
from keyfront.backend.asgi.app import create_app
from keyfront.backend.asgi.log_lines import log_request
from keyfront.backend.service.exchange import ServiceResponse
from keyfront.backend.service.settings import Settings
from keyfront.errors import KeyfrontError
from keyfront.web.forwarded import Forwarded, Network
from keyfront.web.types import ASGIApp


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What each process gets from the one that starts it. The settings are in the environment."""

    trusted: tuple[Network, ...]
    """The networks of proxies whose `X-Forwarded-*` headers are believed."""
    log_requests: bool
    metrics: bool
    """Whether to count requests. Then `PROMETHEUS_MULTIPROC_DIR` is set."""


def load(options: WorkerOptions) -> ASGIApp:
    """Return the application of this process."""
    try:
        settings = Settings.from_environment()
        keystore = settings.open_keystore(check=True)
        observers: list[Observe] = [log_request] if options.log_requests else []
        if options.metrics:
            # Imported late: it needs the folder for the metrics.
            from keyfront.backend.asgi.metrics import RequestMetrics

            observers.append(RequestMetrics(lambda: keystore.counts.age).observe)
        app = create_app(settings, keystore=keystore, observe=_all(observers) if observers else None)
    except KeyfrontError as error:
        # granian would print a traceback and hide the one line that matters.
        raise SystemExit(f"keyfront: {error}") from None
    return Forwarded(app, options.trusted)


def _all(observers: Sequence[Observe]) -> Observe:
    def observe(request: ASGIRequest, answer: ServiceResponse, seconds: float) -> None:
        for each in observers:
            each(request, answer, seconds)

    return observe
