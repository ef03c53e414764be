"""Refusals as responses: JSON for programs, a page for people."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import TypeVar

from keyfront.backend.service.exchange import Request, ServiceResponse
from keyfront.backend.service.refusals import Refusal, RefusedError, broken, unavailable
from keyfront.errors import KeyfrontError, ServiceError

_log = logging.getLogger(__name__)

R = TypeVar("R", bound=Request)

Page = Callable[[R, Refusal], str]
"""Takes the request and its refusal, and returns the page that shows it."""


def refused(request: R, refusal: Refusal, page: Page[R]) -> ServiceResponse:
    """Return the response for a refusal: a page or JSON, as the request's Accept header prefers."""
    if not wants_page(request.headers.get("accept", "")):
        return plain(refusal, ("vary", "Accept"))
    headers = (("content-type", "text/html; charset=utf-8"), *_named(refusal), ("vary", "Accept"))
    return ServiceResponse(refusal.status, headers, page(request, refusal).encode(), refusal.error)


def plain(refusal: Refusal, *more: tuple[str, str]) -> ServiceResponse:
    """Return a refusal as JSON, with `more` headers."""
    body = as_json({"error": refusal.error, "message": refusal.message}).encode()
    headers = (("content-type", "application/json"), *_named(refusal), *more)
    return ServiceResponse(refusal.status, headers, body, refusal.error)


def _named(refusal: Refusal) -> Iterator[tuple[str, str]]:
    return ((name.lower(), value) for name, value in refusal.headers.items())


def as_json(value: object) -> str:
    """Return `value` as compact JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def refusal_of(error: Exception, method: str, path: str) -> Refusal:
    """Return the refusal for an exception. The details for the operator are logged, and nowhere else."""
    if isinstance(error, RefusedError):
        return error.refusal
    if isinstance(error, ServiceError):
        _log.error("%s %s: %s", method, path, error)
        return unavailable()
    if isinstance(error, KeyfrontError):
        _log.error("%s %s cannot be answered: %s", method, path, error)
    return broken()


def wants_page(accept: str) -> bool:
    """Return whether an Accept header prefers HTML to JSON. Without a preference it does not: browsers have one."""
    return _quality(accept, "text", "html") > _quality(accept, "application", "json")


def _quality(accept: str, kind: str, subtype: str) -> float:
    """Return the weight of a media type: RFC 9110, section 12.5.1; the most specific range counts."""
    found = {}
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        try:
            found[name] = min(max(float(weight), 0.0), 1.0)
        except ValueError:
            continue
    for name in (f"{kind}/{subtype}", f"{kind}/*", "*/*"):
        if name in found:
            return found[name]
    return 0.0
