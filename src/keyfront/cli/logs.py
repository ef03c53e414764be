"""`keyfront logs`: who used which key, why viewers were refused, and who shares links, from access logs."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from keyfront.cli.extras import needs
from keyfront.cli.options import AsJson, Connection, expands
from keyfront.cli.output import Json, say, show, show_json, warn
from keyfront.cli.times import moment
from keyfront.errors import InputError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from keyfront.account.logs.analysis import AccessLogs
    from keyfront.account.logs.values import Progress
    from keyfront.inventory import Inventory

STOPPED = 130

_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_Sources = Annotated[
    list[str],
    typer.Argument(metavar="SOURCE...", help="Access logs: files, folders, or s3://BUCKET/PREFIX; also a HAR file."),
]


@dataclass(frozen=True, slots=True)
class Reading:
    """Which requests to read, and how."""

    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Only requests from this time on: 7d (seven days ago), 2030-01-01T00:00:00Z, or seconds since the "
            "epoch. Files of other times are not even opened.",
        ),
    ] = None
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Only requests before this time; same format.")
    ] = None
    fields: Annotated[
        str | None,
        typer.Option(
            "--fields",
            metavar="NAMES",
            help="The fields of real-time logs, which have no header: the configuration's list, with commas.",
        ),
    ] = None
    addresses: Annotated[
        Literal["networks", "full"],
        typer.Option(
            "--addresses",
            case_sensitive=False,
            help="full: tell viewers apart by their addresses, and write them out. networks: by /24 and /48.",
        ),
    ] = "networks"
    account: Annotated[
        bool,
        typer.Option(
            "--account",
            help="Read the account too: names of keys, which paths trust them, and signatures that were changed.",
        ),
    ] = False
    config: Annotated[
        list[Path] | None,
        typer.Option("--config", metavar="FILE", help="Use a saved configuration instead of --account. Repeatable."),
    ] = None
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="DIR", help="With --config: a folder of public keys.")
    ] = None
    memory: Annotated[
        str, typer.Option("--memory", metavar="SIZE", help="The most memory for tables, such as 512MB or 2GB.")
    ] = "512MB"


@_app.command("keys")
@expands(reading=Reading, connection=Connection)
def keys_(sources: _Sources, *, reading: Reading, connection: Connection, as_json: AsJson = False) -> None:
    """Show who used which key, and from when on each key can be removed.

    An expiry counts only if a request with it was allowed. Signed cookies are in a log only where cookie logging is on.

    \b
    Example:
      keyfront logs keys s3://my-logs/shop/ --since 30d --account
    """
    with _read(sources, "keys", reading, connection) as logs:
        from keyfront.cli.reports import log_tables

        _show(logs, as_json, log_tables.keys_as_json, log_tables.show_keys)


@_app.command()
@expands(reading=Reading, connection=Connection)
def refused(sources: _Sources, *, reading: Reading, connection: Connection, as_json: AsJson = False) -> None:
    """Show why viewers were refused. Each refused request is judged again, as far as its log shows it.

    With --account or --config, a changed URL and a wrong key can be told apart.

    \b
    Example:
      keyfront logs refused logs/ --since 24h --account
    """
    with _read(sources, "refused", reading, connection) as logs:
        from keyfront.cli.reports import log_tables

        _show(logs, as_json, log_tables.refused_as_json, log_tables.show_refused)


@_app.command()
@expands(reading=Reading, connection=Connection)
def sharing(sources: _Sources, *, reading: Reading, connection: Connection, as_json: AsJson = False) -> None:
    """Show which signatures were used by more than one person, and what would have stopped it.

    The surprise is the number of digits of the odds against one person: 4 means one in 10,000.

    \b
    Example:
      keyfront logs sharing logs/ --since 7d
    """
    with _read(sources, "sharing", reading, connection) as logs:
        from keyfront.cli.reports import log_tables

        _show(logs, as_json, log_tables.sharing_as_json, log_tables.show_sharing)


@_app.command()
@expands(reading=Reading, connection=Connection)
def summary(
    sources: _Sources,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write one self-contained page with plots.")
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", metavar="DIR", help="Write the tables as Parquet files.")
    ] = None,
    *,
    reading: Reading,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Show what deserves a look: all answers together.

    \b
    Example:
      keyfront logs summary logs/ --html report.html
    """
    with _read(sources, "summary", reading, connection) as logs:
        from keyfront.account.logs.page import page
        from keyfront.cli.reports import log_tables

        if html is not None:
            text = page(logs, sources, full_addresses=reading.addresses == "full")
            try:
                html.write_text(text, "utf-8")
            except OSError as error:
                raise InputError(f"cannot write {str(html)!r}: {error.strerror}") from None
            say(f"wrote {html}")
        if parquet is not None:
            for path in logs.write_parquet(parquet):
                say(f"wrote {path}")
        _show(logs, as_json, log_tables.summary_as_json, log_tables.show_notices)


