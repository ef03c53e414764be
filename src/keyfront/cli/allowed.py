"""Read the host names and web origins that a user allows."""

import re
from typing import Final
from urllib.parse import urlsplit

from keyfront.errors import InputError

_NAME: Final = re.compile(r"\.?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


def host(text: str) -> str:
    """Return a host name in lower case, or a zone (`.example.com`). Raises `InputError` for anything else."""
    name = text.lower()
    if not _NAME.fullmatch(name):
        raise InputError(f"--allow-host {text!r} is not a host name: give a name, or .name for every name below it")
    return name


def origin(text: str) -> str:
    """Return an origin as browsers send it. Raises `InputError` for anything else."""
    try:
        parts = urlsplit(text)
        written = f"{parts.scheme}://{parts.netloc}".lower()
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and "@" not in text
    except ValueError:
        good, written = False, ""
    if not good or text.lower() not in (written, f"{written}/"):
        raise InputError(
            f"--allow-origin {text!r} is not an origin: give scheme, host and port, as in http://localhost:5173"
        )
    return written
