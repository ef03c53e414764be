"""The requests that a browser recorded (a HAR file), as rows of `logs`."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from keyfront.account.logs.formats import UnreadableError
from keyfront.account.logs.reading import COLUMNS
from keyfront.errors import InputError
from keyfront.explain.inputs.har import Recorded, recorded

_MOST_BYTES: Final = 256 * 1024 * 1024
_KEPT: Final = "!$&()*+,-./:;=?@_"
"""The characters beside letters and digits that CloudFront's logs do not encode."""


def har_rows(path: Path, *, compressed: bool) -> Iterator[tuple[str | None, ...]]:
    """Yield a row for each request, with texts in the order of `COLUMNS`. Raises `UnreadableError`."""
    try:
        with gzip.open(path) if compressed else path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except (OSError, EOFError) as error:
        raise UnreadableError(f"it cannot be read: {error}") from None
    if len(data) > _MOST_BYTES:
        raise UnreadableError(f"it is a HAR file of more than {_MOST_BYTES // 1024**2} MB")
    try:
        found = recorded(data.decode("utf-8", "replace"), "it")
    except InputError as error:
        raise UnreadableError(str(error)) from None
    for each in found:
        values = _values(each)
        yield tuple(values.get(name) for name in COLUMNS)


def _values(each: Recorded) -> dict[str, str]:
    parts = urlsplit(each.url)
    host = parts.netloc.rpartition("@")[2].lower()
    moment = None if each.at is None else datetime.fromtimestamp(each.at, UTC)
    return {
        "date": f"{moment:%Y-%m-%d}" if moment else "",
        "time": f"{moment:%H:%M:%S}" if moment else "",
        "cs_host": host,
        "x_host_header": host,
        "cs_protocol": parts.scheme,
        "cs_method": each.method,
        "cs_uri_stem": _logged(parts.path or "/"),
        "cs_uri_query": _logged(parts.query) or "-",
        "cs_cookie": _logged(each.cookie) or "-",
        "sc_status": str(each.response.status),
        "sc_bytes": str(len(each.response.body)),
    }


def _logged(text: str) -> str:
    return quote(text, safe=_KEPT)
