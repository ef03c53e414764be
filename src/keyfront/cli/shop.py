"""`keyfront shop`: the purchases database of the download backend. Items, customers, purchases, and the schema."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from keyfront.cli.extras import needs
from keyfront.cli.options import AsJson
from keyfront.cli.output import Json, printable, say, show, show_json, table
from keyfront.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from keyfront.backend.service.ledger import Ledger, Purchase
    from keyfront.backend.service.values import Item

_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
_items = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
_customers = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
_purchases = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_app.add_typer(_items, name="items", help="What is for sale: add, list and remove items.")
_app.add_typer(_customers, name="customers", help="List and remove customers.")
_app.add_typer(_purchases, name="purchases", help="Who bought what: grant, revoke and list purchases.")

_ALL = 1_000_000
_PRICE = re.compile(r"([0-9]{1,7})(?:\.([0-9]{2}))?")

_Database = Annotated[
    str,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="DATABASE_URL",
        help="sqlite:///keyfront.db, or postgresql://user@host/database. A password belongs into DATABASE_URL, because "
        "everybody on this machine can read options.",
    ),
]
_ItemId = Annotated[str, typer.Argument(metavar="ITEM", help="The item's id, which is in its download's address.")]
_CustomerId = Annotated[
    str, typer.Argument(metavar="CUSTOMER", help="The customer's id: the subject (sub) of their tokens.")
]
_SQLITE = "sqlite:///keyfront.db"


@_items.command("add")
def add_item(
    item_id: _ItemId,
    key: Annotated[
        str, typer.Option("--key", metavar="KEY", help="The object's key in the bucket, without a leading slash.")
    ],
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="The title to show. Default: the id.")] = "",
    kind: Annotated[
        str, typer.Option("--kind", metavar="WORD", help="Such as book, audio, video, image or archive.")
    ] = "file",
    author: Annotated[str, typer.Option("--author", metavar="TEXT", help="Who made it.")] = "",
    description: Annotated[str, typer.Option("--description", metavar="TEXT", help="A text about it.")] = "",
    size: Annotated[int, typer.Option("--size", metavar="BYTES", min=0, help="The size of the file.")] = 0,
    price: Annotated[str, typer.Option("--price", metavar="AMOUNT", help="Such as 6.50. 0 is free.")] = "0",
    currency: Annotated[str, typer.Option("--currency", metavar="CODE", help="The ISO 4217 code.")] = "EUR",
    replace: Annotated[
        bool, typer.Option("--replace", help="If the item exists, give it these values; purchases of it stay.")
    ] = False,
    database: _Database = _SQLITE,
    as_json: AsJson = False,
) -> None:
    """Add an item to the catalogue.

    \b
    Example:
      keyfront shop items add lamps --key books/lamps.epub --title 'Small Lights' --price 6.50
    """
    with _ledger(database) as ledger:
        from keyfront.backend.service.values import Item

        item = Item(item_id, title or item_id, key, kind, author, description, size, _cents(price), currency)
        new = ledger.put_item(item, replace=replace)
    if as_json:
        show_json({"id": item.id, "key": item.key, "new": new})
    else:
        show(f"{'Added' if new else 'Updated'} the item {item.id}, which is the object {printable(item.key)}.")


@_items.command("list")
def list_items(
    search: Annotated[
        str,
        typer.Option("--search", metavar="WORDS", help="Only items with these words in title, author, kind or key."),
    ] = "",
    database: _Database = _SQLITE,
    as_json: AsJson = False,
) -> None:
    """List the items, in the catalogue's order."""
    with _ledger(database) as ledger:
        items = ledger.items(search=search, limit=_ALL).items
    if as_json:
        show_json([_item(item) for item in items])
    elif items:
        rows = [(item.id, _money(item), printable(item.title), printable(item.key)) for item in items]
        show(table(("ITEM", "PRICE", "TITLE", "KEY"), rows))
    else:
        say(
            "There are no such items."
            if search
            else "There are no items. Add one: keyfront shop items add ITEM --key KEY"
        )


@_items.command("remove")
def remove_item(
    item_id: _ItemId,
    with_purchases: Annotated[
        bool, typer.Option("--with-purchases", help="Remove it although customers bought it, with their purchases.")
    ] = False,
    database: _Database = _SQLITE,
    as_json: AsJson = False,
) -> None:
    """Remove an item from the catalogue. The file stays in the bucket."""
    with _ledger(database) as ledger:
        bought = ledger.remove_item(item_id, with_purchases=with_purchases)
    if as_json:
        show_json({"id": item_id, "removed_purchases": bought})
    else:
        show(f"Removed the item {item_id}{_with(bought)}.")


@_customers.command("list")
def list_customers(database: _Database = _SQLITE, as_json: AsJson = False) -> None:
    """List the customers, by name. The first purchase adds a customer."""
    with _ledger(database) as ledger:
        customers = ledger.customers(limit=_ALL)
    if as_json:
        show_json([{"id": each.id, "name": each.name, "email": each.email} for each in customers])
    elif customers:
        rows = [(printable(each.id), printable(each.name), printable(each.email)) for each in customers]
        show(table(("CUSTOMER", "NAME", "EMAIL"), rows))
    else:
        say("There are no customers. The first purchase adds one: keyfront shop purchases grant CUSTOMER ITEM")


