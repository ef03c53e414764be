"""The host names of HTTP APIs and function URLs. They are under localhost, which curl and browsers resolve."""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal

from keyfront.local.aws.addressing import host_name

_BASE: Final = r"(?:localhost(?:\.localstack\.cloud)?|amazonaws\.com(?:\.cn)?|on\.aws)"
_HOST: Final = re.compile(rf"(?P<id>[a-z0-9]+)\.(?P<kind>execute-api|lambda-url)(?:\.[a-z0-9-]+)?\.{_BASE}")
_OURS: Final = re.compile(r"(?:127(?:\.\d+){3}|::1|(?:.+\.)?localhost)")

_asked: ContextVar[str] = ContextVar("asked", default="")


@dataclass(frozen=True)
class WebAddress:
    """The target of a host name: an HTTP API by its id, or a function URL by its id."""

    kind: Literal["execute-api", "lambda-url"]
    id: str


def addressed(host: str) -> WebAddress | None:
    """Return the target of `host` (a name in lower case, without its port), if there is one."""
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    return WebAddress("execute-api" if found["kind"] == "execute-api" else "lambda-url", found["id"])


def use(host: str) -> None:
    """Set the `Host` header of the request in this thread."""
    _asked.set(host)


def api_url(api_id: str) -> str | None:
    """Return an API's address for the current client, or `None` if it did not use a name of this machine."""
    port = _port()
    return None if port is None else f"http://{api_id}.execute-api.localhost{port}"


def function_url(url_id: str, region: str) -> str | None:
    """Return a function URL (it ends in a slash) for the current client, or `None`, like `api_url`."""
    port = _port()
    return None if port is None else f"http://{url_id}.lambda-url.{region}.localhost{port}/"


def _port() -> str | None:
    asked = _asked.get()
    name = host_name(asked)
    if not _OURS.fullmatch(name):
        return None
    rest = asked.rpartition("]")[2] if asked.startswith("[") else asked
    return f":{rest.rpartition(':')[2]}" if ":" in rest else ""
