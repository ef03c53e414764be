"""The options of a signature, as keyword arguments that functions pass on.

`Signer` explains each of them. A type checker finds a missing `expires` wherever they are passed on.
"""

from datetime import timedelta
from typing import Required, TypedDict

from keyfront.core.policy import Moment


class Terms(TypedDict, total=False):
    """Expiry, start, viewer address and longest lifetime."""

    expires: Required[Moment]
    starts: Moment | None
    ip: str | None
    max_lifetime: timedelta | None


class URLTerms(Terms, total=False):
    """`Terms` for one URL: `resource` is signed instead of it."""

    resource: str | None
