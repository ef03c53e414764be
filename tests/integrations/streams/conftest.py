"""A signer for the room's tests."""

import pytest

from keyfront import Signer, SigningKey


@pytest.fixture(scope="session")
def signing_key() -> SigningKey:
    return SigningKey.generate("ecdsa")


@pytest.fixture(scope="session")
def signer(signing_key: SigningKey) -> Signer:
    return Signer("K2JCJMDEHXQW5F", signing_key)
