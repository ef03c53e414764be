"""A shop's items, customers and purchases, and the bundled shop."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from keyfront.backend import Customer, Item

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Shop:
    """A folder of files, and the data to sell them."""

    title: str
    items: tuple[Item, ...]
    customers: tuple[Customer, ...]
    purchases: frozenset[tuple[str, str]]
    """Pairs of a customer's id and an item's id."""
    folder: Path
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Files of the folder that are not for sale, with the reason."""

    def path(self, item: Item) -> Path:
        """Return the path of an item's file."""
        return self.folder.joinpath(*item.key.split("/"))

    def bought(self, customer_id: str) -> frozenset[str]:
        """Return the ids of the items that a customer has bought."""
        return frozenset(item for customer, item in self.purchases if customer == customer_id)


def bundled() -> Shop:
    """Return the shop that comes with keyfront: a book, a guide, a recording, and two customers."""
    catalogue = json.loads((_HERE / "catalogue.json").read_text("utf-8"))
    folder = _HERE / "files"
    return Shop(
        title=catalogue["title"],
        items=tuple(
            Item(**entry, currency=catalogue["currency"], size=(folder / entry["key"]).stat().st_size)
            for entry in catalogue["items"]
        ),
        customers=tuple(Customer(**entry) for entry in catalogue["customers"]),
        purchases=pairs((customer, items) for customer, items in catalogue["purchases"].items()),
        folder=folder,
    )


def pairs(bought: Iterable[tuple[str, Iterable[str]]]) -> frozenset[tuple[str, str]]:
    """Return purchases as pairs, from each customer's id and the ids of their items."""
    return frozenset((customer, item) for customer, items in bought for item in items)
