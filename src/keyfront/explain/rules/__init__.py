"""All rules, one file for each family. A new family adds its name here."""

from keyfront.explain.registry import RULES
from keyfront.explain.rules import (
    address,
    behavior,
    browser,
    bucket,
    cookies,
    credentials,
    encoding,
    hashes,
    host,
    ids,
    keys,
    paths,
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
    "browser",
    "bucket",
    "cookies",
    "credentials",
    "encoding",
    "hashes",
    "host",
    "ids",
    "keys",
    "paths",
    "policy",
    "resource",
    "response",
    "spelling",
    "times",
]
