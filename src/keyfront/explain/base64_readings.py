"""Decode a text that is not in CloudFront's base64 in every other likely way.

Source: Developer Guide, "Creating a signature for a signed URL"; the mistakes are from bug reports.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

from keyfront.core import encoding
from keyfront.errors import EncodingError

_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


class Reading(NamedTuple):
    """The decoded bytes of a text, and the id of its mistake; empty if there is none."""

    data: bytes
    id: str = ""


def strict(text: str) -> bytes | None:
    """Return the bytes as CloudFront decodes them, or `None`."""
    try:
        return encoding.decode(text)
    except EncodingError:
        return None


def readings(text: str) -> tuple[Reading, ...]:
    """Return CloudFront's reading if there is one, then every other reading that gives bytes, without duplicates."""
    found: dict[bytes, str] = {}
    own = strict(text) is not None
    for name, read in _WAYS:
        if own and name not in ("", "hex"):
            break  # If CloudFront can read it, only hexadecimal is possible too, because its digits are also base64.
        try:
            data = read(text)
        except (ValueError, binascii.Error):
            continue
        if data:
            found.setdefault(data, name)
    return tuple(Reading(data, name) for data, name in found.items())


def raw_ecdsa_as_der(signature: bytes) -> bytes | None:
    """Return the ASN.1 form of a raw ECDSA signature (`r` and `s`, 64 bytes); `None` for any other length."""
    if len(signature) != 64:
        return None
    parts = b"".join(_integer(signature[at : at + 32]) for at in (0, 32))
    return b"\x30" + bytes([len(parts)]) + parts


def _integer(data: bytes) -> bytes:
    data = data.lstrip(b"\0") or b"\0"
    if data[0] & 0x80:
        data = b"\0" + data
    return b"\x02" + bytes([len(data)]) + data


def _own(text: str) -> bytes:
    return encoding.decode(text)


def _standard(text: str) -> bytes:
    if "~" in text:
        raise ValueError
    return base64.b64decode(text, validate=True)


def _url_safe(text: str) -> bytes:
    if "~" in text or "+" in text or "/" in text:
        raise ValueError
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)


def _unpadded(text: str) -> bytes:
    # CloudFront's alphabet without its padding, or with `=` as padding.
    bare = text.rstrip("=").rstrip("_")
    return encoding.decode(bare + "_" * (-len(bare) % 4))


def _spaced(text: str) -> bytes:
    if " " not in text:
        raise ValueError
    return base64.b64decode(text.replace(" ", "+"), validate=True)


def _quoted(text: str) -> bytes:
    if not _ESCAPE.search(text):
        raise ValueError
    inner = unquote(text)
    read = readings(inner)
    if not read:
        raise ValueError
    return read[0].data


def _broken(text: str) -> bytes:
    bare = re.sub(r"[\s\"']|\\n", "", text)
    if bare == text:
        raise ValueError
    read = readings(bare)
    if not read:
        raise ValueError
    return read[0].data


def _hexadecimal(text: str) -> bytes:
    if not _HEX.fullmatch(text):
        raise ValueError
    return bytes.fromhex(text)


_WAYS: tuple[tuple[str, Callable[[str], bytes]], ...] = (
    ("", _own),
    ("hex", _hexadecimal),
    ("spaces", _spaced),
    ("twice", _quoted),
    ("standard", _standard),
    ("url-safe", _url_safe),
    ("unpadded", _unpadded),
    ("broken", _broken),
)
