"""`shop.toml`: the titles, prices and order of a folder's items. It is optional, and so is all that it can hold.

title = "Lamp & Key"
currency = "EUR"
price = 5.00            # of every item without one

[[items]]
file = "music/night-watch.flac"
title = "Night Watch"
author = "Skerrow Music Box"
description = "A slow waltz."
kind = "audio"
price = 1.50
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from keyfront.errors import InputError
from keyfront.local.aws.content_folder import SHOP_FILE

_TOP: Final = ("title", "currency", "price", "items")
_TEXTS: Final = ("title", "author", "description", "kind")
_OF_AN_ITEM: Final = ("file", *_TEXTS, "price")


@dataclass(frozen=True, slots=True)
class ShopFile:
    """The content of `shop.toml`."""

    title: str = ""
    currency: str = ""
    price_cents: int | None = None
    items: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Fields of `Item` by the item's key, in the order of the catalogue."""


def read_shop_file(root: Path) -> ShopFile:
    """Return the `shop.toml` in the folder `root`, or an empty one. Raises `InputError` for what it cannot hold."""
    path = root / SHOP_FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return ShopFile()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    try:
        given = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not TOML: {error}") from None
    _check_names(given, _TOP, f"{path}")
    entries = given.get("items", [])
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise InputError(f"{path}: items is not a list of tables: write [[items]]")
    items: dict[str, Mapping[str, Any]] = {}
    for entry in entries:
        key, fields = _item(entry, path)
        if key in items:
            raise InputError(f"{path} has the file {key!r} twice: remove one")
        items[key] = fields
    price = _cents(given["price"], f"{path}: price") if "price" in given else None
    return ShopFile(_text(given, "title", f"{path}"), _text(given, "currency", f"{path}"), price, items)


def _item(entry: Mapping[str, Any], path: Path) -> tuple[str, dict[str, Any]]:
    key = _text(entry, "file", f"{path}: an item")
    if not key:
        raise InputError(f'{path}: an item has no file: write file = "folder/name.pdf", a path in the shop\'s folder')
    where = f"{path}: the item {key!r}"
    _check_names(entry, _OF_AN_ITEM, where)
    fields: dict[str, Any] = {name: _text(entry, name, where) for name in _TEXTS if name in entry}
    if "price" in entry:
        fields["price_cents"] = _cents(entry["price"], f"{where}: price")
    return key, fields


def _check_names(given: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in given:
        if name not in known:
            raise InputError(f"{where} has {name!r}, which is not known: use {', '.join(known)}")


def _text(given: Mapping[str, Any], name: str, where: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str):
        raise InputError(f"{where}: {name} is {value!r}, and must be text")
    return value


def _cents(value: object, where: str) -> int:
    amount = Decimal("NaN") if isinstance(value, bool) or not isinstance(value, int | Decimal) else Decimal(value)
    if not amount.is_finite() or not 0 <= amount < 10**7:
        raise InputError(f"{where} is {value}, and must be an amount such as 4.50, or 0 for what is free")
    cents = amount * 100
    if cents != int(cents):
        raise InputError(f"{where} is {value}, and can have two decimal places at most")
    return int(cents)
