"""The console over an in-process CloudFront, and a client that has opened the printed address."""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.local.controlplane.conftest import (  # noqa: F401  fixtures
    Endpoint,
    _clients,
    _running,
    cloudfront,
    config,
    endpoint,
    make_distribution,
    make_group,
    make_key,
    pems,
    trusting,
)
from tests.servers import Loop

from keyfront.console.accounts import LiveAccount
from keyfront.console.application import console
from keyfront.console.decisions import Decisions
from keyfront.console.events import Stopping
from keyfront.console.gate import Secrets

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

SECRETS = Secrets(token="t" * 32, cookie="c" * 32, csrf="f" * 32)


class Served:
    """One address for all tests; each test puts a console of its own behind it."""

    def __init__(self) -> None:
        self.app: Any = None
        self.loop = Loop()
        self._listener = self.loop.listen(self._serve)
        self.url = f"http://127.0.0.1:{self._listener.port}"

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)

    def stop(self) -> None:
        self.loop.run(self._listener.stop())
        self.loop.close()


class Browser:
    """A client with the session's cookie. `post` sends the CSRF token as a page does."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, follow_redirects=True, timeout=60)
        self.get(f"/?token={SECRETS.token}")

    def get(self, path: str, **given: Any) -> httpx.Response:
        return self.client.get(path, **given)

    def post(self, path: str, /, **form: str | list[str]) -> httpx.Response:
        return self.client.post(path, data={"csrf": SECRETS.csrf, **form})

    def text(self, path: str) -> str:
        """A page's text without its tags, with single spaces."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return plain(answer)


def plain(answer: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())


Open = Callable[..., Browser]


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    running = Served()
    yield running
    running.stop()


@pytest.fixture
def decisions() -> Decisions:
    return Decisions()


@pytest.fixture
def open_console(served: Served, cloudfront: "CloudFrontClient", decisions: Decisions) -> Iterator[Open]:  # noqa: F811
    """Opens a console over the account, or over the one that is given."""

    def open_(account: Any = None, **given: Any) -> Browser:
        def connect(service: str) -> Any:
            raise AssertionError(f"no test needs {service} here")

        live = account or LiveAccount("the laptop", lambda: cloudfront, connect)
        settings = {"read_only": False, "stopping": Stopping(), "decisions": decisions, **given}
        served.app = console(live, SECRETS, **settings)
        opened.append(Browser(served.url))
        return opened[-1]

    opened: list[Browser] = []
    yield open_
    for each in opened:
        each.client.close()


@pytest.fixture
def page(open_console: Open) -> Browser:
    """A console that may change the account."""
    return open_console()
