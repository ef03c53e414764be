"""`keyfront shop items`: what is for sale."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keyfront.cli.options import AsJson
from keyfront.cli.output import Json, printable, say, show, show_json, table
from keyfront.cli.shop.database import ALL, SQLITE, Database, ItemId, Source, open_csv, open_ledger, with_purchases_text
from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.backend.service.values import Item

_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@_app.command("add")
def add_item(
    item_id: Annotated[
        str | None, typer.Argument(metavar="ITEM", help="The item's id, which is in its download's address.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="KEY", help="The object's key in the bucket, without a leading slash."),
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="The title to show. Default: the id.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="WORD", help="Such as book, audio, video, image or archive. Default: file."),
    ] = None,
    author: Annotated[str | None, typer.Option("--author", metavar="TEXT", help="Who made it.")] = None,
    description: Annotated[str | None, typer.Option("--description", metavar="TEXT", help="A text about it.")] = None,
    size: Annotated[int | None, typer.Option("--size", metavar="BYTES", min=0, help="The size of the file.")] = None,
    price: Annotated[
        str | None, typer.Option("--price", metavar="AMOUNT", help="Such as 6.50. Default: 0, which is free.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option("--currency", metavar="CODE", help="The ISO 4217 code. Default: EUR.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="If an item exists, give it these values; purchases of it stay.")
    ] = False,
    source: Source = None,
    database: Database = SQLITE,
    as_json: AsJson = False,
) -> None:
    """Add an item to the catalogue, or all items of a CSV file.

    The first line of the file names the columns: id, key, and any of title, kind, author, description, size, price,
    currency. All items are added, or none. A second run changes nothing.

    \b
    Examples:
      keyfront shop items add lamps --key books/lamps.epub --title 'Small Lights' --price 6.50
      keyfront shop items add --from items.csv
    """
    values = {
        "title": title, "kind": kind, "author": author, "description": description, "size": size, "currency": currency,
    }  # fmt: skip
    given: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    if source is not None:
        if item_id is not None or key is not None or price is not None or given:
            raise InputError("--from FILE has all values: leave out ITEM, --key and the other options of one item")
        _add_all(source, database, replace=replace, as_json=as_json)
        return
    if item_id is None or key is None:
        raise InputError("give ITEM and --key KEY for one item, or --from FILE for many")
    with open_ledger(database) as ledger:
        from keyfront.backend.service.ledger import Row
        from keyfront.backend.service.values import Item, price_in_cents

        item = Item(item_id, key=key, price_cents=price_in_cents(price or "0"), **({"title": item_id} | given))
        changes = ledger.put_items([Row(item)], replace=replace)
    if as_json:
        show_json({"id": item.id, "key": item.key, "new": bool(changes.added)})
    elif changes.unchanged:
        show(f"The item {item.id} is there already, with these values.")
    else:
        show(
            f"{'Added' if changes.added else 'Updated'} the item {item.id}, which is the object {printable(item.key)}."
        )


def _add_all(source: Path, database: str, *, replace: bool, as_json: bool) -> None:
    with open_ledger(database) as ledger, open_csv(source) as (lines, name):
        from keyfront.backend.service.csv_files import items

        done = ledger.put_items(items(lines, name), replace=replace)
    if as_json:
        show_json({"added": done.added, "updated": done.updated, "unchanged": done.unchanged})
    else:
        show(f"Items: {done.added} added, {done.updated} updated, {done.unchanged} unchanged.")


@_app.command("list")
def list_items(
    search: Annotated[
        str,
        typer.Option("--search", metavar="WORDS", help="Only items with these words in title, author, kind or key."),
    ] = "",
    database: Database = SQLITE,
    as_json: AsJson = False,
) -> None:
    """List the items, in the catalogue's order."""
    with open_ledger(database) as ledger:
        items = ledger.items(search=search, limit=ALL).items
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


@_app.command("remove")
def remove_item(
    item_id: ItemId,
    with_purchases: Annotated[
        bool, typer.Option("--with-purchases", help="Remove it although customers bought it, with their purchases.")
    ] = False,
    database: Database = SQLITE,
    as_json: AsJson = False,
) -> None:
    """Remove an item from the catalogue. The file stays in the bucket."""
    with open_ledger(database) as ledger:
        bought = ledger.remove_item(item_id, with_purchases=with_purchases)
    if as_json:
        show_json({"id": item_id, "removed_purchases": bought})
    else:
        show(f"Removed the item {item_id}{with_purchases_text(bought)}.")


def _money(item: "Item") -> str:
    return f"{item.price_cents // 100}.{item.price_cents % 100:02} {item.currency}"


def _item(item: "Item") -> dict[str, Json]:
    return {name: getattr(item, name) for name in item.__slots__}


def register(shop: typer.Typer) -> None:
    """Add the commands to `keyfront shop`."""
    shop.add_typer(_app, name="items", help="What is for sale: add, list and remove items.")
