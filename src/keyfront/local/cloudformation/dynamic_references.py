"""Dynamic references (`{{resolve:ssm:NAME}}`): values that a template only names. They are read for each call.

Source: CloudFormation User Guide, "Get values stored in other services using dynamic references". The values never
become part of the stack.
"""

import json
import re
from typing import Any, Final

from botocore.exceptions import ClientError

from keyfront.local.cloudformation.faults import ResourceError
from keyfront.local.cloudformation.kinds.kind import Task

_REFERENCE: Final = re.compile(r"\{\{resolve:([a-z-]+):([^}]+)\}\}")


def fill(task: Task, value: Any) -> Any:
    """Return a value with each dynamic reference replaced. Raises `ResourceError` if one cannot be read."""
    if isinstance(value, list):
        return [fill(task, each) for each in value]
    if isinstance(value, dict):
        return {name: fill(task, each) for name, each in value.items()}
    if not isinstance(value, str) or "{{resolve:" not in value:
        return value
    return _REFERENCE.sub(lambda found: _read(task, found.group(1), found.group(2)), value)


def _read(task: Task, service: str, name: str) -> str:
    try:
        if service in ("ssm", "ssm-secure"):
            return _parameter(task, name, secure=service == "ssm-secure")
        if service == "secretsmanager":
            return _secret(task, name)
    except ClientError as error:
        said = error.response["Error"]["Message"]
        raise ResourceError(f"Could not read the dynamic reference {{{{resolve:{service}:{name}}}}}: {said}") from None
    raise ResourceError(
        f"Invalid dynamic reference: the service {service} is not one of ssm, ssm-secure, secretsmanager"
    )


def _parameter(task: Task, name: str, *, secure: bool) -> str:
    given = {"Name": name, "WithDecryption": secure}
    found = task.call("ssm", "GetParameter", given)["Parameter"]
    if not secure and found["Type"] == "SecureString":
        raise ResourceError(f"SSM Secure reference is required for the SecureString parameter {name}: use ssm-secure")
    return str(found["Value"])


def _secret(task: Task, name: str) -> str:
    """Read `ID:SecretString:KEY:STAGE:VERSION`. An ARN has colons of its own."""
    parts = name.split(":")
    size = 7 if name.startswith("arn:") else 1
    secret_id, rest = ":".join(parts[:size]), [*parts[size:], "", "", "", ""]
    kind, key, stage, version = rest[:4]
    if kind not in ("", "SecretString"):
        raise ResourceError(f"Invalid dynamic reference: {kind} is not SecretString")
    given = {
        "SecretId": secret_id,
        **({"VersionStage": stage} if stage else {}),
        **({"VersionId": version} if version else {}),
    }
    text = str(task.call("secretsmanager", "GetSecretValue", given)["SecretString"])
    if not key:
        return text
    try:
        return str(json.loads(text)[key])
    except (ValueError, KeyError, TypeError):
        raise ResourceError(f"Could not find a value associated with JSONKey {key} in the secret {secret_id}") from None
