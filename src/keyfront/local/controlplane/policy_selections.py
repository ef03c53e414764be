"""The headers, cookies and query strings that cache policies and origin request policies select."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.header_names import HEADER_NAME

_NAMES_NEEDED = {"whitelist", "allExcept", "allViewerAndWhitelistCloudFront"}


def names(config: object, kind: str) -> list[str]:
    """Return the names in a `HeadersConfig`, `CookiesConfig` or `QueryStringsConfig`. `kind` is singular: `Header`."""
    listed = cast("Mapping[str, Mapping[str, list[str]]]", config).get(f"{kind}s", {})
    return list(listed.get("Items", []))


def check(config: object, kind: str, quota: int, too_many: str) -> None:
    """Check one selection (`kind`: `Header`, `Cookie`, `QueryString`).

    Raises `APIError`: `InvalidArgument` for a behavior without the names that it needs, or with names that it cannot
    have; `too_many` for more names than `quota`.
    """
    behavior = str(cast("Mapping[str, object]", config)[f"{kind}Behavior"])
    listed = names(config, kind)
    if (behavior in _NAMES_NEEDED) != bool(listed):
        message = f"With {kind}Behavior {behavior!r} the parameter {kind}s cannot have {len(listed)} items."
        raise APIError("InvalidArgument", message)
    if len({name.lower() if kind == "Header" else name for name in listed}) < len(listed):
        raise APIError("InvalidArgument", f"The parameter {kind}s has the same name twice.")
    if bad := [name for name in listed if not name or (kind == "Header" and not HEADER_NAME.fullmatch(name))]:
        raise APIError("InvalidArgument", f"The parameter {kind}s contains a name that is not valid: {bad[0][:200]!r}.")
    if len(listed) > quota:
        raise APIError(too_many, f"A policy may have {quota} {kind}s; this one has {len(listed)}.")


def check_total(configs: Mapping[str, object], quota: int) -> None:
    """Raise `APIError` `InvalidArgument` if a policy's names have more than `quota` characters. Assumed: the code."""
    total = sum(len(name) for kind, config in configs.items() for name in names(config, kind))
    if total > quota:
        message = f"The names of headers, cookies and query strings have {total} characters; a policy may have {quota}."
        raise APIError("InvalidArgument", message)
