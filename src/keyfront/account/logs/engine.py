"""DuckDB in this process: bounded memory, its tables in a temporary folder, and the views of `sql/`."""

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Final, TypeVar

import duckdb

from keyfront.errors import InputError

T = TypeVar("T")

VIEWS: Final = ("keys", "visits", "links", "lives", "referrers", "hours", "refused")
"""The views over `requests`, in an order in which each reads only earlier ones."""
MEMORY: Final = "512MB"
_LEAST_MEGABYTES: Final = 128


def sql(name: str) -> str:
    """Return the text of a file in `sql/`."""
    return (resources.files("keyfront.account.logs") / "sql" / f"{name}.sql").read_text("utf-8")


def checked_memory(text: str) -> str:
    """Return a size such as `512MB`. Raises `InputError`."""
    found = re.fullmatch(r"([1-9][0-9]{0,5}) ?(MB|GB)", text.strip().upper())
    if found is None or (found[2] == "MB" and int(found[1]) < _LEAST_MEGABYTES):
        raise InputError(f"--memory {text[:40]!r} is not a size of at least {_LEAST_MEGABYTES}MB, such as 512MB or 2GB")
    return f"{found[1]}{found[2]}"


class Engine:
    """A DuckDB database in a folder of its own, which is deleted at the end."""

    def __init__(self, folder: Path, memory: str = MEMORY) -> None:
        self.folder = folder
        self.connection = duckdb.connect(str(folder / "logs.duckdb"))
        settings = {
            "memory_limit": memory,
            "temp_directory": str(folder / "spill"),
            "preserve_insertion_order": "false",
            "enable_progress_bar": "false",
            # Log files are data: they must not make DuckDB load or fetch anything.
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        for name, value in settings.items():
            self.connection.execute(f"SET {name} = '{value}'")
        self.connection.execute(sql("functions.duckdb"))

    def rows(self, query: str, values: list[object] | None = None) -> list[tuple[object, ...]]:
        """Run a query and return its rows. Raises `KeyboardInterrupt` after Ctrl-C."""
        with _interruptible():
            return self.connection.execute(query, values or []).fetchall()

    def records(self, kind: Callable[..., T], query: str) -> list[T]:
        """Run a query and return an object for each row. Its fields have the names of the query's columns.

        Raises `KeyboardInterrupt` after Ctrl-C.
        """
        with _interruptible():
            found = self.connection.execute(query)
            names = [str(column[0]) for column in found.description]
            return [kind(**dict(zip(names, row, strict=True))) for row in found.fetchall()]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep what the block does only if it ends without an exception."""
        self.connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Raise `KeyboardInterrupt` after Ctrl-C during a query: DuckDB catches that, and raises another error."""
    try:
        yield
    except (RuntimeError, duckdb.InterruptException) as error:
        if "interrupt" not in str(error).lower():
            raise
        raise KeyboardInterrupt from None


@contextmanager
def opened(memory: str = MEMORY) -> Iterator[Engine]:
    """Yield an engine in a temporary folder that is deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="keyfront-logs-", ignore_cleanup_errors=True) as folder:
        engine = Engine(Path(folder), memory)
        try:
            yield engine
        finally:
            engine.connection.close()
