"""Every rule, one file a family. A new family is one more name here."""

from keyfront.explain.registry import RULES
from keyfront.explain.rules import (
    address,
    behavior,
    cookies,
    encoding,
    host,
    keys,
    policy,
    resource,
    response,
    spelling,
    times,
)

__all__ = [
    "RULES",
    "address",
    "behavior",
    "cookies",
    "encoding",
    "host",
    "keys",
    "policy",
    "resource",
    "response",
    "spelling",
    "times",
]
