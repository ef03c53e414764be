"""The schema of the purchases database: is it complete, and if there is none yet, make it.

`keyfront.backend.migrations` changes an existing schema, as a step of its own. The service never does that.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, inspect, literal, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.schema import CreateIndex, CreateTable

from keyfront.backend.service.tables import Base
from keyfront.errors import KeyfrontError

HEAD: Final = "0001"
"""The revision of the schema that this version of keyfront needs."""
VERSION_TABLE: Final = "keyfront_schema"
"""The table with the revision. Alembic's own name may belong to the shop's application in the same database."""
MIGRATE: Final = "keyfront shop migrate"
"""The command that makes or changes the schema."""

# An arbitrary number, the same in every process that makes our tables.
_TABLES_LOCK: Final = 0x6B657966
_VERSION: Final = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))


class SchemaError(KeyfrontError):
    """The database lacks tables or columns, and this role may not make them."""


def prepare(engine: Engine) -> None:
    """Make the tables if there are none, or check that they are complete. Safe to run from many processes at once.

    Needs no right to make tables if they are complete. Raises `SchemaError`, which names the command that fixes it.
    """
    with engine.connect() as connection:
        missing = list(_missing(connection))
    if not missing:
        return
    if any(what.startswith("column") for what in missing):
        raise SchemaError(f"the purchases database has no {missing[0]}, so it is too old: run `{MIGRATE}` as its owner")
    try:
        with engine.begin() as connection:
            _create(connection)
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != _INSUFFICIENT_PRIVILEGE:
            raise
        raise SchemaError(
            f"the purchases database has no {missing[0]} that this role can see, and the role may not make it: run "
            f"`{MIGRATE}` as the owner of the database, and grant the role SELECT on the tables"
        ) from None


_INSUFFICIENT_PRIVILEGE: Final = "42501"  # PostgreSQL, Appendix A


def lock(connection: Connection) -> None:
    """Let only one process at a time change the schema, until the end of the transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TABLES_LOCK})


def _create(connection: Connection) -> None:
    lock(connection)
    for table in (*Base.metadata.sorted_tables, _VERSION):
        connection.execute(CreateTable(table, if_not_exists=True))
        for index in table.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))
    # One statement, so that only one of several processes enters it.
    unknown = select(literal(HEAD)).where(~select(_VERSION).exists())
    connection.execute(_VERSION.insert().from_select(["version_num"], unknown))


def _missing(connection: Connection) -> Iterator[str]:
    """Yield the tables and columns that the database lacks."""
    found = inspect(connection)
    present = set(found.get_table_names())
    for table in Base.metadata.sorted_tables:
        if table.name not in present:
            yield f"table {table.name}"
            continue
        columns = {column["name"] for column in found.get_columns(table.name)}
        yield from (f"column {table.name}.{column.name}" for column in table.columns if column.name not in columns)
