"""The query that every download runs, over a pooled connection and without SQLAlchemy's sessions and results."""

from contextlib import closing
from dataclasses import fields
from time import monotonic
from typing import Any, Final

from sqlalchemy import Engine, bindparam, event, select
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from keyfront.backend.service.tables import ItemRow, PurchaseRow
from keyfront.backend.service.values import Item

Row = tuple[Any, ...]

_BORN: Final = "keyfront.born"


class Entitled:
    """Queries an item and whether a customer owns it."""

    def __init__(self, engine: Engine) -> None:
        owned = select(PurchaseRow.item_id).where(
            PurchaseRow.customer_id == bindparam("customer"), PurchaseRow.item_id == ItemRow.id
        )
        columns = [getattr(ItemRow, field.name) for field in fields(Item)]
        compiled = select(*columns, owned.exists()).where(ItemRow.id == bindparam("item")).compile(engine)
        self._engine = engine
        self._text = str(compiled)
        order: list[str] | None = getattr(compiled, "positiontup", None)
        self._order = tuple(order) if order else None
        self._begins_itself = engine.dialect.driver == "psycopg"
        self._lost = float("-inf")
        event.listen(engine, "connect", _note_birth)
        event.listen(engine, "checkout", self._refuse_older)

    def ask(self, customer_id: str, item_id: str) -> Row | None:
        """Return the values of `Item`'s fields, then whether the customer owns it; `None` if there is no such item.

        Raises `SQLAlchemyError`. If its `connection_invalidated` is true, retry.
        """
        values = {"customer": customer_id, "item": item_id}
        given = values if self._order is None else tuple(values[name] for name in self._order)
        errors = self._engine.dialect.loaded_dbapi.Error
        try:
            connection = self._engine.raw_connection()
        except errors as error:
            raise DBAPIError(None, None, error) from None
        try:
            return self._row(connection, given)
        except errors as error:
            raise DBAPIError(None, None, error, connection_invalidated=self._is_lost(connection, error)) from None
        finally:
            connection.close()

    def _row(self, connection: PoolProxiedConnection, given: dict[str, str] | tuple[str, ...]) -> Row | None:
        driver: Any = connection.driver_connection
        if self._begins_itself:
            # One query needs no transaction, which would take two more messages to the server.
            driver.autocommit = True
        with closing(connection.cursor()) as cursor:
            cursor.execute(self._text, given)
            row: Row | None = cursor.fetchone()
        if self._begins_itself:
            driver.autocommit = False
        return row

    def _is_lost(self, connection: PoolProxiedConnection, error: Exception) -> bool:
        """Return whether the connection is lost. If so, refuse all connections opened so far."""
        lost: bool = self._engine.dialect.is_disconnect(error, connection.driver_connection, None)  # type: ignore[arg-type]
        connection.invalidate(error)
        if lost:
            self._lost = monotonic()
        return lost

    def _refuse_older(self, _connection: object, entry: ConnectionPoolEntry, _proxy: object) -> None:
        if entry.info.get(_BORN, float("-inf")) <= self._lost:
            # The pool then opens a new one.
            raise DisconnectionError


def _note_birth(_connection: object, entry: ConnectionPoolEntry) -> None:
    entry.info[_BORN] = monotonic()
