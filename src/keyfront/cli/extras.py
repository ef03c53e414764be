"""Name the missing extra if a command needs one that is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from keyfront.errors import KeyfrontError
from keyfront.home import install


@contextmanager
def needs(extras: str) -> Iterator[None]:
    """Turn a missing module in the block into an error with the command that installs it."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "keyfront":
            raise
        raise KeyfrontError(f"this command needs {missing}: {install(extras)}") from None
