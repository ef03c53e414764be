"""`keyfront shop`: the purchases database of the download backend. Items, customers, purchases, and the schema."""

from typing import Annotated

import typer

from keyfront.cli.options import AsJson
from keyfront.cli.output import show, show_json
from keyfront.cli.shop import customers, items, purchases
from keyfront.cli.shop.database import SQLITE, Database, open_engine

_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

for _group in (items, customers, purchases):
    _group.register(_app)


@_app.command("migrate")
def migrate_schema(
    sql: Annotated[
        bool, typer.Option("--sql", help="Print the SQL for an empty database, and change nothing.")
    ] = False,
    database: Database = SQLITE,
    as_json: AsJson = False,
) -> None:
    """Make the tables, or bring them to the state that this version needs. Run it as the owner of the database.

    The backend itself then needs only SELECT on the tables.

    \b
    Examples:
      keyfront shop migrate
      keyfront shop migrate --sql --database postgresql:// > schema.sql
    """
    with open_engine(database) as engine:
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


def register(app: typer.Typer) -> None:
    """Add `keyfront shop` to the application."""
    app.add_typer(_app, name="shop", help="Manage the purchases database of the download backend.")
