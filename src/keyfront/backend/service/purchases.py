"""Purchases in an SQL database: the queries of the download service.

Every call blocks, so call it from a thread. If the database does not answer, a call raises `ServiceError`. If the
database was restarted, the old connections fail, and the query is retried once.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Engine, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session

from keyfront.backend.service.questions import Entitled
from keyfront.backend.service.schema import prepare
from keyfront.backend.service.tables import CustomerRow, ItemRow, PurchaseRow
from keyfront.backend.service.values import Customer, Item, is_customer_id, is_item_id
from keyfront.errors import InputError, ServiceError

T = TypeVar("T")

_ITEM_FIELDS = tuple(field.name for field in fields(Item))
_ORDERS: Mapping[str, tuple[ColumnElement[Any], ...]] = {
    "title": (func.lower(ItemRow.title),),
    "price": (ItemRow.price_cents.asc(),),
    "size": (ItemRow.size.desc(),),
}
_CUSTOMER_FIELDS = tuple(field.name for field in fields(Customer))


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the catalogue's items, and the number of all items that match."""

    items: tuple[Item, ...]
    total: int


class Purchases:
    """The customers, items and purchases in one database. Its tables are made at the first query."""

    anonymous = False
    object_keys = False

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._entitled = Entitled(engine)
        self._prepared = False
        self._preparing = Lock()

    def item(self, item_id: str) -> Item | None:
        """Return the item with this id, or `None`."""
        if not is_item_id(item_id):
            return None
        row = self._ask(lambda session: session.get(ItemRow, item_id))
        return _item(row) if row else None

    def entitlement(self, customer_id: str | None, item_id: str) -> tuple[Item | None, bool]:
        """Return the item, if it exists, and whether the customer owns it."""
        if customer_id is None or not is_item_id(item_id):
            return self.item(item_id), False
        # Every download runs this query, so it does without a session, which takes ten times as long as the database.
        row = self._within(lambda: self._entitled.ask(customer_id, item_id))
        return (None, False) if row is None else (Item(*row[:-1]), bool(row[-1]))

    def items(self, *, search: str = "", folder: str = "", order: str = "", offset: int = 0, limit: int = 24) -> Page:
        """Return the items that have every word of `search` in title, author, kind or key.

        `folder` leaves out items whose key is not below it. `order` is `title`, `price`, `size`, or the catalogue's.
        """
        conditions = [_holds(word) for word in search.split()]
        if folder:
            conditions.append(ItemRow.key.startswith(f"{folder}/", autoescape=True))
        found = select(ItemRow).where(*conditions).order_by(*_ORDERS.get(order, ()), ItemRow.position, ItemRow.id)

        def ask(session: Session) -> Page:
            total = session.scalar(select(func.count()).select_from(ItemRow).where(*conditions)) or 0
            rows = session.scalars(found.offset(offset).limit(limit))
            return Page(tuple(_item(row) for row in rows), total)

        return self._ask(ask)

    def keys(self) -> Mapping[str, str]:
        """Return the key of every item by its id, in the catalogue's order."""
        every = select(ItemRow.id, ItemRow.key).order_by(ItemRow.position, ItemRow.id)
        return self._ask(lambda session: {row.id: row.key for row in session.execute(every)})

    def library(self, customer_id: str) -> tuple[Item, ...]:
        """Return the customer's items, in the catalogue's order."""
        owned = select(ItemRow).join(PurchaseRow).where(PurchaseRow.customer_id == customer_id)
        owned = owned.order_by(ItemRow.position, ItemRow.id)
        return self._ask(lambda session: tuple(_item(row) for row in session.scalars(owned)))

    def owned(self, customer_id: str, item_ids: Iterable[str]) -> frozenset[str]:
        """Return those of `item_ids` that the customer owns."""
        of_customer = select(PurchaseRow.item_id).where(
            PurchaseRow.customer_id == customer_id, PurchaseRow.item_id.in_(list(item_ids))
        )
        return self._ask(lambda session: frozenset(session.scalars(of_customer)))

    def customer(self, customer_id: str) -> Customer | None:
        """Return the customer with this id, or `None`."""
        if not is_customer_id(customer_id):
            return None
        row = self._ask(lambda session: session.get(CustomerRow, customer_id))
        return _customer(row) if row else None

    def customers(self, limit: int = 12) -> tuple[Customer, ...]:
        """Return the first customers, by name."""
        first = select(CustomerRow).order_by(CustomerRow.name, CustomerRow.id).limit(limit)
        return self._ask(lambda session: tuple(_customer(row) for row in session.scalars(first)))

    def record(self, customer: Customer, item_id: str) -> bool:
        """Record a purchase. Return whether it is new. Safe to call from many processes at once.

        A customer that the database does not know yet is added. Raises `InputError` for an item that does not exist.
        """

        def enter(session: Session) -> bool:
            if not is_item_id(item_id) or session.get(ItemRow, item_id) is None:
                raise InputError(f"there is no item {item_id[:130]!r}")
            session.execute(inserting(session, CustomerRow).on_conflict_do_nothing(), row_of(customer))
            entry = {"customer_id": customer.id, "item_id": item_id}
            insert = inserting(session, PurchaseRow).on_conflict_do_nothing()
            added = session.scalar(insert.returning(PurchaseRow.item_id), entry)
            session.commit()
            return added is not None

        return self._ask(enter)

    def seed(self, items: Iterable[Item], customers: Iterable[Customer], purchases: Iterable[tuple[str, str]]) -> None:
        """Add or update items and customers, and add purchases (pairs of customer id and item id).

        One transaction makes all changes or none; nothing is removed. Raises `InputError` for a purchase of an unknown
        item or by an unknown customer.
        """
        rows = [row_of(item) | {"position": position} for position, item in enumerate(items)]
        known, bought = [row_of(customer) for customer in customers], list(purchases)

        def enter(session: Session) -> None:
            for row in rows:
                _upsert(session, ItemRow, row)
            for row in known:
                _upsert(session, CustomerRow, row)
            for customer_id, item_id in bought:
                if session.get(CustomerRow, customer_id) is None or session.get(ItemRow, item_id) is None:
                    raise InputError(f"purchase of {item_id!r} by {customer_id!r}: no such item or customer")
                entry = {"customer_id": customer_id, "item_id": item_id}
                session.execute(inserting(session, PurchaseRow).on_conflict_do_nothing(), entry)
            session.commit()

        self._ask(enter)

    def check(self) -> None:
        """Check that the database answers. Raises `ServiceError` otherwise."""
        self._ask(lambda session: session.execute(select(1)))

    def close(self) -> None:
        """Close the connections to the database."""
        self._engine.dispose()

    def _ask(self, question: Callable[[Session], T], *, again: bool = True) -> T:
        def ask() -> T:
            with Session(self._engine, expire_on_commit=False) as session:
                return question(session)

        return self._within(ask, again=again)

    def _within(self, ask: Callable[[], T], *, again: bool = True) -> T:
        """Return what `ask` returns. With `again`, ask a second time if the connection was an old one."""
        try:
            try:
                self._prepare()
                return ask()
            except DBAPIError as error:
                if not (again and error.connection_invalidated):
                    raise
            # The pool has dropped all older connections, so this one is new.
            self._prepare()
            return ask()
        except (SQLAlchemyError, UnicodeError) as error:
            raise ServiceError(f"the purchases database did not answer: {_reason(error)}") from None

    def _prepare(self) -> None:
        if self._prepared:
            return
        with self._preparing:
            if not self._prepared:
                prepare(self._engine)
                self._prepared = True


