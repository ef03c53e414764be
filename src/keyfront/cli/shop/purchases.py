"""`keyfront shop purchases`: who may download what."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyfront.cli.options import AsJson
from keyfront.cli.output import Json, printable, say, show, show_json, table
from keyfront.cli.shop.database import SQLITE, CustomerId, Database, ItemId, Source, open_csv, open_ledger
from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.backend.service.ledger import Purchase

_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@_app.command("grant")
def grant(
    customer_id: Annotated[
        str | None,
        typer.Argument(metavar="CUSTOMER", help="The customer's id: the subject (sub) of their tokens."),
    ] = None,
    item_id: Annotated[
        str | None, typer.Argument(metavar="ITEM", help="The item's id, which is in its download's address.")
    ] = None,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="A new customer's name. Default: the id.")] = "",
    email: Annotated[str, typer.Option("--email", metavar="TEXT", help="A new customer's address.")] = "",
    source: Source = None,
    database: Database = SQLITE,
    as_json: AsJson = False,
) -> None:
    """Let a customer download an item, as if they had bought it; or all purchases of a CSV file.

    The first line of the file names the columns: customer, item, and for new customers name and email. All purchases
    are recorded, or none. A second run changes nothing.

    \b
    Examples:
      keyfront shop purchases grant 'auth0|5f7c8ec7' lamps
      keyfront shop purchases grant --from purchases.csv
    """
    if source is not None:
        if customer_id is not None or name or email:
            raise InputError("--from FILE has all values: leave out CUSTOMER, ITEM, --name and --email")
        _grant_all(source, database, as_json=as_json)
        return
    if customer_id is None or item_id is None:
        raise InputError("give CUSTOMER and ITEM for one purchase, or --from FILE for many")
    with open_ledger(database) as ledger:
        from keyfront.backend.service.ledger import Granted, Row
        from keyfront.backend.service.values import Customer

        customer = Customer(customer_id, name or customer_id, email)
        new = bool(ledger.grant([Row(Granted(customer, item_id))]).added)
    if as_json:
        show_json({"customer": customer_id, "item": item_id, "new": new})
    else:
        show(f"{printable(customer_id)} {'can now' if new else 'could already'} download {item_id}.")


def _grant_all(source: Path, database: str, *, as_json: bool) -> None:
    with open_ledger(database) as ledger, open_csv(source) as (lines, name):
        from keyfront.backend.service.csv_files import purchases

        done = ledger.grant(purchases(lines, name))
    if as_json:
        show_json({"added": done.added, "unchanged": done.unchanged})
    else:
        show(f"Purchases: {done.added} added, {done.unchanged} unchanged.")


@_app.command("revoke")
def revoke(customer_id: CustomerId, item_id: ItemId, database: Database = SQLITE, as_json: AsJson = False) -> None:
    """Let a customer no longer download an item. Links that they have work until they expire."""
    with open_ledger(database) as ledger:
        had = ledger.revoke(customer_id, item_id)
    if as_json:
        show_json({"customer": customer_id, "item": item_id, "removed": had})
    elif had:
        show(f"{printable(customer_id)} can no longer download {item_id}. Links from before work until they expire.")
    else:
        show(f"{printable(customer_id)} had not bought {item_id}.")


@_app.command("list")
def list_purchases(
    customer_id: Annotated[
        str | None, typer.Option("--customer", metavar="CUSTOMER", help="Only the purchases of this customer.")
    ] = None,
    item_id: Annotated[str | None, typer.Option("--item", metavar="ITEM", help="Only purchases of this item.")] = None,
    database: Database = SQLITE,
    as_json: AsJson = False,
) -> None:
    """List the purchases, the oldest first."""
    with open_ledger(database) as ledger:
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


def _purchase(bought: "Purchase") -> dict[str, Json]:
    return {
        "customer": bought.customer_id,
        "item": bought.item_id,
        "bought_at": f"{_utc(bought.bought_at):%Y-%m-%dT%H:%M:%SZ}",
    }


def _utc(time: datetime) -> datetime:
    """Return a time in UTC, which SQLite stores without its zone."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def register(shop: typer.Typer) -> None:
    """Add the commands to `keyfront shop`."""
    shop.add_typer(_app, name="purchases", help="Who bought what: grant, revoke and list purchases.")
