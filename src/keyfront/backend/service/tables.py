"""The tables of customers, items and who bought what, and the engine that reaches them."""

import contextlib
import math
import sqlite3
from collections.abc import Callable, Generator
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, DateTime, Engine, ForeignKey, String, Text, create_engine, event, func, inspect, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import CreateIndex, CreateTable

from keyfront.backend.service.settings import database_url
from keyfront.backend.service.threads import MOST
from keyfront.errors import InputError
from keyfront.home import install

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy.engine.interfaces import Dialect

SECONDS: Final = 5.0
"""How long the database is waited for, when nothing else is said."""
# Any number will do, as long as every process that makes our tables takes the same.
_TABLES_LOCK: Final = 0x6B657966


class Base(DeclarativeBase):
    """Everything in this database."""


class CustomerRow(Base):
    """Somebody who may own items."""

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
    """Where it stands in the catalogue, from 0."""


class PurchaseRow(Base):
    """That a customer owns an item: once, however often it was bought."""

    __tablename__ = "purchases"

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("items.id", ondelete="CASCADE"), primary_key=True, index=True)
    bought_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def connect(url: str, *, seconds: float = SECONDS) -> Engine:
    """The engine for a database URL (SQLite or PostgreSQL). Nothing is asked of the database yet.

    `seconds` bounds the wait for a free connection. Half of it bounds the wait for a new connection, and for each
    statement: whoever finds the database hanging has time for one more attempt. Raises `InputError` for another
    database, or when PostgreSQL's driver is not installed.
    """
    parsed = make_url(database_url(url))
    # No connection is asked first whether it still works: who asks notices, and asks again (see `Purchases`).
    # No rollback when one comes back: SQLAlchemy's own ends its transactions, and our raw questions begin none.
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


def create_tables(engine: Engine) -> None:
    """Make the tables that are missing. Safe to run from many processes at once."""
    with engine.begin() as connection:
        if not _missing(connection):
            # A production role may read and write our tables without being allowed to make any.
            return
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TABLES_LOCK})
        for table in Base.metadata.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))


def _missing(connection: Connection) -> bool:
    return not set(Base.metadata.tables) <= set(inspect(connection).get_table_names())


def _bounded(seconds: float) -> "Callable[[Dialect, object, Any, Any], psycopg.Connection]":
    """Opens connections to PostgreSQL that end when the server has not answered a statement after `seconds`.

    The server's own `statement_timeout` counts only while the server runs.
    """
    import psycopg

    class Bounded(psycopg.Connection):
        def wait(self, gen: Any, *options: Any, **named: Any) -> Any:
            return super().wait(_until(gen, self, seconds), *options, **named)

    return lambda _dialect, _entry, positional, named: Bounded.connect(*positional, **named)


def _until(gen: Generator[Any, Any, Any], connection: "psycopg.Connection", seconds: float) -> Generator[Any, Any, Any]:
    """`gen`, which asks something over `connection`, for `seconds` at most: psycopg resumes it every 0.1 s."""
    import psycopg

    end = monotonic() + seconds
    try:
        ready = yield next(gen)
        while monotonic() < end:
            ready = yield gen.send(ready)
    except StopIteration as stop:
        return stop.value
    # In the middle of an answer: nothing else can be asked over this connection.
    connection.pgconn.finish()
    raise psycopg.OperationalError(f"no answer within {seconds:.3g} s")


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # Readers do not wait for a writer; and SQLite checks references only when it is told to.
    with contextlib.suppress(sqlite3.OperationalError):
        # Locked: another process is changing the mode of the file at this moment, and SQLite does not wait for that.
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
