"""Extends moto's CloudWatch Logs: a log group can get a KMS key, another one, or none.

Source: CloudWatch Logs API Reference, "AssociateKmsKey", "DisassociateKmsKey".
"""

import re
from typing import Final

from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.models import LogGroup
from moto.logs.responses import LogsResponse

_KEY: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/\S+")


def install() -> None:
    """Extend moto. Terraform could otherwise not encrypt a log group that exists."""
    LogsResponse.associate_kms_key = associate_kms_key  # type: ignore[attr-defined]
    LogsResponse.disassociate_kms_key = disassociate_kms_key  # type: ignore[attr-defined]


def associate_kms_key(self: LogsResponse) -> str:
    """AssociateKmsKey."""
    key = str(self._get_param("kmsKeyId"))
    if not _KEY.fullmatch(key):
        raise InvalidParameterException(
            constraint="Member must be the ARN of a KMS key", parameter="kmsKeyId", value=key
        )
    _group(self).kms_key_id = key
    return ""


def disassociate_kms_key(self: LogsResponse) -> str:
    """DisassociateKmsKey."""
    _group(self).kms_key_id = None
    return ""


def _group(response: LogsResponse) -> LogGroup:
    """Return the log group that the request names, by its name or by its ARN."""
    arn = str(response._get_param("resourceIdentifier") or "")
    name = response._get_param("logGroupName") or arn.partition(":log-group:")[2].removesuffix(":*")
    group = response.logs_backend.groups.get(name)
    if group is None:
        raise ResourceNotFoundException
    return group
