"""Values for error texts and `repr`. A value that might be a private key is never shown."""

import re
from datetime import timedelta
from os import PathLike
from pathlib import PurePath
from typing import Final

from keyfront.errors import InputError

_MOST: Final = 100
_KEY = re.compile(r"-----|PRIVATE KEY|M(?:II|IG|Hc|HQ)[A-Za-z0-9+/]{60}")
"""PEM, or the beginning of its base64 if its first line was lost."""


def told(value: object) -> str:
    """Return `value` for an error's text: its `repr`, or only its type if it might hold a key."""
    if isinstance(value, PurePath):
        return told(str(value)) if like_a_key(value) else str(value)
    if isinstance(value, int | float | None):
        return repr(value)
    if isinstance(value, str) and not like_a_key(value):
        text = repr(value)
        return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…'"
    return f"a {type(value).__name__} that is not shown, because it may be a key"


def in_words(span: timedelta) -> str:
    """Return `30 days` for what Python writes as `30 days, 0:00:00`."""
    return str(span).removesuffix(", 0:00:00")


def like_a_key(value: object) -> bool:
    """Return whether `value` is text or bytes that may hold a private key."""
    if isinstance(value, PathLike):
        value = str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        value = bytes(value).decode("latin-1")
    return isinstance(value, str) and _KEY.search(value) is not None


def refuse_text(value: object, what: str, needed: str) -> None:
    """Raise `InputError` if `value` is text, bytes, a path or a `cryptography` key instead of a keyfront key.

    The error's text never holds the value.
    """
    foreign = type(value).__module__.partition(".")[0] == "cryptography"
    if foreign or isinstance(value, str | bytes | bytearray | memoryview | PathLike):
        raise InputError(f"{what} is a {type(value).__name__}: {needed}")
