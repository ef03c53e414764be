"""The IAM permissions that a request to moto needs: actions and their resources.

Source: Service Authorization Reference. Services that are not listed have the resource `*`. A policy that names a
resource then allows nothing there, which is the safe error.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from moto.kms.models import kms_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends
from moto.utilities.utils import get_partition

_ACTIONS: Final = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeAsync": "lambda:InvokeFunction",
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
}
"""Permissions that are not named like their operation."""
_PREFIXES: Final = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag"}
"""Permission prefixes of services that use another name in their signatures."""


@dataclass(frozen=True)
class Permission:
    """An action on a resource's ARN."""

    action: str
    resource: str


@dataclass(frozen=True)
class _Place:
    """The account and Region of a request, for ARNs."""

    account: str
    region: str

    def arn(self, service: str, rest: str) -> str:
        return f"arn:{get_partition(self.region)}:{service}:{self.region}:{self.account}:{rest}"


def needed(response: Any, resource: str) -> list[Permission]:
    """Return the permissions for the request of a moto response object. `resource` is moto's own value for it."""
    signed_for = response.headers.get("Authorization", "").partition("Credential=")[2].partition(",")[0].split("/")
    service = signed_for[3] if len(signed_for) > 3 else str(response.service_name)
    service = _PREFIXES.get(service, service)
    operation = (response.data.get("Action") if service == "s3" else None) or response._get_action()
    operation = operation[0] if isinstance(operation, list) else operation
    if service == "apigateway":
        place = f"arn:{get_partition(response.region)}:apigateway:{response.region}::{response.path}"
        return [Permission(f"apigateway:{response.method}", place)]
    action = f"{service}:{operation}"
    action = _ACTIONS.get(action, action)
    if resource != "*" or service not in _RESOURCES:
        return [Permission(action, resource)]
    return _RESOURCES[service](
        action, _parameters(response), _Place(response.current_account, response.region), response
    )


def _parameters(response: Any) -> Mapping[str, Any]:
    try:
        given = json.loads(response.body or "{}")
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _ssm(action: str, given: Mapping[str, Any], place: _Place, _: Any) -> list[Permission]:
    names = given.get("Names") or [given.get("Name") or given.get("Path")]
    found = [Permission(action, _parameter(name, place)) for name in names if isinstance(name, str)]
    if given.get("WithDecryption"):
        # Amazon's own key for parameters needs no permission. Other keys do.
        held = ssm_backends[place.account][place.region]._parameters
        versions = [held.get(str(name).partition(":")[0]) for name in names]
        keys = {each[-1].keyid for each in versions if each and each[-1].keyid}
        found += [Permission("kms:Decrypt", _key(key, place)) for key in sorted(keys - {"alias/aws/ssm"})]
    return found or [Permission(action, "*")]


def _parameter(name: str, place: _Place) -> str:
    return name if name.startswith("arn:") else place.arn("ssm", f"parameter/{name.partition(':')[0].lstrip('/')}")


def _secrets(action: str, given: Mapping[str, Any], place: _Place, _: Any) -> list[Permission]:
    wanted = given.get("SecretId")
    if not isinstance(wanted, str):
        named = given.get("Name")
        return [Permission(action, place.arn("secretsmanager", f"secret:{named}-??????") if named else "*")]
    secret = secretsmanager_backends[place.account][place.region].secrets.get(wanted)
    return [Permission(action, secret.arn if secret else place.arn("secretsmanager", f"secret:{wanted}"))]


def _kms(action: str, given: Mapping[str, Any], place: _Place, _: Any) -> list[Permission]:
    key = given.get("KeyId")
    return [Permission(action, _key(key, place) if isinstance(key, str) else "*")]


def _key(key: str, place: _Place) -> str:
    try:
        found = kms_backends[place.account][place.region].any_id_to_key_id(key)
    except Exception:  # noqa: BLE001  no such key: the operation reports it if the caller has permission
        found = key
    return place.arn("kms", f"key/{found or key}")


def _dynamodb(action: str, given: Mapping[str, Any], place: _Place, _: Any) -> list[Permission]:
    name = given.get("TableName")
    if isinstance(name, str):
        table = name if name.startswith("arn:") else place.arn("dynamodb", f"table/{name}")
        return [Permission(action, f"{table}/index/{given['IndexName']}" if given.get("IndexName") else table)]
    tables = sorted(given.get("RequestItems") or {})
    return [Permission(action, place.arn("dynamodb", f"table/{table}")) for table in tables] or [
        Permission(action, "*")
    ]


def _lambda(action: str, _: Mapping[str, Any], place: _Place, response: Any) -> list[Permission]:
    name = unquote(response.path).partition("/functions/")[2].partition("/")[0]
    if not name:
        return [Permission(action, "*")]
    return [Permission(action, name if name.startswith("arn:") else place.arn("lambda", f"function:{name}"))]


def _logs(action: str, given: Mapping[str, Any], place: _Place, _: Any) -> list[Permission]:
    group = given.get("logGroupName")
    return [Permission(action, place.arn("logs", f"log-group:{group}:*") if group else "*")]


_RESOURCES: Final[Mapping[str, Callable[[str, Mapping[str, Any], _Place, Any], list[Permission]]]] = {
    "ssm": _ssm,
    "secretsmanager": _secrets,
    "kms": _kms,
    "dynamodb": _dynamodb,
    "lambda": _lambda,
    "logs": _logs,
}
