"""The laptop's shop over the backend's purchases, key and issuer."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine
from tests.backend.conftest import (  # noqa: F401  fixtures
    engine,
    issuer,
    keystore,
    serve,
    serving,
    settings,
    signing_key,
)

from keyfront.backend import Settings
from keyfront.keystore import KeyStore
from keyfront.local.shop.app import shop_app


@pytest.fixture
def shop(settings: Settings, engine: Engine, keystore: KeyStore) -> Iterator[httpx.Client]:  # noqa: F811
    with serving(shop_app(settings, engine, keystore=keystore, title="Lamp & Key")) as client:
        client.headers["Accept"] = "text/html"
        yield client
