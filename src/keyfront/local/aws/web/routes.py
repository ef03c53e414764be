"""Chooses the route of an HTTP API for a request.

Source: API Gateway Developer Guide, "Routes for HTTP APIs": a full match, then one with a greedy variable, then
`$default`. A method wins over `ANY`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from keyfront.local.aws.web.requests import decoded

DEFAULT: Final = "$default"


@dataclass(frozen=True)
class Route:
    """A route: its key (`GET /items/{id}`), its integration, and its authorization."""

    key: str
    integration: str
    authorization: str
    authorizer: str | None
    scopes: tuple[str, ...]

    @property
    def path(self) -> str:
        """Its path, or its key if it has no path."""
        return self.key.partition(" ")[2] or self.key


def choose(routes: Iterable[Route], method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
    """Return the route for a path (not decoded, without the stage) and its path parameters, or `None`."""
    best: tuple[tuple[int, ...], Route, Mapping[str, str]] | None = None
    for route in routes:
        found = _match(route, method, path)
        if found is not None and (best is None or found[0] > best[0]):
            best = (found[0], route, found[1])
    return None if best is None else (best[1], best[2])


def _match(route: Route, method: str, path: str) -> tuple[tuple[int, ...], Mapping[str, str]] | None:
    """Return how well a route matches (higher is better) and the path parameters, or `None`."""
    if route.key == DEFAULT:
        return (0,), {}
    wanted, _, pattern = route.key.partition(" ")
    if wanted not in ("ANY", method):
        return None
    expected, given = pattern.split("/")[1:], path.split("/")[1:]
    greedy = bool(expected) and expected[-1].endswith("+}")
    if greedy:
        if len(given) < len(expected) or not "/".join(given[len(expected) - 1 :]):
            return None
        given = [*given[: len(expected) - 1], "/".join(given[len(expected) - 1 :])]
    if len(expected) != len(given):
        return None
    parameters: dict[str, str] = {}
    literal: list[int] = []
    for want, have in zip(expected, given, strict=True):
        if want.startswith("{") and want.endswith("}"):
            if not have:
                return None
            parameters[want[1:-1].removesuffix("+")] = decoded(have)
            literal.append(0)
        elif want == decoded(have):
            literal.append(1)
        else:
            return None
    return (1 if greedy else 2, *literal, int(wanted != "ANY")), parameters
