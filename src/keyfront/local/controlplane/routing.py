"""Finds the operation of a request by its method, path and query."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.model import OperationModel

from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.model import API_VERSION, service_model


@dataclass(frozen=True)
class RoutedOperation:
    """The operation of a request, with the parameters in its path and query."""

    operation: OperationModel
    labels: Mapping[str, str]
    query: Mapping[str, str]


@dataclass(frozen=True)
class _Route:
    operation: OperationModel
    method: str
    segments: tuple[str, ...]
    flags: Mapping[str, str]
    """Query parameters that are part of the operation's address: `WithTags`, `Operation=Tag`."""

    def labels(self, segments: list[str]) -> dict[str, str] | None:
        if len(segments) != len(self.segments):
            return None
        labels = {}
        for pattern, segment in zip(self.segments, segments, strict=True):
            if pattern.startswith("{"):
                if not segment:
                    return None
                labels[pattern[1:-1]] = unquote(segment)
            elif pattern != segment:
                return None
        return labels

    def flagged(self, query: Mapping[str, str]) -> bool:
        return all(query.get(name) == value for name, value in self.flags.items())


@cache
def _routes() -> tuple[_Route, ...]:
    """Return every operation's address: first those with flags in the query, then those with fewer labels."""
    routes = []
    for name in service_model().operation_names:
        operation = service_model().operation_model(name)
        address = urlsplit(operation.http["requestUri"])
        flags = dict(parse_qsl(address.query, keep_blank_values=True))
        routes.append(_Route(operation, operation.http["method"], tuple(address.path.split("/")), flags))
    return tuple(sorted(routes, key=lambda r: (-len(r.flags), sum(s.startswith("{") for s in r.segments))))


def route(method: str, raw_path: str, query: str) -> RoutedOperation:
    """Return the operation for `method` and `raw_path` (percent-encoded, as sent), with the request's parameters.

    Raises `APIError`: `InvalidAction` for a path or API version that CloudFront does not have, `MethodNotAllowed`, or
    `InvalidArgument` for a query that cannot be read.
    """
    parameters = _parameters(query)
    segments = raw_path.split("/")
    found = [(route, labels) for route in _routes() if (labels := route.labels(segments)) is not None]
    if not found:
        raise APIError("InvalidAction", _unknown_path(raw_path))
    for candidate, labels in found:
        if candidate.method == method and candidate.flagged(parameters):
            return RoutedOperation(candidate.operation, labels, parameters)
    methods = ", ".join(sorted({candidate.method for candidate, _ in found}))
    raise APIError("MethodNotAllowed", f"{method} is not allowed on {raw_path}: use {methods}.")


def _parameters(query: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise APIError("InvalidArgument", "The query string has more than 100 parameters.") from None


def _unknown_path(raw_path: str) -> str:
    version = raw_path.split("/")[1] if raw_path.startswith("/") else ""
    if version != API_VERSION:
        return f"The path must begin with the API version, /{API_VERSION}/; it begins with /{version[:80]}."
    return f"CloudFront's API {API_VERSION} does not have an operation at {raw_path[:200]}."
