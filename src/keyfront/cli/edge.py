"""`keyfront edge`: enforce an account's configuration on your own server."""

from pathlib import Path
from typing import Annotated

import typer

from keyfront.cli.countries import Countries, networks
from keyfront.cli.extras import needs
from keyfront.cli.options import AccessLogs, AdminPort, AsJson, Drain, Log, RenewAuthority, Stale
from keyfront.cli.times import span
from keyfront.errors import InputError


def edge(
    config: Annotated[
        list[Path] | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="The output of `aws cloudfront get-distribution-config`, or of get-key-group, get-public-key, "
            "get-cache-policy and the like. Repeatable. Default: follow the account through the CloudFront API, by "
            "boto3's own rules.",
        ),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            "--keys",
            metavar="DIR",
            help="Public keys for --config: GROUP/KEY.pem, named after the ids of the key group and the key. With a "
            "single key group, KEY.pem is enough.",
        ),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", metavar="ID=URL", help="Another address for an origin of --config. Repeatable."),
    ] = None,
    endpoint_url: Annotated[
        str | None, typer.Option("--endpoint-url", metavar="URL", help="The CloudFront API, if it is not Amazon's.")
    ] = None,
    region: Annotated[str, typer.Option("--region", metavar="NAME", help="The region of S3 origins.")] = "us-east-1",
    http_port: Annotated[
        int, typer.Option("--http-port", metavar="PORT", min=0, max=65535, help="The port for HTTP.")
    ] = 8080,
    https_port: Annotated[
        int, typer.Option("--https-port", metavar="PORT", min=0, max=65535, help="The port for HTTPS.")
    ] = 8443,
    stale: Stale = "1h",
    drain: Drain = "30s",
    countries: Countries = None,
    admin_port: AdminPort = None,
    workers: Annotated[
        int,
        typer.Option("--workers", metavar="N", min=1, max=64, help="The number of processes, each with its own cache."),
    ] = 1,
    log: Log = None,
    access_logs: AccessLogs = None,
    directory: Annotated[
        Path, typer.Option("--directory", metavar="DIR", help="The folder of the certificate authority.")
    ] = Path(".keyfront"),
    renew_authority: RenewAuthority = False,
    as_json: AsJson = False,
) -> None:
    """Run an edge alone, until Ctrl-C. It decides, caches and serves as the configuration says.

    SIGHUP reads the configuration and the certificate again.

    \b
    Examples:
      aws cloudfront get-distribution-config --id E2ABC > shop.json
      keyfront edge --config shop.json --keys keys/ --origin files=http://127.0.0.1:9000
      keyfront edge --workers 2 --admin-port 9180 --log decisions
    """
    if not config and (keys is not None or origin):
        raise InputError("--keys and --origin need --config FILE: without it, the account has both")
    if config and endpoint_url is not None:
        raise InputError("give --config or --endpoint-url, not both: each is a source of the configuration")
    with needs("local"):
        from keyfront.local.admin import ObservationOptions
        from keyfront.local.edge_alone import EdgeOptions, run
    run(
        EdgeOptions(
            files=tuple(config or ()),
            keys=keys,
            origins=dict(map(_assignment, origin or ())),
            endpoint_url=endpoint_url,
            region=region,
            http_port=http_port,
            https_port=https_port,
            workers=workers,
            stale_seconds=span(stale, "--stale").total_seconds(),
            drain_seconds=span(drain, "--drain").total_seconds(),
            countries=networks(countries),
            observing=ObservationOptions(log == "decisions", access_logs, admin_port),
            directory=directory,
            renew_authority=renew_authority,
            json=as_json,
        )
    )


def _assignment(text: str) -> tuple[str, str]:
    name, equals, url = text.partition("=")
    if not (name and equals and url):
        raise InputError(f"--origin {text!r} is not an origin: write ID=URL, such as files=http://127.0.0.1:9000")
    return name, url


def register(app: typer.Typer) -> None:
    """Add `keyfront edge` to the application."""
    app.command("edge")(edge)
