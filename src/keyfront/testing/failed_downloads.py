"""Explains a test that failed with a refused download: why CloudFront refused it.

It understands the errors of httpx, requests and urllib, and any other error that has a `response` with its `request`.
"""

import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from keyfront.core.keys import PublicKey
from keyfront.core.verification import ViewerRequest
from keyfront.errors import InputError, KeyfrontError

_MOST_BODY: Final = 20_000
_OF_CLOUDFRONT: Final = ("x-amz-cf-id", "x-amz-cf-pop", "x-keyfront-finding")


class Refusal(NamedTuple):
    """A request and the response that refused it."""

    request: ViewerRequest
    status: int
    headers: Mapping[str, str]
    body: str


def explanation(error: BaseException, trusted: Mapping[str, PublicKey] | None) -> str:
    """Return why CloudFront refused the download that `error` reports; empty if it reports none.

    If `trusted` is not given, responses of other servers are left out, and the keys are those of a running
    `CloudFront`.
    """
    refusal = _refused(error)
    if refusal is None or not (trusted or _is_from_cloudfront(refusal)):
        return ""
    from keyfront.explain import Response, explain
    from keyfront.explain.plain_text import plain_text

    # Not imported here: a test that uses no CloudFront must not wait for it.
    module = sys.modules.get("keyfront.testing.cloudfront")
    started = module.started() if module else None
    keys = dict(trusted) if trusted else started.trusted_keys if started else None
    response = Response(refusal.status, dict(refusal.headers), refusal.body)
    now = started.clock() if started else time.time()
    return plain_text(explain(refusal.request, now=now, trusted_keys=keys, response=response))


def read_keys(entries: list[str]) -> dict[str, PublicKey]:
    """Return the public keys in `ID=FILE` entries. Raises `InputError` for an entry without a key."""
    keys: dict[str, PublicKey] = {}
    for entry in entries:
        key_id, _, file = entry.partition("=")
        try:
            keys[key_id] = PublicKey.load(Path(file).read_bytes())
        except (OSError, KeyfrontError) as error:
            raise InputError(f"--keyfront-trust {entry}: {error}") from None
    return keys


def _is_from_cloudfront(refusal: Refusal) -> bool:
    signed = "Key-Pair-Id=" in refusal.request.url or "CloudFront-Key-Pair-Id=" in refusal.request.cookie
    return signed or any(name in refusal.headers for name in _OF_CLOUDFRONT)


def _refused(error: BaseException) -> Refusal | None:
    """Return the request and the response of an HTTP client's error, if the response was a refusal."""
    for each in _chain(error):
        if hasattr(each, "code") and hasattr(each, "url") and hasattr(each, "read"):
            return _of_urllib(each)
        answer: Any = getattr(each, "response", None)
        asked: Any = getattr(answer, "request", None)
        status = getattr(answer, "status_code", None)
        if asked is None or not isinstance(status, int) or status < 400:
            continue
        request = ViewerRequest(str(asked.url), _header(asked.headers, "cookie"))
        return Refusal(request, status, _lowered(answer.headers), str(answer.text)[:_MOST_BODY])
    return None


def _of_urllib(error: Any) -> Refusal:
    # urllib's error has no request headers, so cookies are not known.
    try:
        body = error.read(_MOST_BODY).decode("utf-8", "replace")
    except (OSError, ValueError):
        body = ""
    return Refusal(ViewerRequest(str(error.url)), int(error.code), _lowered(error.headers), body)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in headers.items()}


def _header(headers: Mapping[str, str], name: str) -> str:
    return _lowered(headers).get(name, "")