@_app.command("sql")
def sql_(
    engine: Annotated[
        Literal["duckdb", "athena", "spark"], typer.Option("--engine", help="The dialect.", case_sensitive=False)
    ] = "athena",
) -> None:
    """Print the views that answer these questions, for another engine. They read a table named `logs`.

    \b
    Example:
      keyfront logs sql --engine spark
    """
    with needs("logs"):
        from keyfront.account.logs.dialect import statements
    for statement in statements(engine):
        show(f"{statement};\n")


def _show(
    logs: "AccessLogs", as_json: bool, told: "Callable[[AccessLogs], Json]", shown: "Callable[[AccessLogs], None]"
) -> None:
    if as_json:
        show_json(told(logs))
    else:
        shown(logs)


@contextmanager
def _read(sources: list[str], question: str, reading: Reading, connection: Connection) -> "Iterator[AccessLogs]":
    with needs("logs"):
        from keyfront.account.logs.analysis import Options, read_logs
        from keyfront.account.logs.engine import checked_memory
        from keyfront.account.logs.formats import named_fields
        from keyfront.account.logs.page import notes
        from keyfront.account.logs.values import Window
    now = int(time.time())
    window = Window(_past(reading.since, "--since", now), _past(reading.until, "--until", now))
    if window.since is not None and window.until is not None and window.since >= window.until:
        raise InputError(f"--since {reading.since} is not before --until {reading.until}: no request is between them")
    options = Options(
        window,
        named_fields(reading.fields) if reading.fields else (),
        reading.addresses == "full",
        checked_memory(reading.memory),
    )
    account = _account(reading, connection)
    with (
        _bar() as progress,
        read_logs(
            sources, question, options, now=now, account=account, s3=lambda: s3(connection), progress=progress
        ) as logs,
    ):
        for text in notes(logs.count):
            warn(text)
        yield logs
        if logs.count.stopped:
            raise typer.Exit(STOPPED)


def _account(reading: Reading, connection: Connection) -> "Inventory | None":
    if reading.config:
        if reading.account:
            raise InputError("give --account or --config, not both")
        from keyfront.inventory.files import read_files

        return read_files(reading.config, keys=reading.keys)
    if reading.keys:
        raise InputError("--keys needs --config: the configuration says which paths trust the keys")
    if not reading.account:
        return None
    from keyfront.cli.cloudfront import cloudfront
    from keyfront.inventory import read

    with cloudfront(connection) as client:
        return read(client)


def s3(connection: Connection) -> "S3Client":
    """Return a client of S3, by the options and rules of all commands."""
    from keyfront.cli.cloudfront import any_service

    with needs("aws"):
        client: S3Client = any_service(connection)("s3")
    return client


@contextmanager
def _bar() -> "Iterator[Callable[[Progress], None]]":
    """Yield a function that draws the progress on a terminal, and does nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TextColumn("{task.fields[rows]:,} rows"))
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None, rows=0)

        def update(told: "Progress") -> None:
            bar.update(task, completed=told.bytes, total=told.of_bytes, rows=told.rows)

        yield update


def _past(text: str | None, option: str, now: int) -> int | None:
    """Return a time in seconds since the epoch. A span is that long ago."""
    if text is None:
        return None
    when = moment(text, option)
    if isinstance(when, timedelta):
        return now - int(when.total_seconds())
    return int(when.astimezone(UTC).timestamp()) if isinstance(when, datetime) else int(when)


def register(app: typer.Typer) -> None:
    """Add `keyfront logs` to the application."""
    app.add_typer(_app, name="logs", help="Say from access logs who used keys, was refused, or shares links.")
