"""What a visitor looks at: a search, a folder, an order and a page; and the folders and neighbours there."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self
from urllib.parse import urlencode

_MAX_SEARCH: Final = 80
_MAX_KEY: Final = 1024
ORDERS: Final = {"": "Default", "title": "Title", "price": "Price", "size": "Size"}
"""The orders by their names in an address. The first is the catalogue's own."""


@dataclass(frozen=True, slots=True)
class View:
    """A part of the catalogue, as the address of its page names it."""

    search: str = ""
    folder: str = ""
    """Without a slash at its ends; empty for all folders."""
    order: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Return what an address asks for. What cannot be meant becomes the default."""
        order, page = query.get("sort", ""), query.get("page", "")
        return cls(
            search=_printable(query.get("q", ""))[:_MAX_SEARCH].strip(),
            folder=_printable(query.get("folder", ""))[:_MAX_KEY].strip("/"),
            order=order if order in ORDERS else "",
            page=int(page) if re.fullmatch(r"[1-9][0-9]{0,5}", page) else 1,
        )

    @property
    def href(self) -> str:
        """Its address."""
        given = {
            "q": self.search,
            "folder": self.folder,
            "sort": self.order,
            "page": self.page if self.page > 1 else "",
        }
        query = urlencode({name: value for name, value in given.items() if value})
        return f"/?{query}" if query else "/"

    def at(self, page: int) -> Self:
        """Return another page of it."""
        return replace(self, page=page)

    def by(self, order: str) -> Self:
        """Return it in another order, from the first page."""
        return replace(self, order=order, page=1)

    def into(self, folder: str) -> Self:
        """Return another folder, from the first page."""
        return replace(self, folder=folder, page=1)

    @property
    def trail(self) -> tuple[tuple[str, str], ...]:
        """The folders from the top to this one, each as its name and its path."""
        parts = self.folder.split("/") if self.folder else []
        return tuple((name, "/".join(parts[: depth + 1])) for depth, name in enumerate(parts))


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the catalogue, and the number of items in it and below it."""

    name: str
    path: str
    items: int


def folders_of(keys: Iterable[str], below: str) -> tuple[Folder, ...]:
    """Return the folders directly in the folder `below`, by name."""
    start = f"{below}/" if below else ""
    rest = (key[len(start) :] for key in keys if key.startswith(start))
    counted = Counter(name for name, slash, _ in (each.partition("/") for each in rest) if slash)
    return tuple(Folder(name, start + name, counted[name]) for name in sorted(counted, key=str.casefold))


def neighbours(ids: Sequence[str], item: str) -> tuple[str | None, str | None]:
    """Return the ids before and after `item`."""
    if item not in ids:
        return None, None
    at = ids.index(item)
    return (ids[at - 1] if at else None), (ids[at + 1] if at + 1 < len(ids) else None)


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
