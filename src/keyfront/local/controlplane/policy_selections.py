"""What cache policies and origin request policies share: which headers, cookies and query strings they select."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from keyfront.local.controlplane.faults import APIError

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NAMES_NEEDED = {"whitelist", "allExcept", "allViewerAndWhitelistCloudFront"}


def names(config: object, kind: str) -> list[str]:
    """The names that a `HeadersConfig`, `CookiesConfig` or `QueryStringsConfig` lists; `kind` is in the singular."""
    listed = cast("Mapping[str, Mapping[str, list[str]]]", config).get(f"{kind}s", {})
    return list(listed.get("Items", []))


def check(config: object, kind: str, quota: int, too_many: str) -> None:
    """Check one selection (`kind`: `Header`, `Cookie`, `QueryString`).

    Raises `APIError`: `InvalidArgument` for a behavior without the names it needs, or with names it cannot have;
    `too_many` for more names than `quota`.
    """
    behavior = str(cast("Mapping[str, object]", config)[f"{kind}Behavior"])
    listed = names(config, kind)
    if (behavior in _NAMES_NEEDED) != bool(listed):
        message = f"The parameter {kind}s does not go with {kind}Behavior {behavior!r}: it has {len(listed)} items."
        raise APIError("InvalidArgument", message)
    if len({name.lower() if kind == "Header" else name for name in listed}) < len(listed):
        raise APIError("InvalidArgument", f"The parameter {kind}s names the same one twice.")
    if bad := [name for name in listed if not name or (kind == "Header" and not _HEADER_NAME.fullmatch(name))]:
        raise APIError("InvalidArgument", f"The parameter {kind}s contains a name that is not valid: {bad[0][:200]!r}.")
    if len(listed) > quota:
        raise APIError(too_many, f"A policy may name {quota} {kind}s; this one names {len(listed)}.")


def check_total(configs: Mapping[str, object], quota: int) -> None:
    """`InvalidArgument` when all names of a policy together have more than `quota` characters. Assumed: the code."""
    total = sum(len(name) for kind, config in configs.items() for name in names(config, kind))
    if total > quota:
        message = f"The names of headers, cookies and query strings of a policy have {total} characters, of {quota}."
        raise APIError("InvalidArgument", message)
