"""HAR files, as browsers save the network view: the one request that is to be explained."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from keyfront.errors import InputError
from keyfront.explain.responses import Response

_MARKS: Final = ("x-amz-cf-id", "x-amz-cf-pop")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request out of a HAR file, with its answer."""

    url: str
    cookie: str
    method: str
    response: Response
    at: float | None
    """When it was sent: seconds since the epoch."""


def request(text: str, url: str = "", ours: Callable[[str], bool] = lambda _: False) -> Recorded:
    """The first refused request to `url`; without `url` the first refused one to CloudFront. `InputError` if none.

    Where `url` stands in no entry, its host counts. `ours` says whether a host (with its port) is one that the user
    named: where any request went to such a host, others are not looked at.
    """
    try:
        entries = json.loads(text)["log"]["entries"]
        read = [_entry(entry) for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError("--har: this is no HAR file: in the browser's network view choose Save all as HAR") from None
    bare = url.partition("#")[0]
    wanted = _to(bare, read) if bare else [each for each in read if _by_cloudfront(each)]
    if not bare:
        wanted = [each for each in read if ours(host_of(each.url))] or wanted
    if not wanted:
        what = "to this URL" if bare else "that CloudFront answered"
        raise InputError(f"--har: among its {len(read)} requests is none {what}")
    return next((each for each in wanted if each.response.status >= 400), wanted[0])


def host_of(url: str) -> str:
    """The host of `url` in lower case, with its port."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2].lower()


def _to(url: str, read: list[Recorded]) -> list[Recorded]:
    """What was asked of `url`: to the letter, or else by its path, or else at least at its host."""
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