def seed(
    engine: Engine,
    items: Iterable[Item],
    customers: Iterable[Customer],
    purchases: Iterable[tuple[str, str]] = (),
) -> None:
    """Fill the database: see `Purchases.seed`."""
    Purchases(engine).seed(items, customers, purchases)


def _holds(word: str) -> ColumnElement[bool]:
    columns = (ItemRow.title, ItemRow.author, ItemRow.kind, ItemRow.key)
    return or_(*(column.icontains(word, autoescape=True) for column in columns))


def inserting(session: Session, table: type[DeclarativeBase]) -> postgresql.Insert | sqlite.Insert:
    """Return an insert that supports ON CONFLICT, which is specific to each database's dialect."""
    return (postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert)(table)


def _upsert(session: Session, table: type[DeclarativeBase], values: Mapping[str, object]) -> None:
    others = {name: value for name, value in values.items() if name != "id"}
    session.execute(inserting(session, table).on_conflict_do_update(index_elements=["id"], set_=others), values)


def row_of(value: Item | Customer) -> dict[str, object]:
    """Return the values of a row's columns. An item's position is not among them."""
    names = _ITEM_FIELDS if isinstance(value, Item) else _CUSTOMER_FIELDS
    return {name: getattr(value, name) for name in names}


def _item(row: ItemRow) -> Item:
    return Item(**{name: getattr(row, name) for name in _ITEM_FIELDS})


def _customer(row: CustomerRow) -> Customer:
    return Customer(row.id, row.name, row.email)


def _reason(error: Exception) -> str:
    """Return the error's type and the first line of its text; never the statement, its parameters or the URL."""
    original = getattr(error, "orig", None) or error
    first = str(original).strip().splitlines()
    return f"{type(original).__name__}: {first[0]}" if first else type(original).__name__
