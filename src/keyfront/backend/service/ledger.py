"""The purchases database for its operator: items, customers and purchases can be added and removed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, delete, func, select
from sqlalchemy.orm import DeclarativeBase, Session

from keyfront.backend.service.purchases import Purchases, insert_row, row_of
from keyfront.backend.service.tables import CustomerRow, ItemRow, PurchaseRow
from keyfront.backend.service.values import Customer, Item, is_item_id
from keyfront.errors import InputError

_MOST: Final = 2**31 - 1
_MOST_BIG: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Purchase:
    """One customer's purchase of one item."""

    customer_id: str
    item_id: str
    bought_at: datetime


class Ledger(Purchases):
    """Purchases that can be changed. One transaction makes each change."""

    def put_item(self, item: Item, *, replace: bool = False) -> bool:
        """Add an item at the end of the catalogue. Return whether it is new.

        With `replace` an item with this id gets the new values, and keeps its purchases and its position. Raises
        `InputError` if there is one and `replace` is false, and for a value that the database cannot hold.
        """
        values = row_of(item)
        _check_fit(ItemRow, values)

        def put(session: Session) -> bool:
            known = session.get(ItemRow, item.id)
            if known is not None and not replace:
                raise InputError(f"there is an item {item.id!r} already: give --replace to change it")
            if known is not None:
                for name, value in values.items():
                    setattr(known, name, value)
            else:
                last = session.scalar(select(func.max(ItemRow.position)))
                position = 0 if last is None else last + 1
                session.execute(insert_row(session, ItemRow, values | {"position": position}))
            session.commit()
            return known is None

        return self._ask(put)

    def remove_item(self, item_id: str, *, with_purchases: bool = False) -> int:
        """Remove an item. Return how many purchases of it were removed.

        Raises `InputError` if it does not exist, or if it has purchases and `with_purchases` is false.
        """

        def remove(session: Session) -> int:
            if not is_item_id(item_id) or session.get(ItemRow, item_id) is None:
                raise InputError(f"there is no item {item_id[:130]!r}")
            bought = _count(session, PurchaseRow.item_id == item_id)
            if bought and not with_purchases:
                raise InputError(
                    f"customers who bought the item {item_id!r} could no longer download it (purchases: {bought}): "
                    "give --with-purchases to remove both"
                )
            session.execute(delete(ItemRow).where(ItemRow.id == item_id))
            session.commit()
            return bought

        return self._ask(remove)

    def remove_customer(self, customer_id: str) -> int:
        """Remove a customer and their purchases. Return how many these were. Raises `InputError` for an unknown one."""

        def remove(session: Session) -> int:
            self._known(session, customer_id)
            bought = _count(session, PurchaseRow.customer_id == customer_id)
            session.execute(delete(CustomerRow).where(CustomerRow.id == customer_id))
            session.commit()
            return bought

        return self._ask(remove)

    def revoke(self, customer_id: str, item_id: str) -> bool:
        """Remove a purchase. Return whether there was one. Links made before work until they expire.

        Raises `InputError` for an unknown customer or item.
        """

        def remove(session: Session) -> bool:
            self._known(session, customer_id)
            if not is_item_id(item_id) or session.get(ItemRow, item_id) is None:
                raise InputError(f"there is no item {item_id[:130]!r}")
            found = session.get(PurchaseRow, (customer_id, item_id))
            if found is not None:
                session.delete(found)
            session.commit()
            return found is not None

        return self._ask(remove)

    def purchases(self, *, customer_id: str | None = None, item_id: str | None = None) -> tuple[Purchase, ...]:
        """Return the purchases, the oldest first; if given, only those of a customer or of an item."""
        found = select(PurchaseRow).order_by(PurchaseRow.bought_at, PurchaseRow.customer_id, PurchaseRow.item_id)
        if customer_id is not None:
            found = found.where(PurchaseRow.customer_id == customer_id)
        if item_id is not None:
            found = found.where(PurchaseRow.item_id == item_id)
        return self._ask(
            lambda session: tuple(
                Purchase(row.customer_id, row.item_id, row.bought_at) for row in session.scalars(found)
            )
        )

    def grant(self, customer_id: str, item_id: str, *, name: str = "", email: str = "") -> bool:
        """Record a purchase, and add the customer if they are unknown. Return whether the purchase is new.

        Raises `InputError` for an item that does not exist, and for a value that the database cannot hold.
        """
        customer = Customer(customer_id, name or customer_id, email)
        _check_fit(CustomerRow, row_of(customer))
        return self.record(customer, item_id)

    @staticmethod
    def _known(session: Session, customer_id: str) -> None:
        # NUL is text that PostgreSQL cannot compare.
        if "\0" in customer_id or session.get(CustomerRow, customer_id) is None:
            raise InputError(f"there is no customer {customer_id[:60]!r}")


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(PurchaseRow).where(condition)) or 0


def _check_fit(table: type[DeclarativeBase], values: Mapping[str, object]) -> None:
    """Raise `InputError` for a value that is too long or too large for its column."""
    for name, value in values.items():
        kind = table.__table__.columns[name].type
        if isinstance(value, str):
            _check_text(name, value, getattr(kind, "length", None))
        elif isinstance(value, int) and value > (_MOST_BIG if isinstance(kind, BigInteger) else _MOST):
            raise InputError(f"the {name} {value} is too large for the database")


def _check_text(name: str, text: str, most: int | None) -> None:
    if most is not None and len(text) > most:
        raise InputError(f"the {name} has {len(text)} characters: give at most {most}")
    if "\0" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise InputError(f"the {name} {text[:60]!a} contains NUL or half a character, which no database holds")
