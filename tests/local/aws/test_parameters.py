"""Sizes and tiers of SSM parameters, as the service has them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.local.aws.conftest import Running

Put = Callable[..., str]


@pytest.fixture
def put(endpoint: "Running") -> Put:
    """Puts a parameter with so many characters; returns the tier it is in."""
    ssm = endpoint.client("ssm")

    def put(characters: int, **settings: Any) -> str:
        answer = ssm.put_parameter(Name="key", Value="x" * characters, Type="SecureString", Overwrite=True, **settings)
        held = ssm.describe_parameters()["Parameters"][0]
        assert held["Tier"] == answer["Tier"]
        assert len(ssm.get_parameter(Name="key", WithDecryption=True)["Parameter"]["Value"]) == characters
        return str(answer["Tier"])

    return put


def test_a_standard_parameter_has_4096_characters_at_most(put: Put, endpoint: "Running") -> None:
    assert put(4096) == put(4096, Tier="Standard") == "Standard"
    for tier in ({}, {"Tier": "Standard"}):
        with pytest.raises(ClientError, match=r"\(ValidationException\).* 4096 characters\. .*advanced-parameter tier"):
            put(4097, **tier)
    kept = endpoint.client("ssm").get_parameter(Name="key", WithDecryption=True)["Parameter"]
    assert (kept["Version"], len(kept["Value"])) == (2, 4096)


def test_an_advanced_parameter_has_8192_characters_at_most_and_stays_advanced(put: Put) -> None:
    assert put(8192, Tier="Advanced") == "Advanced"
    with pytest.raises(ClientError, match=r"\(ValidationException\).*Advanced tier .* 8192 characters"):
        put(8193, Tier="Advanced")
    assert put(5000) == put(10) == put(10, Tier="Intelligent-Tiering") == "Advanced"
    with pytest.raises(ClientError, match=r"\(ValidationException\).*downgrade"):
        put(10, Tier="Standard")


def test_intelligent_tiering_takes_the_tier_that_is_needed(put: Put) -> None:
    assert put(4096, Tier="Intelligent-Tiering") == "Standard"
    assert put(4097, Tier="Intelligent-Tiering") == "Advanced"
    with pytest.raises(ClientError, match=r"\(ValidationException\).* 8192 characters"):
        put(8193, Tier="Intelligent-Tiering")


def test_a_tier_that_does_not_exist_is_refused(endpoint: "Running") -> None:
    with pytest.raises(ClientError, match=r"\(ValidationException\).*Value 'Cheap' at 'tier'"):
        endpoint.client("ssm").put_parameter(Name="key", Value="x", Type="String", Tier="Cheap")
