"""All rules, one file for each family. A new family adds its name here."""

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
