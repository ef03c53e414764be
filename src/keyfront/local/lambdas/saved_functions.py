"""Reads functions from moto as plain values, and writes their log events and assumed roles to moto.

Importing this module imports moto.
"""

import logging
from collections.abc import Sequence
from typing import Any

from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.logs.models import logs_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from keyfront.local.aws import enforcement
from keyfront.local.aws.permissions import Permission
from keyfront.local.lambdas.function import Archive, Function, FunctionError
from keyfront.local.lambdas.logbook import Entry
from keyfront.local.lambdas.variables import Credentials

_log = logging.getLogger(__name__)

_CREDENTIAL_SECONDS = 12 * 60 * 60


def find(arn: str) -> Function:
    """Return the function that an integration names, with the version or alias in the ARN.

    Raises `FunctionError` if it does not exist.
    """
    parts = arn.split(":")
    if len(parts) < 7 or parts[2] != "lambda":
        raise FunctionError("ResourceNotFoundException", f"{arn} is not the ARN of a function", 404)
    region, account = parts[3], parts[4]
    try:
        found = lambda_backends[account][region].get_function(":".join(parts[6:]), None)
    except Exception as error:
        raise FunctionError("ResourceNotFoundException", f"Function not found: {arn}", 404) from error
    return as_value(found)


def as_value(kept: LambdaFunction) -> Function:
    """Return the function as a value. Raises `FunctionError` for a container image."""
    if kept.package_type != "Zip":
        raise FunctionError(
            "InvalidRuntimeException", f"{kept.function_name} is a container image, which cannot run here."
        )
    backend = lambda_backends[kept.account_id][kept.region]
    layers = (backend.layers_versions_by_arn(layer["Arn"]) for layer in kept.layers)
    logging_config = getattr(kept, "logging_config", None) or {}
    latest = backend.get_function(kept.function_name, None)
    reserved = latest.reserved_concurrency
    return Function(
        account=kept.account_id,
        region=kept.region,
        name=kept.function_name,
        version=str(kept.version),
        arn=kept.function_arn,
        made=f"{id(kept)} {kept.last_modified}",
        runtime=kept.run_time or "",
        handler=kept.handler or "",
        role=kept.role,
        timeout=float(kept.timeout),
        memory_mb=int(kept.memory_size),
        variables=tuple(sorted(kept.environment_vars.items())),
        code=Archive(kept.code_sha_256, kept.code_bytes),
        layers=tuple(Archive(layer.code_sha_256, layer.code_bytes) for layer in layers if layer),
        log_group=logging_config.get("LogGroup") or kept.logs_group_name,
        log_format=logging_config.get("LogFormat") or "Text",
        log_level=logging_config.get("ApplicationLogLevel"),
        reserved=None if reserved is None else int(reserved),
    )


def resource_policy(function: Function) -> list[dict[str, Any]]:
    """Return the statements of a function's resource policy."""
    kept: LambdaFunction = lambda_backends[function.account][function.region].get_function(function.name, None)
    return list(kept.policy.statements)


def publish(function: Function, stream: str, entries: Sequence[Entry], *, enforce_iam: bool) -> None:
    """Write events to a log stream. The stream and its group are created if they are missing.

    Lambda writes them with the function's role. With `enforce_iam`, a role without permission writes nothing.
    """
    if enforce_iam and not _may_write(function):
        return
    backend = logs_backends[function.account][function.region]
    backend.ensure_log_group(function.log_group)
    if stream not in backend.groups[function.log_group].streams:
        backend.create_log_stream(function.log_group, stream)
    events = [{"timestamp": entry.timestamp, "message": entry.message} for entry in entries]
    backend.put_log_events(function.log_group, stream, events)


def _may_write(function: Function) -> bool:
    identity = enforcement.role(function.account, function.region, function.role)
    partition = get_partition(function.region)
    group = f"arn:{partition}:logs:{function.region}:{function.account}:log-group:{function.log_group}:*"
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        wanted = Permission(action, group)
        if enforcement.denied(identity, wanted):
            enforcement.tell(identity, wanted)
            return False
    return True


def assume(function: Function) -> Credentials:
    """Return credentials of the function's role, as `sts:AssumeRole` gives them to Lambda.

    moto does not check that the role exists, nor its trust policy. If IAM is enforced, each use of the credentials is
    checked.
    """
    backend = sts_backends[function.account][get_partition(function.region)]
    assumed = backend.assume_role(
        region_name=function.region,
        role_session_name=function.name,
        role_arn=function.role,
        policy="",
        duration=_CREDENTIAL_SECONDS,
        external_id="",
    )
    return Credentials(assumed.access_key_id, assumed.secret_access_key, assumed.session_token)