@_customers.command("remove")
def remove_customer(customer_id: _CustomerId, database: _Database = _SQLITE, as_json: AsJson = False) -> None:
    """Remove a customer and their purchases, as a request to be forgotten demands."""
    with _ledger(database) as ledger:
        bought = ledger.remove_customer(customer_id)
    if as_json:
        show_json({"id": customer_id, "removed_purchases": bought})
    else:
        show(f"Removed the customer {printable(customer_id)}{_with(bought)}.")


@_purchases.command("grant")
def grant(
    customer_id: _CustomerId,
    item_id: _ItemId,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="A new customer's name. Default: the id.")] = "",
    email: Annotated[str, typer.Option("--email", metavar="TEXT", help="A new customer's address.")] = "",
    database: _Database = _SQLITE,
    as_json: AsJson = False,
) -> None:
    """Let a customer download an item, as if they had bought it.

    \b
    Example:
      keyfront shop purchases grant 'auth0|5f7c8ec7' lamps
    """
    with _ledger(database) as ledger:
        new = ledger.grant(customer_id, item_id, name=name, email=email)
    if as_json:
        show_json({"customer": customer_id, "item": item_id, "new": new})
    else:
        show(f"{printable(customer_id)} {'can now' if new else 'could already'} download {item_id}.")


@_purchases.command("revoke")
def revoke(customer_id: _CustomerId, item_id: _ItemId, database: _Database = _SQLITE, as_json: AsJson = False) -> None:
    """Let a customer no longer download an item. Links that they have work until they expire."""
    with _ledger(database) as ledger:
        had = ledger.revoke(customer_id, item_id)
    if as_json:
        show_json({"customer": customer_id, "item": item_id, "removed": had})
    elif had:
        show(f"{printable(customer_id)} can no longer download {item_id}. Links from before work until they expire.")
    else:
        show(f"{printable(customer_id)} had not bought {item_id}.")


@_purchases.command("list")
def list_purchases(
    customer_id: Annotated[
        str | None, typer.Option("--customer", metavar="CUSTOMER", help="Only the purchases of this customer.")
    ] = None,
    item_id: Annotated[str | None, typer.Option("--item", metavar="ITEM", help="Only purchases of this item.")] = None,
    database: _Database = _SQLITE,
    as_json: AsJson = False,
) -> None:
    """List the purchases, the oldest first."""
    with _ledger(database) as ledger:
        bought = ledger.purchases(customer_id=customer_id, item_id=item_id)
    if as_json:
        show_json([_purchase(each) for each in bought])
    elif bought:
        rows = [
            (f"{_utc(each.bought_at):%Y-%m-%d %H:%M}", printable(each.customer_id), each.item_id) for each in bought
        ]
        show(table(("BOUGHT (UTC)", "CUSTOMER", "ITEM"), rows))
    else:
        say("There are no such purchases.")


@_app.command("migrate")
def migrate_schema(
    sql: Annotated[
        bool, typer.Option("--sql", help="Print the SQL for an empty database, and change nothing.")
    ] = False,
    database: _Database = _SQLITE,
    as_json: AsJson = False,
) -> None:
    """Make the tables, or bring them to the state that this version needs. Run it as the owner of the database.

    The backend itself then needs only SELECT on the tables.

    \b
    Examples:
      keyfront shop migrate
      keyfront shop migrate --sql --database postgresql:// > schema.sql
    """
    with _engine(database) as engine:
        from keyfront.backend.migrations import migrate, migration_sql
        from keyfront.backend.service.schema import HEAD

        if sql:
            show(migration_sql(engine.dialect.name).rstrip())
            return
        applied = migrate(engine)
    if as_json:
        show_json({"revision": HEAD, "applied": list(applied)})
    else:
        show(f"The schema is {'now' if applied else 'already'} at revision {HEAD}.")


@contextmanager
def _engine(url: str) -> "Iterator[Engine]":
    with needs("cli,backend"):
        from keyfront.backend.service.tables import connect
    engine = connect(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _ledger(url: str) -> "Iterator[Ledger]":
    with _engine(url) as engine:
        from keyfront.backend.service.ledger import Ledger

        yield Ledger(engine)


def _cents(price: str) -> int:
    found = _PRICE.fullmatch(price)
    if found is None:
        raise InputError(f"--price {price[:40]!r} is not an amount: write it as 6.50, without a currency")
    return int(found[1]) * 100 + int(found[2] or 0)


def _money(item: "Item") -> str:
    return f"{item.price_cents // 100}.{item.price_cents % 100:02} {item.currency}"


def _with(purchases: int) -> str:
    return f" and {purchases} {'purchases' if purchases > 1 else 'purchase'}" if purchases else ""


def _item(item: "Item") -> dict[str, Json]:
    return {name: getattr(item, name) for name in item.__slots__}


def _purchase(bought: "Purchase") -> dict[str, Json]:
    return {
        "customer": bought.customer_id,
        "item": bought.item_id,
        "bought_at": f"{_utc(bought.bought_at):%Y-%m-%dT%H:%M:%SZ}",
    }


def _utc(time: datetime) -> datetime:
    """Return a time in UTC, which SQLite stores without its zone."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def register(app: typer.Typer) -> None:
    """Add `keyfront shop` to the application."""
    app.add_typer(_app, name="shop", help="Manage the purchases database of the download backend.")
