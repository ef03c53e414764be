"""A pytest plugin: if a test fails with a refused download, its report says why CloudFront refused it.

`pytest -p keyfront.integrations.pytest --keyfront-trust K2JCJMDEHXQW5F=public_key.pem`. It understands the errors of
httpx, requests and urllib, and any other error that has a `response` with its `request`.
"""

import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from keyfront.core.keys import PublicKey
from keyfront.core.verification import ViewerRequest
from keyfront.errors import KeyfrontError
from keyfront.explain import Response, explain
from keyfront.explain.plain_text import plain_text

_MOST_BODY: Final = 20_000
_KEYS: Final = pytest.StashKey[dict[str, PublicKey] | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the trusted keys."""
    parser.getgroup("keyfront").addoption(
        "--keyfront-trust",
        action="append",
        default=[],
        metavar="ID=FILE",
        help="A public key that CloudFront trusts, with its id. Refused downloads are explained with it. Repeatable.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Read the trusted keys. A file without a public key ends the run before it begins."""
    config.stash[_KEYS] = _trusted(config.getoption("--keyfront-trust"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Explain the refusal in the report of a test that failed with a refused download."""
    report = yield
    if report.failed and call.excinfo is not None:
        refused = _refused(call.excinfo.value)
        if refused is not None:
            request, response = refused
            explained = explain(request, now=time.time(), trusted_keys=item.config.stash[_KEYS], response=response)
            report.sections.append(("keyfront explain", plain_text(explained)))
    return report


def _trusted(entries: list[str]) -> dict[str, PublicKey] | None:
    keys: dict[str, PublicKey] = {}
    for entry in entries:
        key_id, _, file = entry.partition("=")
        try:
            keys[key_id] = PublicKey.load(Path(file).read_bytes())
        except (OSError, KeyfrontError) as error:
            raise pytest.UsageError(f"--keyfront-trust {entry}: {error}") from None
    return keys or None


def _refused(error: BaseException) -> tuple[ViewerRequest, Response] | None:
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
        return request, Response(status, _lowered(answer.headers), str(answer.text)[:_MOST_BODY])
    return None


def _of_urllib(error: Any) -> tuple[ViewerRequest, Response]:
    # urllib's error has no request headers, so cookies are not known.
    try:
        body = error.read(_MOST_BODY).decode("utf-8", "replace")
    except (OSError, ValueError):
        body = ""
    return ViewerRequest(str(error.url)), Response(int(error.code), _lowered(error.headers), body)


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
