"""`keyfront authz`: the edge's decision as a service for nginx, Caddy, Traefik and Envoy."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from keyfront.cli.asked import key_files
from keyfront.cli.countries import Countries, networks
from keyfront.cli.extras import needs
from keyfront.cli.options import AsJson, Connection, Drain, Stale, connects, listening_address
from keyfront.cli.output import show, show_json, warn
from keyfront.cli.times import span
from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.edge.authz.protection import Rules


class _Following(NamedTuple):
    """The seconds between two readings, and the maximum age of the last good one."""

    refresh: float
    stale: float


@connects
def authz(
    front: Annotated[
        Literal["nginx", "caddy", "traefik", "envoy"],
        typer.Option("--front", help="The front door that asks. It decides which headers are trusted."),
    ],
    trust: Annotated[
        list[str] | None,
        typer.Option("--trust", metavar="ID=FILE", help="A trusted key: its id and its public key. Repeatable."),
    ] = None,
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="DIR", help="A folder of trusted public keys, each named ID.pem.")
    ] = None,
    protect: Annotated[
        list[str] | None,
        typer.Option(
            "--protect",
            metavar="PATTERN",
            help="A path pattern that requires a signature, such as '/private/*'. Repeatable. Default: all paths.",
        ),
    ] = None,
    public: Annotated[
        list[str] | None,
        typer.Option(
            "--public",
            metavar="PATTERN",
            help="A path pattern that requires no signature. It comes before --protect. Repeatable.",
        ),
    ] = None,
    methods: Annotated[
        Literal["read", "all"],
        typer.Option("--methods", help="read: only GET and HEAD. all: also methods that change something."),
    ] = "read",
    distribution: Annotated[
        str | None,
        typer.Option(
            "--distribution",
            metavar="ID",
            help="Decide like this distribution of the account, instead of --trust and --protect.",
        ),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(
            "--root",
            metavar="DIR",
            help="The served folder. If its file system ignores case, the patterns ignore case as well.",
        ),
    ] = None,
    ignore_case: Annotated[
        bool | None,
        typer.Option(
            "--ignore-case/--match-case",
            help="Whether /private/* protects /PRIVATE/x. Default: as --root's file system; without --root, yes on "
            "macOS and Windows.",
            show_default=False,
        ),
    ] = None,
    countries: Countries = None,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="The port to listen on.")
    ] = 9180,
    proxies: Annotated[
        int,
        typer.Option(
            "--proxies",
            metavar="N",
            min=0,
            max=16,
            help="How many trusted proxies are in front of Caddy, Traefik or Envoy. Their addresses end "
            "X-Forwarded-For.",
        ),
    ] = 0,
    refresh: Annotated[
        float, typer.Option("--refresh", metavar="SECONDS", min=0.05, max=86400, help="Read keys again this often.")
    ] = 10.0,
    stale: Stale = "1h",
    drain: Drain = "30s",
    log: Annotated[
        Literal["nothing", "refusals", "decisions"],
        typer.Option("--log", help="What to log on standard error, one line each, without query strings."),
    ] = "refusals",
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Tell a front door whether a request is allowed, until Ctrl-C.

    The decision is the same as CloudFront's. It works with nginx's auth_request, Caddy's forward_auth, Traefik's
    ForwardAuth and Envoy's ext_authz; docs/authz.md has a configuration for each. Port 0 means any free port. SIGHUP
    reads keys and configuration again.

    \b
    Examples:
      keyfront authz --front nginx --trust K2JCJMDEHXQW5F=public_key.pem --protect '/private/*'
      keyfront authz --front caddy --keys /etc/keyfront/keys
      keyfront authz --front nginx --distribution E2EXAMPLE
    """
    with needs("cli,backend"):
        from keyfront.edge.authz.fronts import FRONTS
        from keyfront.edge.authz.server import run
        from keyfront.edge.authz.service import responder
    if not listening_address(host).is_loopback:
        warn(f"other machines can reach {host}: anyone who reaches the port can ask which requests are allowed")
    if proxies and front == "nginx":
        raise InputError("--proxies is for X-Forwarded-For: with nginx, set $remote_addr instead (set_real_ip_from)")
    ignoring = _ignores_case(ignore_case, root)
    _log_to_stderr()
    following = _Following(refresh, span(stale, "--stale").total_seconds())
    drained = span(drain, "--drain").total_seconds()
    files = (trust, keys, protect, public)
    if distribution is not None:
        if any(each is not None for each in files) or methods != "read":
            raise InputError(
                "--distribution decides what is protected: leave out --trust, --keys, --protect, --public and --methods"
            )
        rules = _account(distribution, connection, following)
    else:
        rules = _files(trust or [], keys, protect or [], public or [], methods, following)

    def ready(number: int) -> None:
        url = f"http://{f'[{host}]' if ':' in host else host}:{number}"
        if as_json:
            show_json({"url": url, "front": front, "ignore_case": ignoring})
        else:
            show(f"keyfront authz answers {front} on {url}; Ctrl-C stops it")

    known = networks(countries)
    respond = responder(FRONTS[front], rules, proxies=proxies, log=log, ignore_case=ignoring, countries=known)
    run(respond, rules, host, port, ready, drain_seconds=drained)


def _ignores_case(wanted: bool | None, root: Path | None) -> bool:
    from keyfront.core.letter_case import usual
    from keyfront.edge.authz.served_folder import ignores_case

    ignored = usual() if root is None else ignores_case(root)
    where = "this machine's file systems" if root is None else root
    if wanted is False and root is not None and ignored:
        raise InputError(
            f"--match-case: {root} ignores case, or it is not known: /PRIVATE/x could serve files that /private/* "
            "protects; leave out --match-case, or --root if another folder is served"
        )
    if wanted is None and ignored:
        warn(f"{where} may read /PRIVATE/x as /private/x, so patterns ignore case")
    return ignored if wanted is None else wanted


def _files(
    trust: list[str], keys: Path | None, protect: list[str], public: list[str], methods: str, following: _Following
) -> "Rules":
    from keyfront.edge.authz.protection import ALL_METHODS, FILES, READING, Files, Rules
    from keyfront.edge.request.admission import Door

    if not trust and keys is None:
        raise InputError("no key is trusted: give --trust ID=FILE, --keys DIR or --distribution ID")
    allowed = ALL_METHODS if methods == "all" else READING
    files = Files(key_files(trust), keys, protect, public, allowed)
    return Rules(
        files.read, Door(distribution_id=FILES, any_host=True), seconds=following.refresh, stale=following.stale
    )


def _account(distribution: str, connection: Connection, following: _Following) -> "Rules":
    from keyfront.cli.cloudfront import cloudfront
    from keyfront.edge.authz.protection import LiveDistribution, Rules
    from keyfront.edge.request.admission import Door

    with cloudfront(connection) as client:
        live, door = LiveDistribution(client, distribution), Door(distribution_id=distribution)
        return Rules(live.read, door, seconds=following.refresh, stale=following.stale)


def _log_to_stderr() -> None:
    import logging

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("keyfront").setLevel(logging.INFO)


def register(app: typer.Typer) -> None:
    """Add `keyfront authz` to the application."""
    app.command("authz")(authz)
