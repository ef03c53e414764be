"""Checks of the names that constructs take. Values that a deployment only makes later are not checked."""

import re
from typing import Final

from aws_cdk import Token

from keyfront.errors import InputError

_SHORT: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")


def check_short(value: str, what: str) -> None:
    """Raise `InputError` unless `value` has 1 to 40 letters, digits, `-` and `_`."""
    if not Token.is_unresolved(value) and not _SHORT.fullmatch(value):
        raise InputError(f"{what} is {value!r}: use 1 to 40 letters, digits, - and _")
