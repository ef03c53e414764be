"""`env:`: a variable's text."""

import pytest

from keyfront.keystore import EnvironmentVariable, MissingError


def test_an_environment_variable_is_a_source() -> None:
    assert EnvironmentVariable("SIGNING_KEY", {"SIGNING_KEY": "the key"}).read() == "the key"
    with pytest.raises(MissingError, match="the environment variable SIGNING_KEY is not set"):
        EnvironmentVariable("SIGNING_KEY", {"SIGNING_KEY": " "}).read()
