"""The plugin for pytest: fixtures, and the explanation of a test that failed with a refused download.

pytest finds it through the entry point `pytest11`, in every project where keyfront is installed. So it imports nothing
before its first use.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from keyfront.core.keys import PublicKey, SigningKey
    from keyfront.testing.clock import Clock
    from keyfront.testing.cloudfront import CloudFront
    from keyfront.testing.functions import FunctionUnderTest

_TRUSTED: "Final[pytest.StashKey[dict[str, PublicKey]]]" = pytest.StashKey()


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
    if entries := config.getoption("--keyfront-trust"):
        from keyfront.errors import InputError
        from keyfront.testing.failed_downloads import read_keys

        try:
            config.stash[_TRUSTED] = read_keys(entries)
        except InputError as error:
            raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the explanation to the report of a test that failed with a refused download."""
    report = yield
    if report.failed and call.excinfo is not None:
        from keyfront.testing.failed_downloads import explanation

        if text := explanation(call.excinfo.value, item.config.stash.get(_TRUSTED, None)):
            report.sections.append(("keyfront explain", text))
    return report


@pytest.fixture(scope="session")
def signing_key() -> "SigningKey":
    """The private key that the key group of `cloudfront` trusts: a new RSA key."""
    from keyfront.core.keys import SigningKey

    return SigningKey.generate("rsa")


@pytest.fixture(scope="session")
def _cloudfront(signing_key: "SigningKey") -> "Iterator[CloudFront]":
    from keyfront.testing.cloudfront import CloudFront

    with CloudFront(signing_key) as running:
        yield running


@pytest.fixture
def cloudfront(_cloudfront: "CloudFront") -> "CloudFront":
    """A CloudFront with a key group and nothing else. It starts once in a session, and is empty for each test."""
    _cloudfront.reset()
    return _cloudfront


@pytest.fixture
def frozen_clock(cloudfront: "CloudFront") -> "Clock":
    """The clock of `cloudfront`, which stands still until the test moves it."""
    cloudfront.clock.freeze()
    return cloudfront.clock


@pytest.fixture
def edge_function() -> "Iterator[Callable[..., FunctionUnderTest]]":
    """CloudFront functions from files: `edge_function("rewrite.js")(event)` returns the request or the response."""
    from keyfront.testing.functions import FunctionUnderTest

    with ExitStack() as closing:

        def load(file: str, **options: Any) -> FunctionUnderTest:
            function = FunctionUnderTest(file, **options)
            closing.callback(function.close)
            return function

        yield load
