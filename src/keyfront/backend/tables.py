"""The tables of customers, items and who bought what, and the engine that reaches them."""

import contextlib
import sqlite3
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, DateTime, Engine, ForeignKey, String, Text, create_engine, event, func, inspect, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import CreateIndex, CreateTable

from keyfront.backend.settings import database_url
from keyfront.errors import InputError
from keyfront.home import install

_WAIT_SECONDS: Final = 5
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


def connect(url: str) -> Engine:
    """The engine for a database URL (SQLite or PostgreSQL). Nothing is asked of the database yet.

    Raises `InputError` for another database, or when PostgreSQL's driver is not installed.
    """
    parsed = make_url(database_url(url))
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, connect_args={"timeout": _WAIT_SECONDS}, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    options = {} if "connect_timeout" in parsed.query else {"connect_timeout": _WAIT_SECONDS}
    try:
        return create_engine(
            parsed,
            connect_args=options,
            pool_pre_ping=True,
            pool_timeout=_WAIT_SECONDS,
            pool_size=10,
            max_overflow=10,
            hide_parameters=True,
        )
    except ModuleNotFoundError:
        raise InputError(f"DATABASE_URL names PostgreSQL: {install('postgresql')}") from None


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


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # Readers do not wait for a writer; and SQLite checks references only when it is told to.
    with contextlib.suppress(sqlite3.OperationalError):
        # Locked: another process is changing the mode of the file at this moment, and SQLite does not wait for that.
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
