"""What a caller says about a signature, as keyword arguments that are passed on whole.

`Signer` explains each of them. A type checker finds a missing `expires` wherever they are handed on.
"""

from datetime import timedelta
from typing import Required, TypedDict

from keyfront.core.policy import Moment


class Terms(TypedDict, total=False):
    """Until when, from when, and from where."""

    expires: Required[Moment]
    starts: Moment | None
    ip: str | None
    max_lifetime: timedelta | None


class URLTerms(Terms, total=False):
    """As `Terms`, for one URL: `resource` is signed in its place."""

    resource: str | None
