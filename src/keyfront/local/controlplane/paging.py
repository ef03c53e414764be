"""Pages of lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.store import Resource

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import ListRequest

Config = TypeVar("Config")

MAXIMUM = 100
"""The default of `MaxItems`. Assumed: a larger `MaxItems` gets pages of this size too."""


def page(
    resources: Iterable[Resource[Config]], request: ListRequest, item: Callable[[Resource[Config]], object]
) -> dict[str, object]:
    """Return a page of a list: `Marker`, `NextMarker`, `MaxItems`, `IsTruncated`, `Quantity` and `Items`.

    `resources` are sorted by id. A marker is the id of the last item of the page before, which may have been deleted
    since. Raises `APIError` `InvalidArgument` for a `MaxItems` that is not a positive number.
    """
    marker, size = request.get("Marker", ""), _size(request.get("MaxItems"))
    rest = [resource for resource in resources if resource.id > marker]
    shown = rest[:size]
    listing: dict[str, object] = {
        "Marker": marker,
        "MaxItems": size,
        "IsTruncated": len(rest) > size,
        "Quantity": len(shown),
    }
    if len(rest) > size:
        listing["NextMarker"] = shown[-1].id
    if shown:
        listing["Items"] = [item(resource) for resource in shown]
    return listing


def short_page(
    resources: Iterable[Resource[Config]], request: ListRequest, item: Callable[[Resource[Config]], object]
) -> dict[str, object]:
    """Return a `page` without `Marker` and `IsTruncated`, as lists of public keys and key groups are."""
    listing = page(resources, request, item)
    return {name: value for name, value in listing.items() if name not in ("Marker", "IsTruncated")}


def _size(max_items: str | None) -> int:
    if max_items is None:
        return MAXIMUM
    if not max_items.isascii() or not max_items.isdigit() or len(max_items) > 9 or int(max_items) == 0:
        message = f"The parameter MaxItems must be a number, 1 or more; it is '{max_items[:50]}'."
        raise APIError("InvalidArgument", message)
    return min(int(max_items), MAXIMUM)
