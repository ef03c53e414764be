"""Arguments and options that several commands share."""

import inspect
import ipaddress
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from keyfront.errors import InputError


@dataclass(frozen=True, slots=True)
class Connection:
    """How a command reaches AWS. boto3 decides the values that are not given. The fields are options of `connects`."""

    endpoint_url: Annotated[
        str | None,
        typer.Option(
            "--endpoint-url",
            metavar="URL",
            help="The URL of the CloudFront API, such as http://127.0.0.1:4566. Default, by boto3: "
            "AWS_ENDPOINT_URL_CLOUDFRONT, AWS_ENDPOINT_URL, the profile, Amazon.",
        ),
    ]
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="A profile of the AWS configuration files.")
    ]
    region: Annotated[
        str | None, typer.Option("--region", metavar="NAME", help="Sign requests for this region. Default: us-east-1.")
    ]


def expands(**groups: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator: a parameter that `groups` names becomes the options that are the fields of its dataclass."""

    def expand(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command)
        options = {name: _options(group) for name, group in groups.items()}

        @wraps(command)
        def expanded(**given: Any) -> None:
            made = {
                name: group(**{each.name: given.pop(each.name) for each in options[name]})
                for name, group in groups.items()
            }
            command(**given, **made)

        parameters: list[inspect.Parameter] = []
        for each in signature.parameters.values():
            parameters += options.get(each.name, [each])
        expanded.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        expanded.__annotations__ = {each.name: each.annotation for each in parameters}
        return expanded

    return expand


def _options(group: type) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None if each.default is MISSING else each.default,
            annotation=group.__annotations__[each.name],
        )
        for each in fields(group)
    ]


def listening_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the address that `--host` gives. Raises `InputError` for a name, which may have several."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        raise InputError(f"--host {host} is not an address: give one, such as 127.0.0.1 or 0.0.0.0") from None


connects = expands(connection=Connection)
"""Decorates a command: its parameter `connection` becomes the options of `Connection`."""


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; errors become JSON too, on standard error.")]

PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="Read the private key's passphrase from the first line of FILE. Default: the environment's "
        "KEYFRONT_PASSPHRASE, or a prompt.",
    ),
]
Expires = Annotated[
    str,
    typer.Option(
        "--expires",
        metavar="TIME",
        help="The expiry: a span from now (90s, 30m, 1h, 7d, 2w), a time with its zone (2030-01-01T00:00:00Z), or "
        "seconds since the epoch.",
    ),
]
MaxLifetime = Annotated[
    str | None,
    typer.Option(
        "--max-lifetime",
        metavar="SPAN",
        help="Refuse lifetimes longer than this, such as 30d. Default: lifetimes over seven days are signed with a "
        "warning, because a signature cannot be revoked.",
    ),
]
Starts = Annotated[
    str | None, typer.Option("--starts", metavar="TIME", help="Not valid before this time; same format as --expires.")
]
ViewerNetwork = Annotated[
    str | None,
    typer.Option(
        "--ip", metavar="CIDR", help="Valid only for viewers at this IPv4 address or range, such as 192.0.2.0/24."
    ),
]
Comment = Annotated[str, typer.Option("--comment", metavar="TEXT", help="A comment of at most 128 characters.")]

AdminPort = Annotated[
    int | None,
    typer.Option(
        "--admin-port",
        metavar="PORT",
        min=0,
        max=65535,
        help="Serve the edge's /metrics (Prometheus), /healthz and /readyz on this port.",
    ),
]
Log = Annotated[
    Literal["decisions"] | None,
    typer.Option("--log", case_sensitive=False, help="decisions: a line for each request, on standard error."),
]
RenewAuthority = Annotated[
    bool,
    typer.Option(
        "--renew-authority",
        help="Make a new certificate authority if the existing one may not sign for a distribution's alias. Browsers "
        "and programs that trust the old one must then trust the new one. Default: the alias is served with a "
        "certificate that does not name it.",
    ),
]
Drain = Annotated[
    str,
    typer.Option(
        "--drain",
        metavar="SPAN",
        help="How long downloads may continue after SIGTERM or Ctrl-C (30s, 5m). A second signal ends them at once.",
    ),
]
Stale = Annotated[
    str,
    typer.Option(
        "--stale",
        metavar="SPAN",
        help="How long to use the last configuration if a new one cannot be read (15m, 1h). After that, everything is "
        "refused until one can be read.",
    ),
]
AccessLogs = Annotated[
    Path | None,
    typer.Option("--access-logs", metavar="DIR", help="Write access logs in CloudFront's format into this folder."),
]
