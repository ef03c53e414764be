"""A user's own folder as a shop: every file in it is an item."""

import hashlib
import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from keyfront.errors import InputError
from keyfront.stack.shop.catalogue import Customer, Item, Kind, Shop, pairs
from keyfront.stack.shop.media import media_type

_PRICE_CENTS: Final = 500
_MAX_KEY_BYTES: Final = 1024  # S3 User Guide, "Naming Amazon S3 objects"
_MAX_SLUG: Final = 80
_BOOKS: Final = frozenset({".epub", ".mobi", ".azw3", ".cbz"})
_ARCHIVES: Final = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"})
_DOCUMENTS: Final = frozenset({".pdf", ".docx", ".doc", ".odt", ".xlsx", ".pptx", ".rtf", ".tex"})


def shop_of(folder: Path, customers: tuple[Customer, ...], currency: str) -> Shop:
    """Everything in `folder` for sale, whatever its depth, in the order of the paths.

    Names that begin with a dot are left out, links are followed. The first customer has bought every other item,
    the second the rest. Raises `InputError` for a folder that is missing, empty or unreadable, and for a file that
    cannot be read or whose name cannot be a key in a bucket.
    """
    _look(folder)
    found = sorted(_files(folder, (), frozenset()), key=lambda entry: entry[0])
    if not found:
        raise InputError(f"{folder} holds no files to sell (names that begin with a dot are left out): put some in")
    slugs = _slugs([key for key, _ in found])
    items = tuple(_item(key, slug, size) for (key, size), slug in zip(found, slugs, strict=True))
    first, second = customers
    return Shop(
        title=_title(folder.resolve().name) or "Shop",
        currency=currency,
        items=items,
        customers=customers,
        purchases=pairs([(first.id, slugs[::2]), (second.id, slugs[1::2])]),
        folder=folder.resolve(),
    )


def _look(folder: Path) -> None:
    try:
        mode = folder.stat().st_mode
    except OSError as error:
        why = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        raise InputError(f"the content folder {folder} {why}") from None
    if not stat.S_ISDIR(mode):
        raise InputError(f"the content folder {folder} is a file: give the folder that holds it")


def _files(folder: Path, parts: tuple[str, ...], above: frozenset[tuple[int, int]]) -> Iterator[tuple[str, int]]:
    """Key and size of every file below `folder`; `above` are the folders on the way, so that a link cannot loop."""
    try:
        here = folder.stat()
        identity = (here.st_dev, here.st_ino)
        if identity in above:
            return
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be read: {error.strerror}") from None
    for name in names:
        path = folder / name
        try:
            status = path.stat()
        except OSError as error:
            dangling = path.is_symlink() and isinstance(error, FileNotFoundError)
            why = "is a link to nothing" if dangling else f"cannot be read: {error.strerror}"
            raise InputError(f"{path} {why}; mend it, move it away, or begin its name with a dot") from None
        if stat.S_ISDIR(status.st_mode):
            yield from _files(path, (*parts, name), above | {identity})
        elif stat.S_ISREG(status.st_mode):
            if not os.access(path, os.R_OK):
                raise InputError(f"{path} cannot be read: permission denied")
            yield _key((*parts, name)), status.st_size


def _key(parts: tuple[str, ...]) -> str:
    key = "/".join(parts)
    try:
        encoded = key.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"the file name {key!a} is not UTF-8: rename it") from None
    if any(unicodedata.category(character) == "Cc" for character in key):
        raise InputError(f"the file name {key!r} holds a control character: rename it")
    if len(encoded) > _MAX_KEY_BYTES:
        raise InputError(
            f"the path {key[:60]}… is {len(encoded):,} bytes long; a bucket takes at most {_MAX_KEY_BYTES:,}"
        )
    return key


def _slugs(keys: list[str]) -> list[str]:
    """An id for each key: made of its letters, and of a digest too where those are not enough to tell it apart."""
    plain = [_slug(key) for key in keys]
    times = Counter(slug for slug, _ in plain)
    return [
        slug if whole and times[slug] == 1 else f"{slug or 'item'}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
        for key, (slug, whole) in zip(keys, plain, strict=True)
    ]


def _slug(key: str) -> tuple[str, bool]:
    """The key in lower-case letters, digits and hyphens, and whether no letter was lost but its accent."""
    letters = "".join(letter for letter in unicodedata.normalize("NFKD", key) if not unicodedata.combining(letter))
    slug = re.sub(r"[^a-z0-9]+", "-", letters.lower()).strip("-")
    whole = bool(slug) and len(slug) <= _MAX_SLUG and not re.search(r"[^\W_]", re.sub(r"[\x00-\x7f]", "", letters))
    return slug[:_MAX_SLUG].rstrip("-"), whole


def _item(key: str, slug: str, size: int) -> Item:
    path = PurePosixPath(key)
    kind = _kind(path)
    named = f"{path.suffix[1:].upper()} {kind}" if path.suffix and kind != "file" else kind.capitalize()
    return Item(
        id=slug,
        title=_title(path.stem.removesuffix(".tar")) or path.name,
        author="",
        description=f"{named}, {_readable(size)}",
        kind=kind,
        media_type=media_type(key),
        key=key,
        size=size,
        price_cents=_PRICE_CENTS,
    )


def _kind(path: PurePosixPath) -> Kind:
    suffix = path.suffix.lower()
    if suffix in _BOOKS:
        return "book"
    if suffix in _ARCHIVES:
        return "archive"
    if suffix in _DOCUMENTS:
        return "document"
    match media_type(path.name).partition("/")[0]:
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
    """A file's name as one would say it: `night_trains-2` is "Night trains 2"."""
    joined = r"[_\s]+" if " " in name else r"[-_]+"  # "A - B" has hyphens of its own
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
