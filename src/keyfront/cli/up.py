"""`keyfront up`: run CloudFront, other AWS services and the download backend on this machine."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

from keyfront.cli.allowed import host, origin
from keyfront.cli.countries import Countries, networks
from keyfront.cli.extras import needs
from keyfront.cli.options import AccessLogs, AdminPort, AsJson, Drain, Log, RenewAuthority
from keyfront.cli.output import show
from keyfront.cli.times import seconds, span


def up(
    context: typer.Context,
    content: Annotated[
        Path | None,
        typer.Option("--content", metavar="DIR", help="Sell the files in this folder. Default: a small built-in shop."),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            "--port",
            metavar="PORT",
            min=0,
            max=65535,
            help="The AWS endpoint's port: CloudFront, S3, SSM and the rest.",
        ),
    ] = 4566,
    http_port: Annotated[
        int, typer.Option("--http-port", metavar="PORT", min=0, max=65535, help="The edge's port for HTTP.")
    ] = 8080,
    https_port: Annotated[
        int, typer.Option("--https-port", metavar="PORT", min=0, max=65535, help="The edge's port for HTTPS.")
    ] = 8443,
    backend_port: Annotated[
        int, typer.Option("--backend-port", metavar="PORT", min=0, max=65535, help="The shop's port.")
    ] = 8000,
    console_port: Annotated[
        int | None,
        typer.Option(
            "--console-port",
            metavar="PORT",
            min=0,
            max=65535,
            help="The console's port. Default: the port after the endpoint's, or any free port.",
        ),
    ] = None,
    addressing: Annotated[
        Literal["host", "port"],
        typer.Option(
            "--addressing",
            case_sensitive=False,
            help="How to reach a distribution. host: by its own name, ID.cloudfront.localhost, which curl and "
            "browsers resolve. port: by its own port on localhost, which Python, Node and Terraform can use as well.",
        ),
    ] = "host",
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="DIR",
            help="Keep everything between runs in this folder, including keys. Default: only the keys are kept.",
        ),
    ] = None,
    edges: Annotated[
        int,
        typer.Option(
            "--edges",
            metavar="N",
            min=1,
            max=64,
            help="The number of edge locations, each a process. They share the edge's ports, and each also has its "
            "own.",
        ),
    ] = 1,
    propagation_delay: Annotated[
        str,
        typer.Option(
            "--propagation-delay",
            metavar="T",
            help="How long a change takes to reach the last edge location (90s, 5m). The others get it earlier, at "
            "different times. A distribution is Deployed when the last location has the change.",
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
            help="Whether refusals by the signature check name their finding in the header X-Keyfront-Finding.",
        ),
    ] = True,
    enforce_iam: Annotated[
        bool,
        typer.Option(
            "--enforce-iam",
            help="Hold roles and users to their policies, such as a function's role. The log line of a refusal names "
            "the missing permission. Credentials that the endpoint did not issue (such as test) may do everything.",
        ),
    ] = False,
    node_sdk: Annotated[
        Path | None,
        typer.Option(
            "--node-sdk",
            metavar="DIR",
            help="Give Node.js functions the clients of AWS SDK version 3 in this folder, as Lambda does. Make it with "
            "npm install --prefix DIR @aws-sdk/client-ssm, and the other clients that they use.",
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-origin",
            metavar="ORIGIN",
            help="Let web pages of this origin (http://localhost:5173) call the endpoint, for an application in "
            "development. By default no web page may. Repeatable.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="Let the endpoint answer to this name as well as to localhost. .NAME means every name below it. A "
            "network that can spoof the name can then give a web page access. Repeatable.",
        ),
    ] = None,
    drain: Drain = "30s",
    renew_authority: RenewAuthority = False,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            help="Run in the background, and return when everything runs. Prints the process id; `kill` with it ends "
            "everything. For tests in any language, with --json.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run everything on this machine, CloudFront included, until Ctrl-C.

    Starts an AWS endpoint, an edge and a shop. Sets up private content as CloudFront's guide describes: a key pair, a
    trusted key group, a private bucket with the content, and a distribution. Prints every address, and a curl command
    for each step. Port 0 means any free port.

    \b
    Examples:
      keyfront up
      keyfront up --content ~/Music --backend-port 9000
      keyfront up --edges 3 --propagation-delay 20s
      keyfront up --log decisions --admin-port 9180
      keyfront up --wait --json --port 0 --http-port 0 --https-port 0 --backend-port 0
    """
    with needs("local"):
        from keyfront.local.admin import ObservationOptions
        from keyfront.local.up import Options, run
    options = Options(
        allowed_hosts=tuple(map(host, allow_host or ())),
        allowed_origins=tuple(map(origin, allow_origin or ())),
        content=content,
        port=port,
        http_port=http_port,
        https_port=https_port,
        backend_port=backend_port,
        console_port=console_port,
        addressing=addressing,
        state=state,
        edges=edges,
        propagation_delay=seconds(propagation_delay, "--propagation-delay", most=timedelta(days=1)),
        countries=networks(countries),
        observing=ObservationOptions(log == "decisions", access_logs, admin_port),
        explain=explain,
        enforce_iam=enforce_iam,
        node_sdk=node_sdk,
        drain_seconds=span(drain, "--drain").total_seconds(),
        renew_authority=renew_authority,
        json=as_json,
    )
    if wait:
        _start_in_background(
            [each for each in context.obj[1:] if each not in ("--wait", "--json")], options.home, as_json
        )
    else:
        run(options)


def _start_in_background(arguments: list[str], home: Path, as_json: bool) -> None:
    from keyfront.local.background import start

    made = start(arguments, home)
    if as_json:
        show(json.dumps(made))
        return
    for name in ("console", "shop", "endpoint"):
        show(f"{name.capitalize():<9} {made[name]}")
    show(f"Edge      {made['edge']['http']}")
    show(f"Log       {made['log']}")
    show(f"It runs in the background. To stop it: kill {made['pid']}")


def register(app: typer.Typer) -> None:
    """Add `keyfront up` to the application."""
    app.command("up")(up)
