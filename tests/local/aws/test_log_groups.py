"""A log group's KMS key, as the service has it."""

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.local.aws.conftest import Running

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"


def test_a_log_group_gets_a_key_and_loses_it(endpoint: "Running") -> None:
    logs = endpoint.client("logs")

    def held() -> str | None:
        (group,) = logs.describe_log_groups(logGroupNamePrefix="/keyed")["logGroups"]
        key: str | None = group.get("kmsKeyId")
        return key

    logs.create_log_group(logGroupName="/keyed")
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/keyed")["logGroups"]
    logs.associate_kms_key(logGroupName="/keyed", kmsKeyId=KEY)
    assert held() == KEY
    logs.disassociate_kms_key(resourceIdentifier=group["arn"])
    assert held() is None
    with pytest.raises(ClientError) as missing:
        logs.associate_kms_key(logGroupName="/gone", kmsKeyId=KEY)
    assert missing.value.response["Error"]["Code"] == "ResourceNotFoundException"
    with pytest.raises(ClientError) as wrong:
        logs.associate_kms_key(logGroupName="/keyed", kmsKeyId="alias/logs")
    assert wrong.value.response["Error"]["Code"] == "InvalidParameterException"
    assert held() is None
