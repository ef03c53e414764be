"""Items and purchases from CSV files, row by row.

The first line names the columns. The separator is a comma; a semicolon or a tab if the first line has no comma. Spaces
around a value are removed. An empty cell is a value that is not given.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from keyfront.backend.service.ledger import Granted, Row
from keyfront.backend.service.values import Customer, Item, price_in_cents
from keyfront.errors import InputError

_SEPARATORS: Final = ",;\t"
_ITEM: Final = {"id": True, "key": True} | dict.fromkeys(
    ("title", "kind", "author", "description", "size", "price", "currency"), False
)
_PURCHASE: Final = {"customer": True, "item": True, "name": False, "email": False}
_SIZE_DIGITS: Final = 19


def items(lines: Iterable[str], name: str) -> Iterator[Row[Item]]:
    """Yield the items of a CSV file. `name` is the file's name in errors.

    Raises `InputError` for a row that cannot be used, with its line.
    """
    for where, cells in _rows(lines, name, _ITEM):
        try:
            item = _item(cells)
        except InputError as error:
            raise InputError(f"{where}{error}") from None
        yield Row(item, where)


def purchases(lines: Iterable[str], name: str) -> Iterator[Row[Granted]]:
    """Yield the purchases of a CSV file, as `items` yields items."""
    for where, cells in _rows(lines, name, _PURCHASE):
        customer = cells["customer"]
        try:
            buyer = Customer(customer, cells.get("name", customer), cells.get("email", ""))
        except InputError as error:
            raise InputError(f"{where}{error}") from None
        yield Row(Granted(buyer, cells["item"]), where)


def _item(cells: dict[str, str]) -> Item:
    size, price = cells.pop("size", "0"), cells.pop("price", "0")
    if not (size.isascii() and size.isdigit() and len(size) <= _SIZE_DIGITS):
        raise InputError(f"the size {size[:40]!r} is not a number of bytes: write digits only, such as 94601")
    given = {"title": cells["id"]} | cells
    return Item(**given, size=int(size), price_cents=price_in_cents(price))


def _rows(lines: Iterable[str], name: str, columns: Mapping[str, bool]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each row as its place, for errors, and its cells that are not empty. `columns` says which must be there."""
    each, ended = iter(lines), 0
    try:
        first = next(each, "")
        separator = next((sign for sign in _SEPARATORS if sign in first), ",")
        titles = _titles(next(csv.reader([first], delimiter=separator, strict=True), []), name, columns)
        reader, ended = csv.reader(each, delimiter=separator, strict=True), 1
        for cells in reader:
            where, ended = f"{name}, line {ended + 1}: ", reader.line_num + 1
            if cells:
                yield where, _named(cells, titles, where, columns)
    except csv.Error as error:
        raise InputError(f"{name}, line {ended + 1}: {error}: a text that begins with a quote ends with one") from None
    except UnicodeDecodeError:
        raise InputError(f"{name} is not UTF-8 text: save it as CSV UTF-8") from None


def _titles(cells: list[str], name: str, columns: Mapping[str, bool]) -> list[str]:
    titles = [cell.strip().lower() for cell in cells]
    needed = ", ".join(column for column, must in columns.items() if must)
    others = ", ".join(column for column, must in columns.items() if not must)
    missing = [column for column, must in columns.items() if must and column not in titles]
    unknown = [title for title in titles if title not in columns]
    twice = [title for title in titles if titles.count(title) > 1]
    for found, wrong in (
        (unknown, "has the unknown column"),
        (missing, "has no column"),
        (twice, "has twice the column"),
    ):
        if found:
            raise InputError(f"{name}: the first line {wrong} {found[0][:60]!r}: write {needed}, and any of {others}")
    return titles


def _named(cells: list[str], titles: list[str], where: str, columns: Mapping[str, bool]) -> dict[str, str]:
    if len(cells) != len(titles):
        raise InputError(
            f"{where}it has {len(cells)} cells, and the first line has {len(titles)}: put a text that contains the "
            "separator in quotes"
        )
    found = {title: cell.strip() for title, cell in zip(titles, cells, strict=True)}
    for title, cell in found.items():
        if columns[title] and not cell:
            raise InputError(f"{where}the {title} is empty")
    return {title: cell for title, cell in found.items() if cell}
