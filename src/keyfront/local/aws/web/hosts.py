"""The addresses of APIs and function URLs, as the API returns them.

They have no port, as at Amazon, so that a configuration can name them as an origin's domain (`replace(api_endpoint,
"https://", "")`). They are under localhost: what a program sends there by mistake stays on this machine.
"""

import re
from contextvars import ContextVar
from typing import Final
from urllib.parse import urlsplit

from keyfront.core.api_hosts import api_host
from keyfront.local.aws.addressing import host_name

_OURS: Final = re.compile(r"(?:127(?:\.\d+){3}|::1|(?:.+\.)?localhost)")

_asked: ContextVar[str] = ContextVar("asked", default="")


def use(host: str) -> None:
    """Set the `Host` header of the request in this thread."""
    _asked.set(host)


def here(url: str) -> str:
    """Return Amazon's address of an API or a function URL as the current client gets it.

    A client that uses a name of this machine gets the name under localhost.
    """
    host = api_host(urlsplit(url).hostname or "")
    if host is None or not _OURS.fullmatch(host_name(_asked.get())):
        return url
    return f"https://{host.local}"
