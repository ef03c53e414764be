"""`keyfront shop customers`: who bought anything."""

import typer

from keyfront.cli.options import AsJson
from keyfront.cli.output import printable, say, show, show_json, table
from keyfront.cli.shop.database import ALL, SQLITE, CustomerId, Database, open_ledger, with_purchases_text

_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@_app.command("list")
def list_customers(database: Database = SQLITE, as_json: AsJson = False) -> None:
    """List the customers, by name. The first purchase adds a customer."""
    with open_ledger(database) as ledger:
        customers = ledger.customers(limit=ALL)
    if as_json:
        show_json([{"id": each.id, "name": each.name, "email": each.email} for each in customers])
    elif customers:
        rows = [(printable(each.id), printable(each.name), printable(each.email)) for each in customers]
        show(table(("CUSTOMER", "NAME", "EMAIL"), rows))
    else:
        say("There are no customers. The first purchase adds one: keyfront shop purchases grant CUSTOMER ITEM")


@_app.command("remove")
def remove_customer(customer_id: CustomerId, database: Database = SQLITE, as_json: AsJson = False) -> None:
    """Remove a customer and their purchases, as a request to be forgotten demands."""
    with open_ledger(database) as ledger:
        bought = ledger.remove_customer(customer_id)
    if as_json:
        show_json({"id": customer_id, "removed_purchases": bought})
    else:
        show(f"Removed the customer {printable(customer_id)}{with_purchases_text(bought)}.")


def register(shop: typer.Typer) -> None:
    """Add the commands to `keyfront shop`."""
    shop.add_typer(_app, name="customers", help="List and remove customers.")
