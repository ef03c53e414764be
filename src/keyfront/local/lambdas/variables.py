"""The environment of a function's process: Lambda's variables and the function's own, none of the host's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from keyfront.local.lambdas.function import Function


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials of an execution role."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)


def variables(
    function: Function,
    *,
    task: Path,
    home: Path,
    endpoint: str,
    credentials: Credentials,
    log_stream: str,
) -> Mapping[str, str]:
    """Return the variables of a process. Source: Lambda Developer Guide, "Defined runtime environment variables".

    It adds `AWS_ENDPOINT_URL` (this laptop's endpoint), and `HOME` and `TMPDIR` in place of Lambda's `/tmp`, so that
    an SDK does not find the user's profiles.
    """
    level = {"AWS_LAMBDA_LOG_LEVEL": function.log_level} if function.log_level else {}
    return {
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_ENDPOINT_URL": endpoint,
        **function.environment,
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": str(task),
        "LAMBDA_RUNTIME_DIR": str(task),
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_LOG_FORMAT": function.log_format,
        **level,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
    }
