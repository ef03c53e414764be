"""`keyfront console`: pages over an account's keys, key groups and behaviors, for a browser on this machine."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyfront.cli.extras import needs
from keyfront.cli.options import AsJson, Connection, connects
from keyfront.cli.output import say, show, show_json
from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.console.accounts import Account
    from keyfront.console.log_summary import LogReader


@connects
def console(
    port: Annotated[
        int | None,
        typer.Option(
            "--port", metavar="PORT", min=0, max=65535, help="The console's port. Default: 4567, or any free port."
        ),
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Refuse every change.")] = False,
    config: Annotated[
        list[Path] | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Show a saved configuration instead of an account, read-only: the output of `aws cloudfront "
            "get-distribution-config`, `list-key-groups`, `list-public-keys`. Repeatable.",
        ),
    ] = None,
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="DIR", help="With --config: a folder of public keys.")
    ] = None,
    access_log: Annotated[
        list[str] | None,
        typer.Option(
            "--access-log",
            metavar="SOURCE",
            help="Show what access logs say: a file, a folder, or s3://BUCKET/PREFIX. Repeatable.",
        ),
    ] = None,
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Serve the console on this machine until Ctrl-C, and print its address.

    The address has a token: whoever has it can use the console. Only this machine can reach it.

    \b
    Examples:
      keyfront console --profile production --read-only
      keyfront console --endpoint-url http://127.0.0.1:4566
      keyfront console --config distribution.json --keys public_keys
    """
    if keys is not None and not config:
        raise InputError("--keys needs --config: an account has its own keys")
    with needs("console"):
        from keyfront.console.serving import serve
    account = _saved(config, keys) if config else _live(connection)

    logs = _logs(access_log, account) if access_log else None

    def tell(url: str) -> None:
        if as_json:
            show_json({"console": url})
            return
        show(url)
        say(f"The console of {account.name}{' (read-only)' if read_only or config else ''}. Ctrl-C stops it.")

    serve(account, port=port, read_only=read_only or bool(config), tell=tell, logs=logs)


def _saved(files: list[Path], keys: Path | None) -> "Account":
    from keyfront.console.accounts import SavedAccount
    from keyfront.inventory.files import read_files

    load = partial(read_files, files, keys=keys)
    load()  # so that a wrong file is an error of the command
    return SavedAccount(", ".join(each.name for each in files), load)


def _live(connection: Connection) -> "Account":
    from keyfront.cli.cloudfront import any_service, cloudfront
    from keyfront.console.accounts import LiveAccount

    with cloudfront(connection) as client:
        endpoint = client.meta.endpoint_url
    amazon = endpoint == "https://cloudfront.amazonaws.com"
    name = f"profile {connection.profile}" if connection.profile else "Amazon CloudFront" if amazon else endpoint
    return LiveAccount(name, lambda: client, any_service(connection))


def _logs(sources: list[str], account: "Account") -> "LogReader":
    with needs("logs"):
        import duckdb  # noqa: F401  to say what is missing
    from keyfront.console.log_summary import LogReader

    return LogReader(sources, account, partial(account.connect, "s3"))


def register(app: typer.Typer) -> None:
    """Add `keyfront console` to the application."""
    app.command("console")(console)
