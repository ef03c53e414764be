"""What moto does not implement, and what fails in its threads: a line in the log and an error of the service."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError


def test_what_fails_in_a_thread_of_motos_is_one_line(
    endpoint: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    endpoint.client("sts").get_caller_identity()  # moto is loaded
    from moto.core.common_models import ConfigQueryModel

    thread = threading.Thread(target=ConfigQueryModel(cast(Any, {})).get_config_resource, args=("1", "aws", "x"))
    with caplog.at_level(logging.WARNING):
        thread.start()
        thread.join()
    (line,) = [each for each in caplog.records if each.name == "keyfront.local.aws.background"]
    assert "NotImplementedError" in line.getMessage()
    assert line.exc_info is None
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("service", "call"),
    [
        ("ec2", lambda client: client.describe_capacity_blocks()),
        ("cloudformation", lambda client: client.describe_account_limits()),
        ("ssm", lambda client: client.describe_inventory_deletions()),
        ("lambda", lambda client: client.get_account_settings()),
        ("iam", lambda client: client.generate_organizations_access_report(EntityPath="o-a1f6g7h111/r-f6g7h222")),
    ],
)
def test_what_moto_does_not_implement_is_said_in_the_services_own_words(
    endpoint: Any,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    service: str,
    call: Callable[[Any], Any],
) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(ClientError) as refused:
        call(endpoint.client(service))
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert refused.value.response["Error"]["Code"] == "NotImplemented"
    assert "implement" in refused.value.response["Error"]["Message"]
    (line,) = [each for each in caplog.records if each.name.startswith("keyfront")]
    assert "not implemented" in line.getMessage()
    assert line.exc_info is None
    assert "Traceback" not in capfd.readouterr().err
