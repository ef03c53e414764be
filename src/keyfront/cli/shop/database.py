"""The purchases database, and the options that name it and what is in it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TextIO

import typer

from keyfront.cli.extras import needs
from keyfront.cli.output import printable
from keyfront.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from keyfront.backend.service.ledger import Ledger

SQLITE: Final = "sqlite:///keyfront.db"
ALL: Final = 1_000_000

Database = Annotated[
    str,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="DATABASE_URL",
        help="sqlite:///keyfront.db, or postgresql://user@host/database. A password belongs into DATABASE_URL, because "
        "everybody on this machine can read options.",
    ),
]
ItemId = Annotated[str, typer.Argument(metavar="ITEM", help="The item's id, which is in its download's address.")]
CustomerId = Annotated[
    str, typer.Argument(metavar="CUSTOMER", help="The customer's id: the subject (sub) of their tokens.")
]
Source = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="A CSV file with many of them, or - for standard input."),
]


@contextmanager
def open_engine(url: str) -> "Iterator[Engine]":
    with needs("cli,backend"):
        from keyfront.backend.service.tables import connect
    engine = connect(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def open_ledger(url: str) -> "Iterator[Ledger]":
    with open_engine(url) as engine:
        from keyfront.backend.service.ledger import Ledger

        yield Ledger(engine)


@contextmanager
def open_csv(source: Path) -> Iterator[tuple[TextIO, str]]:
    """Open a CSV file, or standard input for `-`. Return it with its name for errors."""
    if str(source) == "-":
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="strict", newline="")  # type: ignore[union-attr]
        yield sys.stdin, "standard input"
        return
    try:
        file = source.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise InputError(f"cannot read {str(source)!r}: {error.strerror}") from None
    with file:
        yield file, printable(source.name)


def with_purchases_text(purchases: int) -> str:
    return f" and {purchases} {'purchases' if purchases > 1 else 'purchase'}" if purchases else ""
