"""The tables of customers, items and purchases, and the engine for their database."""

import contextlib
import math
import sqlite3
from collections.abc import Callable, Generator
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, DateTime, Engine, ForeignKey, String, Text, create_engine, event, func
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry

from keyfront.backend.service.database_address import database_url
from keyfront.backend.service.threads import MOST
from keyfront.errors import InputError
from keyfront.home import install

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy.engine.interfaces import Dialect

SECONDS: Final = 5.0
"""The default time limit for the database."""


class Base(DeclarativeBase):
    """The base class of all tables."""


class CustomerRow(Base):
    """A customer."""

    __tablename__ = "customers"

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(255), default="")


class ItemRow(Base):
    """One file for sale."""

    __tablename__ = "items"

    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(32))
    author: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    price_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    position: Mapped[int]
    """Its position in the catalogue, from 0."""


class PurchaseRow(Base):
    """A purchase. Each customer and item occurs only once."""

    __tablename__ = "purchases"

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("items.id", ondelete="CASCADE"), primary_key=True, index=True)
    bought_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def connect(url: str, *, seconds: float = SECONDS) -> Engine:
    """Return the engine for a database URL (SQLite or PostgreSQL). It does not connect yet.

    `seconds` limits the wait for a free connection. Half of it limits the wait for a new connection, and for each
    statement, so that there is time to retry once. Raises `InputError` for any other database, or if PostgreSQL's
    driver is not installed.
    """
    parsed = make_url(database_url(url))
    # Connections are not tested before use: a query that fails on an old one is retried (see `Purchases`).
    # Returned connections are not rolled back: sessions end their transactions, and our raw queries begin none.
    pool: dict[str, Any] = {
        "pool_size": MOST,
        "max_overflow": 0,
        "pool_timeout": seconds,
        "pool_reset_on_return": None,
    }
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, connect_args={"timeout": seconds / 2}, hide_parameters=True, **pool)
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    options = {} if "connect_timeout" in parsed.query else {"connect_timeout": max(1, math.ceil(seconds / 2))}
    try:
        engine = create_engine(parsed, connect_args=options, hide_parameters=True, **pool)
    except ModuleNotFoundError:
        raise InputError(f"DATABASE_URL names PostgreSQL: {install('postgresql')}") from None

    event.listen(engine, "do_connect", _bounded(seconds / 2))
    return engine


def _bounded(seconds: float) -> "Callable[[Dialect, object, Any, Any], psycopg.Connection]":
    """Return a function that opens connections to PostgreSQL. They close if a statement takes over `seconds`.

    The server's own `statement_timeout` works only while the server runs.
    """
    import psycopg

    class Bounded(psycopg.Connection):
        def wait(self, gen: Any, *options: Any, **named: Any) -> Any:
            return super().wait(_until(gen, self, seconds), *options, **named)

    return lambda _dialect, _entry, positional, named: Bounded.connect(*positional, **named)


def _until(gen: Generator[Any, Any, Any], connection: "psycopg.Connection", seconds: float) -> Generator[Any, Any, Any]:
    """Run `gen`, a query over `connection`, for at most `seconds`. psycopg resumes it every 0.1 s."""
    import psycopg

    end = monotonic() + seconds
    try:
        ready = yield next(gen)
        while monotonic() < end:
            ready = yield gen.send(ready)
    except StopIteration as stop:
        return stop.value
    # In the middle of a response, the connection cannot be used again.
    connection.pgconn.finish()
    raise psycopg.OperationalError(f"no answer within {seconds:.3g} s")


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # With WAL, readers do not wait for a writer. SQLite checks references only if told to.
    with contextlib.suppress(sqlite3.OperationalError):
        # Locked if another process changes the file's mode at this moment: SQLite does not wait for that.
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
