"""`secretsmanager:`, with Secrets Manager as moto has it."""

import logging
from typing import TYPE_CHECKING

import pytest

from keyfront.errors import ServiceError
from keyfront.keystore import MissingError, Secret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MARKER = "MARKERsecretMARKER"


def test_the_current_version_of_a_secret_counts(secretsmanager: "SecretsManagerClient") -> None:
    secretsmanager.create_secret(Name="shop/sources", SecretString="old")
    secretsmanager.put_secret_value(SecretId="shop/sources", SecretString="new")
    pending = {"SecretId": "shop/sources", "SecretString": "next", "VersionStages": ["AWSPENDING"]}
    secretsmanager.put_secret_value(**pending)  # type: ignore[arg-type]
    assert Secret("shop/sources", secretsmanager).read() == "new"


def test_a_secret_that_is_not_there_and_one_of_bytes_say_so(secretsmanager: "SecretsManagerClient") -> None:
    with pytest.raises(MissingError, match=r"secret shop/none .*ResourceNotFoundException: there is no such secret"):
        Secret("shop/none", secretsmanager).read()
    secretsmanager.create_secret(Name="shop/bytes", SecretBinary=b"\x00")
    with pytest.raises(ServiceError, match="SecretString"):
        Secret("shop/bytes", secretsmanager).read()


def test_a_secret_stays_out_of_every_log_even_at_debug(
    secretsmanager: "SecretsManagerClient", caplog: pytest.LogCaptureFixture
) -> None:
    secretsmanager.create_secret(Name="shop/logged", SecretString=MARKER)
    caplog.set_level(1)
    caplog.set_level(1, "botocore")
    caplog.clear()
    assert Secret("shop/logged", secretsmanager).read() == MARKER
    assert MARKER not in caplog.text
    logging.getLogger("botocore").setLevel(logging.NOTSET)
