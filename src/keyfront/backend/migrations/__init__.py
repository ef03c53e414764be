"""Makes or changes the schema of the purchases database, with Alembic.

A revision is a module in `versions/`. The newest one is `HEAD` of `keyfront.backend.service.schema`.
"""

import io
from pathlib import Path
from typing import Any, Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from keyfront.backend.service.schema import HEAD, VERSION_TABLE, lock, prepare
from keyfront.errors import ServiceError

_FOLDER: Final = Path(__file__).parent


def migrate(engine: Engine) -> list[str]:
    """Bring the schema to `HEAD`, in one transaction. Return the revisions that were applied; none if it was there.

    Raises `ServiceError` if the database refuses or does not answer.
    """
    applied: list[str] = []
    try:
        with engine.begin() as connection:
            lock(connection)
            settings: dict[str, Any] = {"connection": connection, "on_version_apply": _noting(applied)}
            _run(Config(), settings)
        # Tables that somebody dropped, while the revision stayed.
        prepare(engine)
    except SQLAlchemyError as error:
        told = str(getattr(error, "orig", None) or error).strip().splitlines()
        raise ServiceError(f"the schema could not be changed: {told[0] if told else type(error).__name__}") from None
    return applied


def migration_sql(dialect: str) -> str:
    """Return the SQL that makes the schema in an empty database. `dialect` is postgresql or sqlite."""
    told = io.StringIO()
    _run(Config(output_buffer=told), {"dialect_name": dialect, "output_buffer": told}, as_sql=True)
    return told.getvalue()


def _run(config: Config, settings: dict[str, Any], *, as_sql: bool = False) -> None:
    scripts = ScriptDirectory(str(_FOLDER))

    def steps(revision: Any, _: MigrationContext) -> list[Any]:
        # As `alembic upgrade` does.
        return list(scripts._upgrade_revs(HEAD, revision))

    with EnvironmentContext(config, scripts, fn=steps, as_sql=as_sql, destination_rev=HEAD) as context:
        context.configure(version_table=VERSION_TABLE, **settings)
        with context.begin_transaction():
            context.run_migrations()


def _noting(applied: list[str]) -> Any:
    def note(*, step: Any, **_: Any) -> None:
        applied.append(step.up_revision_id)

    return note
