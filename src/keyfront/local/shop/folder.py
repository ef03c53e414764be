"""Makes a shop from a user's folder: every file in it is an item."""

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from keyfront.backend import Customer, Item
from keyfront.errors import InputError
from keyfront.local.aws.content_folder import DESCRIBES, HIDDEN, SHOP_FILE, content_type, contents, root_of
from keyfront.local.shop.catalogue import Shop, pairs
from keyfront.local.shop.shop_file import ShopFile, read_shop_file

_PRICE_CENTS: Final = 500
_MAX_SLUG: Final = 80
_BOOKS: Final = frozenset({".epub", ".mobi", ".azw3", ".cbz"})
_ARCHIVES: Final = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"})
_DOCUMENTS: Final = frozenset({".pdf", ".docx", ".doc", ".odt", ".xlsx", ".pptx", ".rtf", ".tex"})


def shop_of(folder: Path, customers: tuple[Customer, ...], currency: str) -> Shop:
    """Return a shop with every file in `folder` that the endpoint publishes.

    The files that `shop.toml` names come first, in its order, then the others by path. The first customer has bought
    every other item, the second customer the rest. Raises `InputError` for a folder that is missing, cannot be read or
    has no files to sell, and for a wrong `shop.toml`.
    """
    root = root_of(folder)
    found = contents(root)
    described = read_shop_file(root)
    if not found.files:
        raise InputError(f"{folder} has no files to sell (hidden files and links out of it do not count): put some in")
    for key in described.items:
        if key not in found.files:
            raise InputError(f"{root / SHOP_FILE} names the file {key!r}, which is not in the folder: correct the path")
    keys = [*described.items, *sorted(key for key in found.files if key not in described.items)]
    slugs = _slugs(keys)
    items = tuple(
        _described(_item(key, slug, found.files[key].stat().st_size, currency), described)
        for key, slug in zip(keys, slugs, strict=True)
    )
    first, second = customers
    return Shop(
        title=described.title or _title(root.name) or "Shop",
        items=items,
        customers=customers,
        purchases=pairs([(first.id, slugs[::2]), (second.id, slugs[1::2])]),
        folder=root,
        left_out={
            path.relative_to(root).as_posix(): why
            for path, why in found.left_out.items()
            if why not in (HIDDEN, DESCRIBES)
        },
    )


def _slugs(keys: list[str]) -> list[str]:
    """Return an id for each key: its letters, and a digest if the letters are not unique."""
    plain = [_slug(key) for key in keys]
    times = Counter(slug for slug, _ in plain)
    return [
        slug if whole and times[slug] == 1 else f"{slug or 'item'}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
        for key, (slug, whole) in zip(keys, plain, strict=True)
    ]


def _slug(key: str) -> tuple[str, bool]:
    """Return the key in lower-case letters, digits and hyphens, and whether it kept all letters except accents."""
    letters = "".join(letter for letter in unicodedata.normalize("NFKD", key) if not unicodedata.combining(letter))
    slug = re.sub(r"[^a-z0-9]+", "-", letters.lower()).strip("-")
    whole = bool(slug) and len(slug) <= _MAX_SLUG and not re.search(r"[^\W_]", re.sub(r"[\x00-\x7f]", "", letters))
    return slug[:_MAX_SLUG].rstrip("-"), whole


def _item(key: str, slug: str, size: int, currency: str) -> Item:
    path = PurePosixPath(key)
    kind = _kind(path)
    named = f"{path.suffix[1:].upper()} {kind}" if path.suffix and kind != "file" else kind.capitalize()
    return Item(
        id=slug,
        title=_title(path.stem.removesuffix(".tar")) or path.name,
        description=f"{named}, {_readable(size)}",
        kind=kind,
        key=key,
        size=size,
        price_cents=_PRICE_CENTS,
        currency=currency,
    )


def _described(item: Item, described: ShopFile) -> Item:
    """Return the item with what `shop.toml` says of it and of all items."""
    of_all = {"currency": described.currency} if described.currency else {}
    price = {} if described.price_cents is None else {"price_cents": described.price_cents}
    return replace(item, **{**of_all, **price, **described.items.get(item.key, {})})


def _kind(path: PurePosixPath) -> str:
    suffix = path.suffix.lower()
    if suffix in _BOOKS:
        return "book"
    if suffix in _ARCHIVES:
        return "archive"
    if suffix in _DOCUMENTS:
        return "document"
    match content_type(path.name).partition("/")[0]:
        case "audio":
            return "audio"
        case "video":
            return "video"
        case "image":
            return "image"
        case "text":
            return "document"
        case _:
            return "file"


def _title(name: str) -> str:
    """Return a readable title for a file's name: `night_trains-2` is "Night trains 2"."""
    joined = r"[_\s]+" if " " in name else r"[-_]+"  # "A - B" keeps its hyphens
    words = re.sub(joined, " ", name).strip()
    return words[:1].upper() + words[1:]


def _readable(size: int) -> str:
    if size < 1000:
        return f"{size} byte" if size == 1 else f"{size} bytes"
    value = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95 or unit == "TB":
            break
    return f"{value:.1f} {unit}"
