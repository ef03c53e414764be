"""`keyfront up`: a CloudFront, the rest of AWS and the download backend on this machine."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

from keyfront.cli.allowed import host, origin
from keyfront.cli.countries import Countries, networks
from keyfront.cli.extras import needs
from keyfront.cli.options import AccessLogs, AdminPort, AsJson, Drain, Log, RenewAuthority
from keyfront.cli.times import seconds, span


def up(
    content: Annotated[
        Path | None,
        typer.Option(
            "--content", metavar="DIR", help="Sell the files in this folder; without it, a small shop that comes along."
        ),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="PORT", min=0, max=65535, help="The AWS endpoint: CloudFront, S3, SSM and the rest."
        ),
    ] = 4566,
    http_port: Annotated[
        int, typer.Option("--http-port", metavar="PORT", min=0, max=65535, help="The edge, over HTTP.")
    ] = 8080,
    https_port: Annotated[
        int, typer.Option("--https-port", metavar="PORT", min=0, max=65535, help="The edge, over HTTPS.")
    ] = 8443,
    backend_port: Annotated[
        int, typer.Option("--backend-port", metavar="PORT", min=0, max=65535, help="The shop.")
    ] = 8000,
    addressing: Annotated[
        Literal["host", "port"],
        typer.Option(
            "--addressing",
            case_sensitive=False,
            help="How a distribution is reached. host: by a name of its own, ID.cloudfront.localhost, which curl and "
            "browsers resolve. port: by a port of its own on localhost, which Python, Node and Terraform reach too.",
        ),
    ] = "host",
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="DIR",
            help="Keep everything in this directory, keys included, and go on from there at the next start. Without it "
            "all but the keys is gone when it stops.",
        ),
    ] = None,
    edges: Annotated[
        int,
        typer.Option(
            "--edges",
            metavar="N",
            min=1,
            max=64,
            help="So many edge locations, each a process. They share the edge's ports, and each has its own as well.",
        ),
    ] = 1,
    propagation_delay: Annotated[
        str,
        typer.Option(
            "--propagation-delay",
            metavar="T",
            help="How long a change takes to the last edge location (90s, 5m); the others have it before, each at its "
            "own moment. A distribution is Deployed when the last has it.",
        ),
    ] = "0s",
    countries: Countries = None,
    log: Log = None,
    access_logs: AccessLogs = None,
    admin_port: AdminPort = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain/--no-explain",
            help="Refusals by the signature check name their finding in a header, X-Keyfront-Finding.",
        ),
    ] = True,
    enforce_iam: Annotated[
        bool,
        typer.Option(
            "--enforce-iam",
            help="Let roles and users do only what their policies allow, such as a function's role; a refusal's log "
            "line names what is missing. Credentials that the endpoint did not hand out (test) may do everything.",
        ),
    ] = False,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-origin",
            metavar="ORIGIN",
            help="Let web pages of this origin (http://localhost:5173) call the endpoint, for an application in "
            "development. Otherwise no web page may. Give it once for each origin.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="Let the endpoint answer to this name as well as to localhost; .NAME means every name below it. A "
            "network that can spoof the name can then let a web page in.",
        ),
    ] = None,
    drain: Drain = "30s",
    renew_authority: RenewAuthority = False,
    as_json: AsJson = False,
) -> None:
    """Run all of it on this machine, CloudFront included, until Ctrl-C.

    Starts an AWS endpoint, an edge and a shop, and sets up what a reader of CloudFront's guide would: a key pair, a
    trusted key group, a private bucket with the content, a distribution. Prints where everything is, and a curl
    line for each step. Port 0 takes any that is free.

    \b
    Examples:
      keyfront up
      keyfront up --content ~/Music --backend-port 9000
      keyfront up --edges 3 --propagation-delay 20s
      keyfront up --log decisions --admin-port 9180
    """
    with needs("local"):
        from keyfront.local.admin import ObservationOptions
        from keyfront.local.up import Options, run
    run(
        Options(
            allowed_hosts=tuple(map(host, allow_host or ())),
            allowed_origins=tuple(map(origin, allow_origin or ())),
            content=content,
            port=port,
            http_port=http_port,
            https_port=https_port,
            backend_port=backend_port,
            addressing=addressing,
            state=state,
            edges=edges,
            propagation_delay=seconds(propagation_delay, "--propagation-delay", most=timedelta(days=1)),
            countries=networks(countries),
            observing=ObservationOptions(log == "decisions", access_logs, admin_port),
            explain=explain,
            enforce_iam=enforce_iam,
            drain_seconds=span(drain, "--drain").total_seconds(),
            renew_authority=renew_authority,
            json=as_json,
        )
    )


def register(app: typer.Typer) -> None:
    """Add `keyfront up` to the application."""
    app.command("up")(up)
