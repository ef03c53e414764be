"""Commands that need an extra say which one when it is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from keyfront.errors import KeyfrontError
from keyfront.home import install


@contextmanager
def needs(extras: str) -> Iterator[None]:
    """Around the imports of a command: a module that is missing becomes the line that installs it."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "keyfront":
            raise
        raise KeyfrontError(f"this command needs {missing}: {install(extras)}") from None
