"""The purchases database for its operator: items, customers and purchases can be added and removed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count, islice
from typing import Final, Generic, TypeVar

from sqlalchemy import BigInteger, ColumnElement, delete, func, select
from sqlalchemy.orm import DeclarativeBase, Session

from keyfront.backend.service.purchases import Purchases, inserting, row_of
from keyfront.backend.service.tables import CustomerRow, ItemRow, PurchaseRow
from keyfront.backend.service.values import Customer, Item, is_item_id
from keyfront.errors import InputError

T = TypeVar("T")

_MOST: Final = 2**31 - 1
_MOST_BIG: Final = 2**63 - 1
_BATCH: Final = 500
"""Rows in one statement."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """One customer's purchase of one item."""

    customer_id: str
    item_id: str
    bought_at: datetime


@dataclass(frozen=True, slots=True)
class Granted:
    """An item that a customer may download from now on."""

    customer: Customer
    item_id: str


@dataclass(frozen=True, slots=True)
class Row(Generic[T]):
    """A value to record. `where` begins the text of errors about it, such as "items.csv, line 7: "."""

    value: T
    where: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """How many rows were added, updated, and found as they should be."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0


class Ledger(Purchases):
    """Purchases that can be changed. One transaction makes each change."""

    def put_items(self, rows: Iterable[Row[Item]], *, replace: bool = False) -> Changes:
        """Add items at the end of the catalogue, all of them or none.

        An item that is there with the same values stays as it is. With `replace` an item that has other values gets
        the new ones, and keeps its purchases and its position. Raises `InputError` if there is one and `replace` is
        false, for an item that `rows` has twice, and for a value that the database cannot hold.
        """

        def put(session: Session) -> Changes:
            last = session.scalar(select(func.max(ItemRow.position)))
            positions = count(0 if last is None else last + 1)
            seen: set[str] = set()
            done = Counter[str]()
            for batch in _batches(rows):
                there = select(ItemRow).where(ItemRow.id.in_([row.value.id for row in batch]))
                known = {row.id: row for row in session.scalars(there)}
                for row in batch:
                    if row.value.id in seen:
                        raise InputError(f"{row.where}the item {row.value.id!r} is on an earlier line as well")
                    seen.add(row.value.id)
                    done[_put(session, row, known.get(row.value.id), positions, replace=replace)] += 1
                session.flush()
                session.expunge_all()
            session.commit()
            return Changes(**done)

        return self._ask(put, again=False)

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

    def grant(self, rows: Iterable[Row[Granted]]) -> Changes:
        """Record purchases, and add the customers that are unknown: all or nothing.

        A purchase that is there already stays as it is, and so does a known customer. Raises `InputError` for an item
        that does not exist, and for a value that the database cannot hold.
        """

        def enter(session: Session) -> Changes:
            asked = added = 0
            for batch in _batches(rows):
                ids = {row.value.item_id for row in batch if is_item_id(row.value.item_id)}
                known = set(session.scalars(select(ItemRow.id).where(ItemRow.id.in_(ids))))
                customers: dict[str, dict[str, object]] = {}
                for row in batch:
                    values = row_of(row.value.customer)
                    _check_fit(CustomerRow, values, row.where)
                    if row.value.item_id not in known:
                        raise InputError(f"{row.where}there is no item {row.value.item_id[:130]!r}")
                    customers.setdefault(row.value.customer.id, values)
                session.execute(inserting(session, CustomerRow).on_conflict_do_nothing(), list(customers.values()))
                pairs = dict.fromkeys((row.value.customer.id, row.value.item_id) for row in batch)
                entries = [{"customer_id": customer, "item_id": item} for customer, item in pairs]
                insert = inserting(session, PurchaseRow).on_conflict_do_nothing().returning(PurchaseRow.item_id)
                added += len(session.scalars(insert, entries).all())
                asked += len(batch)
            session.commit()
            return Changes(added=added, unchanged=asked - added)

        return self._ask(enter, again=False)

    @staticmethod
    def _known(session: Session, customer_id: str) -> None:
        # NUL is text that PostgreSQL cannot compare.
        if "\0" in customer_id or session.get(CustomerRow, customer_id) is None:
            raise InputError(f"there is no customer {customer_id[:60]!r}")


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(PurchaseRow).where(condition)) or 0


def _put(session: Session, row: Row[Item], known: ItemRow | None, positions: Iterator[int], *, replace: bool) -> str:
    """Add or change one item. Return the name of the count in `Changes`."""
    values = row_of(row.value)
    _check_fit(ItemRow, values, row.where)
    if known is None:
        session.add(ItemRow(**values, position=next(positions)))
        return "added"
    if all(getattr(known, name) == value for name, value in values.items()):
        return "unchanged"
    if not replace:
        raise InputError(
            f"{row.where}there is an item {known.id!r} already, with other values: give --replace to change it"
        )
    for name, value in values.items():
        setattr(known, name, value)
    return "updated"


def _batches(rows: Iterable[Row[T]]) -> Iterator[list[Row[T]]]:
    every = iter(rows)
    while batch := list(islice(every, _BATCH)):
        yield batch


def _check_fit(table: type[DeclarativeBase], values: Mapping[str, object], where: str) -> None:
    """Raise `InputError` for a value that is too long or too large for its column. `where` begins its text."""
    for name, value in values.items():
        kind = table.__table__.columns[name].type
        if isinstance(value, str):
            _check_text(f"{where}the {name}", value, getattr(kind, "length", None))
        elif isinstance(value, int) and value > (_MOST_BIG if isinstance(kind, BigInteger) else _MOST):
            raise InputError(f"{where}the {name} {value} is too large for the database")


def _check_text(what: str, text: str, most: int | None) -> None:
    if most is not None and len(text) > most:
        raise InputError(f"{what} has {len(text)} characters: give at most {most}")
    if "\0" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise InputError(f"{what} {text[:60]!a} contains NUL or half a character, which no database holds")
