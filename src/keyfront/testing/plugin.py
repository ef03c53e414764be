"""Fixtures for pytest, found through the entry point `pytest11`. They import what they need at their first use."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from keyfront.core.keys import SigningKey
    from keyfront.testing.clock import Clock
    from keyfront.testing.cloudfront import CloudFront
    from keyfront.testing.functions import FunctionUnderTest


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
