"""Find the request to explain in a HAR file, which browsers save from the network view."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from keyfront.errors import InputError
from keyfront.explain.responses import Response

_MARKS: Final = ("x-amz-cf-id", "x-amz-cf-pop")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request from a HAR file, with its response."""

    url: str
    cookie: str
    method: str
    response: Response
    at: float | None
    """The time of the request, in seconds since the epoch."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The request's other headers, with names in lower case."""


def request(text: str, url: str = "", ours: Callable[[str], bool] = lambda _: False) -> Recorded:
    """Return the first refused request to `url`, or without `url` the first refused request to CloudFront.

    If no entry has `url`, its host counts. `ours` returns whether the user named a host (with its port). If there are
    requests to such hosts, all others are ignored. Raises `InputError` if there is no such request.
    """
    read = recorded(text, "--har: this")
    bare = url.partition("#")[0]
    wanted = _to(bare, read) if bare else [each for each in read if _by_cloudfront(each)]
    if not bare:
        wanted = [each for each in read if ours(host_of(each.url))] or wanted
    if not wanted:
        what = "for this URL" if bare else "to CloudFront"
        raise InputError(f"--har: none of its {len(read)} requests is {what}")
    refused = (each for each in wanted if each.response.status >= 400 or each.response.kind in ("masked", "s3"))
    return next(refused, wanted[0])


def recorded(text: str, what: str) -> list[Recorded]:
    """Return every request of a HAR file, with its response. Raises `InputError`, which begins with `what`."""
    try:
        return [_entry(entry) for entry in json.loads(text)["log"]["entries"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{what} is not a HAR file: in the browser's network view, choose Save all as HAR") from None


def host_of(url: str) -> str:
    """Return the host of `url` in lower case, with its port."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2].lower()


def _to(url: str, read: list[Recorded]) -> list[Recorded]:
    """Return the requests to exactly `url`, or else to its path, or else to its host."""
    ways: tuple[Callable[[str], str], ...] = (str, lambda each: each.partition("?")[0], host_of)
    found = ([each for each in read if way(each.url) == way(url)] for way in ways)
    return next((each for each in found if each), [])


def _entry(entry: Mapping[str, Any]) -> Recorded:
    asked, answered = entry["request"], entry["response"]
    headers = {item["name"].lower(): item["value"] for item in answered.get("headers", ())}
    sent = [item["value"] for item in asked.get("headers", ()) if item["name"].lower() == "cookie"]
    if not sent:
        sent = [f"{item['name']}={item['value']}" for item in asked.get("cookies", ())]
    return Recorded(
        asked["url"].partition("#")[0],
        "; ".join(sent),
        asked.get("method", "GET"),
        Response(int(answered.get("status") or 0), headers, _body(answered.get("content") or {})),
        _moment(entry.get("startedDateTime")),
        {item["name"].lower(): item["value"] for item in asked.get("headers", ()) if item["name"].lower() != "cookie"},
    )


def _body(content: Mapping[str, Any]) -> str:
    text = content.get("text") or ""
    if content.get("encoding") == "base64":
        try:
            return base64.b64decode(text).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return ""
    return str(text)


def _moment(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None


def _by_cloudfront(recorded: Recorded) -> bool:
    headers = recorded.response.headers
    host = recorded.url.partition("://")[2].partition("/")[0].partition(":")[0]
    marks = f"{headers.get('server', '')} {headers.get('via', '')}".lower()
    return host.endswith(".cloudfront.net") or "cloudfront" in marks or any(name in headers for name in _MARKS)
