"""The query of Terraform's `data "external"`: options of a command, as a JSON object on standard input.

Source: the provider's page, "External Program Protocol": the object has strings alone, and so has the answer.
"""

import json
import sys
from collections.abc import Mapping
from typing import Final

from keyfront.core.showing import told
from keyfront.errors import InputError

_MOST: Final = 100_000  # characters


def with_query(given: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the options in `given` and those of the query on standard input. The names are those of `given`.

    An empty string is an option that is not given. Raises `InputError` for anything but an object of strings, for an
    unknown name, and for an option that is given twice.
    """
    asked = _read()
    for name, value in asked.items():
        if name not in given:
            raise InputError(f"the query has an unknown member {told(name)}: choose from {', '.join(given)}")
        if not isinstance(value, str):
            raise InputError(f"{name} in the query is not a string: Terraform's tostring() makes one")
        if value and given[name] is not None:
            raise InputError(f"{name} is given in the query and as an option: give it once")
    return {name: value if value is not None else str(asked.get(name, "")) or None for name, value in given.items()}


def as_strings(answer: Mapping[str, object]) -> dict[str, str]:
    """Return `answer` with strings alone: numbers as text, and nothing as an empty string."""
    return {name: "" if value is None else str(value) for name, value in answer.items()}


def _read() -> dict[str, object]:
    needed = 'give the URL to sign, or a query on standard input: {"url": "https://…", "expires": "1h", …}'
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError(f"there is no URL: {needed}")
    try:
        text = sys.stdin.read(_MOST + 1)
        query = json.loads(text) if len(text) <= _MOST else None
    except (ValueError, RecursionError):  # also text that is not UTF-8
        query = None
    if not isinstance(query, dict):
        raise InputError(f"there is no URL, and standard input is not a JSON object: {needed}")
    return query
