"""The schema of the purchases database: migrations, what an earlier version made, and roles that may not change it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text
from tests.backend.conftest import BOUGHT, ITEMS, MARA, TOMAS
from tests.backend.postgres import Postgres

from keyfront.backend import Purchases, connect, migrations, seed
from keyfront.backend.migrations import migrate, migration_sql
from keyfront.backend.service.schema import HEAD, VERSION_TABLE, SchemaError
from keyfront.backend.service.tables import Base
from keyfront.errors import ServiceError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path}/shop.db")
    yield engine
    engine.dispose()


def differences(engine: Engine) -> list[object]:
    """How the database differs from what the service expects."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return list(compare_metadata(context, Base.metadata))


def test_the_newest_revision_is_the_one_that_the_service_needs() -> None:
    assert ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head() == HEAD


def test_migrations_make_the_tables_that_the_service_makes(empty: Engine, tmp_path: Path) -> None:
    assert migrate(empty) == [HEAD]
    assert migrate(empty) == []
    assert differences(empty) == []
    other = connect(f"sqlite:///{tmp_path}/other.db")
    Purchases(other).check()
    assert differences(other) == []
    assert migrate(other) == []
    other.dispose()


def test_tables_of_an_earlier_version_stay_with_their_rows(empty: Engine) -> None:
    seed(empty, ITEMS, (MARA, TOMAS), BOUGHT)
    with empty.begin() as connection:
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
    assert migrate(empty) == [HEAD]
    assert Purchases(empty).library("mara") == ITEMS[:2]


def test_a_missing_column_names_the_command(empty: Engine) -> None:
    seed(empty, ITEMS, (MARA,), [])
    with empty.begin() as connection:
        connection.execute(text("ALTER TABLE items DROP COLUMN currency"))
    with pytest.raises(SchemaError, match=r"has no column items\.currency, so it is too old: run `keyfront shop migr"):
        Purchases(empty).item("lamps")


def test_a_table_that_somebody_dropped_is_made_again(empty: Engine) -> None:
    migrate(empty)
    with empty.begin() as connection:
        connection.execute(text("DROP TABLE purchases"))
    migrate(empty)
    assert differences(empty) == []


def test_a_database_that_does_not_answer_is_one_line_without_its_password() -> None:
    engine = connect("postgresql://shop:MARKERsecret@127.0.0.1:1/shop")
    with pytest.raises(ServiceError, match="the schema could not be changed: connection failed") as caught:
        migrate(engine)
    assert "MARKER" not in str(caught.value)
    assert "\n" not in str(caught.value)
    engine.dispose()


def test_the_sql_for_people_is_the_migrations() -> None:
    told = "\n".join(line.rstrip() for line in migration_sql("postgresql").strip().splitlines()) + "\n"
    assert (ROOT / "deploy" / "schema.sql").read_text().partition("\n\n")[2] == told, (
        "write deploy/schema.sql again: keyfront shop migrate --sql --database postgresql://"
    )


def test_a_role_that_may_not_make_tables_is_told_who_can(postgres: Postgres) -> None:
    owner = connect(postgres.url)
    with postgres.role("reader"):
        limited = connect(postgres.url.replace("postgres@", "reader@"))
        with pytest.raises(SchemaError, match=r"no table customers that this role can see.*run `keyfront shop migra"):
            Purchases(limited).check()
        assert migrate(owner) == [HEAD]
        assert differences(owner) == []
        with owner.begin() as connection:
            connection.execute(text("GRANT SELECT ON customers, items, purchases TO reader"))
        Purchases(limited).check()
        assert Purchases(limited).entitlement("mara", "lamps") == (None, False)
        limited.dispose()
    owner.dispose()


def test_the_written_sql_makes_the_tables(postgres: Postgres) -> None:
    owner = connect(postgres.url)
    with owner.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.autocommit = True
        raw.execute((ROOT / "deploy" / "schema.sql").read_text())
    assert differences(owner) == []
    assert migrate(owner) == []
    assert VERSION_TABLE in inspect(owner).get_table_names()
    owner.dispose()
