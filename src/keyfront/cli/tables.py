"""`keyfront sign-table`: sign the URLs of a table into another table."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from keyfront.cli.extras import needs
from keyfront.cli.options import AsJson, MaxLifetime, PassphraseFile, Starts, ViewerNetwork
from keyfront.cli.output import Json, say, show_json, warn
from keyfront.cli.signers import CheckKey, Hash, KeyId, PrivateKey, SignerAddress, open_signer
from keyfront.cli.times import moment, span

if TYPE_CHECKING:
    from keyfront.integrations.tables import Progress, Summary

REJECTED: Final = 1
STOPPED: Final = 130


def sign_table(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A table: .csv, .tsv, .parquet, .arrow, .arrows.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The signed table; its name decides the format.")],
    url_column: Annotated[str, typer.Option("--url-column", metavar="NAME", help="The column with the URLs.")],
    expires: Annotated[
        str | None,
        typer.Option(
            "--expires", metavar="TIME", help="The expiry: 1h, 7d, 2030-01-01T00:00:00Z, or seconds since the epoch."
        ),
    ] = None,
    key_id: KeyId = None,
    private_key: PrivateKey = None,
    signer: SignerAddress = None,
    signed_column: Annotated[
        str | None,
        typer.Option(
            "--signed-column",
            metavar="NAME",
            help="The column for the signed URLs, new or replaced. Default: a new column signed_url.",
        ),
    ] = None,
    max_lifetime: MaxLifetime = None,
    starts: Starts = None,
    ip: ViewerNetwork = None,
    resource: Annotated[
        str | None,
        typer.Option(
            "--resource",
            metavar="PATTERN",
            help="Sign this pattern instead of each URL; * and ? are wildcards. One signature then covers many rows.",
        ),
    ] = None,
    expires_column: Annotated[
        str | None,
        typer.Option(
            "--expires-column",
            metavar="NAME",
            help="A column with each row's expiry; --expires counts if it is empty.",
        ),
    ] = None,
    ip_column: Annotated[
        str | None, typer.Option("--ip-column", metavar="NAME", help="A column with each row's --ip.")
    ] = None,
    resource_column: Annotated[
        str | None, typer.Option("--resource-column", metavar="NAME", help="A column with each row's --resource.")
    ] = None,
    reject: Annotated[
        Path | None,
        typer.Option(
            "--reject",
            metavar="FILE",
            help="The file for rows that cannot be signed: number, URL and reason. Default: OUT's name with "
            ".rejects.csv.",
        ),
    ] = None,
    kind: Annotated[
        Literal["csv", "tsv", "parquet", "arrow", "arrows"] | None,
        typer.Option("--format", case_sensitive=False, help="The format, if a file's name does not show it."),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option("--processes", metavar="N", min=1, help="The number of signing processes. Default: one per core."),
    ] = None,
    part_rows: Annotated[
        int | None,
        typer.Option(
            "--part-rows",
            metavar="N",
            min=1,
            help="The maximum rows of a part. A killed run loses its unfinished parts. Default: as many as take half "
            "a second.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT and the reject file.")] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Discard the work of an earlier run, and start over.")
    ] = False,
    hash_name: Hash = None,
    passphrase_file: PassphraseFile = None,
    check: CheckKey = False,
    as_json: AsJson = False,
) -> None:
    """Sign the URLs of a table into another table.

    Rows keep their order and all their columns. Rows that cannot be signed go to the reject file. OUT appears only
    when it is complete. After a killed or failed run, the same command continues: finished work is in the file
    OUT.keyfront. A span in --expires counts from the start of the first run.

    \b
    Exit status: 0 every row is signed; 1 done, but some rows are in the reject file; 2 not done: bad input, a full
    disk, or a key that cannot sign; 130 stopped by Ctrl-C.

    \b
    Example:
      keyfront sign-table links.parquet signed.parquet --url-column url --expires 7d \\
        --key-id K2JCJMDEHXQW5F --private-key private_key.pem
    """
    until = None if expires is None else moment(expires, "--expires")
    start = None if starts is None else moment(starts, "--starts")
    longest = None if max_lifetime is None else span(max_lifetime, "--max-lifetime")
    with needs("tables"):
        from keyfront.integrations.tables import TableTerms
        from keyfront.integrations.tables import sign_table as sign
    terms = TableTerms(
        url_column=url_column,
        signed_column=signed_column,
        expires=until,
        starts=start,
        ip=ip,
        resource=resource,
        max_lifetime=longest,
        expires_column=expires_column,
        ip_column=ip_column,
        resource_column=resource_column,
    )
    who = open_signer(signer, key_id, private_key, passphrase_file, hash_name, check=check)
    try:
        with _bar() as progress:
            done = sign(
                source,
                out,
                who,
                terms,
                reject=reject,
                kind=kind,
                force=force,
                restart=restart,
                processes=processes,
                part_rows=part_rows,
                progress=progress,
            )
    except KeyboardInterrupt:
        say(f"stopped: the finished work is in {out}.keyfront; run the same command to continue")
        raise typer.Exit(STOPPED) from None
    _report(done, as_json=as_json)
    if done.rejected:
        raise typer.Exit(REJECTED)


@contextmanager
def _bar() -> "Iterator[Callable[[Progress], None] | None]":
    """Yield a function that draws the progress on a terminal, or `None` if there is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks = {doing: bar.add_task(doing, total=None, visible=doing == "signing") for doing in ("signing", "writing")}
        yield lambda told: bar.update(tasks[told.doing], completed=told.done, total=told.rows, visible=True)


def _report(done: "Summary", *, as_json: bool) -> None:
    if as_json:
        seen: list[Json] = [{"finding": each.finding, "text": each.text, "times": each.times} for each in done.seen]
        show_json(
            {
                "out": str(done.out),
                "signed": done.signed,
                "rejected": done.rejected,
                "reject": None if done.reject is None else str(done.reject),
                "kept": done.kept,
                "expires": done.expires,
                "warnings": seen,
            }
        )
        return
    for each in done.seen:
        warn(f"{each.text}{f' ({each.times:,} times, this is the first)' if each.times > 1 else ''}")
    if done.kept:
        say(f"continued after {done.kept:,} rows of an earlier run")
    say(f"{done.signed:,} rows signed into {done.out}")
    if done.reject is not None:
        say(f"{done.rejected:,} rows could not be signed: see {done.reject}")


def register(app: typer.Typer) -> None:
    """Add `keyfront sign-table` to the application."""
    app.command("sign-table")(sign_table)
