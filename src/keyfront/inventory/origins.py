"""Replaces the addresses of origins, for an edge that reaches them at other URLs than the account says."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from keyfront.errors import InputError
from keyfront.inventory.values import CustomOrigin, Distribution, Origin


def with_origins(distributions: Iterable[Distribution], origins: Mapping[str, str]) -> Iterator[Distribution]:
    """Yield the distributions, with the origins in `origins` (ids and URLs) reached at those URLs instead.

    Raises `InputError` for an id that no distribution has, and for a URL that cannot be an origin's.
    """
    distributions = tuple(distributions)
    known = {origin.id for each in distributions for origin in each.origins}
    if unknown := sorted(origins.keys() - known):
        raise InputError(f"there is no origin {unknown[0]!r}: the configuration has {', '.join(sorted(known))}")
    for each in distributions:
        yield replace(
            each,
            origins=tuple(
                _moved(origin, origins[origin.id]) if origin.id in origins else origin for origin in each.origins
            ),
        )


def _moved(origin: Origin, url: str) -> Origin:
    """Return the origin as a web server at `url`, with the origin's own path and headers."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InputError(f"the origin {origin.id} cannot be at {url!r}: give http://host:port or https://host:port")
    before = origin.custom or CustomOrigin()
    secure = parts.scheme == "https"
    custom = replace(
        before,
        http_port=before.http_port if secure else port or 80,
        https_port=(port or 443) if secure else before.https_port,
        protocol_policy="https-only" if secure else "http-only",
    )
    return replace(
        origin,
        domain_name=parts.hostname,
        path=parts.path.rstrip("/") + origin.path,
        custom=custom,
        access_control="",
        access_identity="",
    )
