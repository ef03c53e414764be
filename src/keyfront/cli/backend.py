"""`keyfront backend`: the download backend in production."""

from typing import Annotated, Literal

import typer

from keyfront.cli.extras import needs
from keyfront.cli.options import AsJson, listening_address
from keyfront.cli.output import show, show_json
from keyfront.cli.times import span
from keyfront.errors import InputError


def backend(
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on; 0.0.0.0 is every one.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="The port to listen on.")
    ] = 8000,
    workers: Annotated[
        int,
        typer.Option(
            "--workers", metavar="N", min=1, max=64, envvar="WEB_CONCURRENCY", help="The number of processes."
        ),
    ] = 1,
    trusted_proxies: Annotated[
        list[str] | None,
        typer.Option(
            "--trusted-proxy",
            metavar="CIDR",
            envvar="TRUSTED_PROXIES",
            help="A network whose X-Forwarded-For, -Proto and -Host are believed, such as 10.0.0.0/8. Repeatable.",
        ),
    ] = None,
    drain: Annotated[
        str,
        typer.Option("--drain", metavar="SPAN", help="How long responses may continue after SIGTERM or Ctrl-C."),
    ] = "30s",
    log_format: Annotated[
        Literal["text", "json"],
        typer.Option("--log-format", envvar="LOG_FORMAT", help="How to write log lines, on standard error."),
    ] = "text",
    log_requests: Annotated[
        bool, typer.Option("--log-requests", help="Log a line for each request, without its query string.")
    ] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            "--metrics-port", metavar="PORT", min=0, max=65535, help="Serve /metrics for Prometheus on this port."
        ),
    ] = None,
    metrics_host: Annotated[
        str, typer.Option("--metrics-host", metavar="ADDRESS", help="The address of --metrics-port.")
    ] = "127.0.0.1",
    as_json: AsJson = False,
) -> None:
    """Run the download backend until SIGTERM or Ctrl-C. Its settings are environment variables.

    docs/backend.md lists them. Required are CLOUDFRONT_DOMAIN, SIGNER, and how tokens are checked. Requests under way
    at SIGTERM are answered.

    \b
    Examples:
      keyfront backend
      keyfront backend --host 0.0.0.0 --workers 2 --trusted-proxy 10.0.0.0/8
      keyfront backend --log-format json --metrics-port 9180
    """
    seconds = span(drain, "--drain").total_seconds()
    if seconds < 1:
        raise InputError(f"--drain {drain!r} is less than a second: give at least 1s")
    with needs("cli,backend"):
        from keyfront.backend.asgi.server import ServerOptions, run
        from keyfront.web.forwarded import trusted_networks
    options = ServerOptions(
        host=str(listening_address(host)),
        port=port,
        workers=workers,
        trusted=trusted_networks(trusted_proxies or ()),
        drain_seconds=round(seconds),
        log_format=log_format,
        log_requests=log_requests,
        metrics_host=metrics_host,
        metrics_port=metrics_port,
    )

    def ready(url: str, metrics: str | None) -> None:
        if as_json:
            show_json({"url": url, "metrics": metrics})
        else:
            show(f"keyfront backend answers on {url}{f', metrics on {metrics}' if metrics else ''}; Ctrl-C stops it")

    run(options, ready)


def register(app: typer.Typer) -> None:
    """Add `keyfront backend` to the application."""
    app.command("backend")(backend)
