"""Why CloudFront refuses to associate a Lambda function with a cache behavior.

Sources: Developer Guide, "Restrictions on Lambda@Edge" and "Quotas on Lambda@Edge" (since 2025 the same for all four
events: 30 seconds, 50 MB, and Lambda's own memory). The texts are Amazon's, as people report them. Assumed: the order,
and the texts about dead letter queues, X-Ray, container images and ephemeral storage.
"""

from collections.abc import Mapping
from typing import Any, Final

_SECONDS: Final = 30
_CODE_BYTES: Final = 50 * 1024 * 1024
_EPHEMERAL_MB: Final = 512
_EDGE_LAMBDA: Final = "edgelambda.amazonaws.com"
_RUNTIMES: Final = ("nodejs", "python")
_TOO_LARGE: Final = (
    "larger than the maximum allowed{} for functions that are triggered by a CloudFront event: {} Max allowed: {}"
)


def refusal(configuration: Mapping[str, Any], trust: str, arn: str) -> str:
    """Return why the function with this configuration cannot run at the edge, or an empty text.

    `configuration` is that of Lambda's API, `trust` the trust policy of its role as JSON.
    """
    reason = _of_configuration(configuration)
    if reason:
        return f"{reason} Function: {arn}"
    if _EDGE_LAMBDA not in trust:
        return (
            "The function execution role must be assumable with edgelambda.amazonaws.com as well as "
            f"lambda.amazonaws.com principals. Update the IAM role and try again. Role: {configuration['Role']}"
        )
    return ""


def _of_configuration(found: Mapping[str, Any]) -> str:
    if _inner(found, "Environment", "Variables"):
        return "The function cannot have environment variables."
    if found.get("Layers"):
        return "The function cannot have a layer."
    if _inner(found, "VpcConfig", "SubnetIds"):
        return "The function cannot have a VPC configuration."
    if _inner(found, "DeadLetterConfig", "TargetArn"):
        return "The function cannot have a dead letter queue."
    if _inner(found, "TracingConfig", "Mode") == "Active":
        return "The function cannot use AWS X-Ray."
    if found.get("PackageType") == "Image":
        return "The function cannot be a container image."
    return _of_machine(found)


def _of_machine(found: Mapping[str, Any]) -> str:
    if not str(found.get("Runtime", "")).startswith(_RUNTIMES):
        what = f"The function has a runtime that is not supported by Lambda@Edge: {found.get('Runtime')}"
        return f"{what} Supported runtimes: Node.js and Python."
    if "arm64" in found.get("Architectures", ()):
        return "Lambda@Edge does not support functions with an architecture of arm64."
    if (seconds := found.get("Timeout", 3)) > _SECONDS:
        return f"The function timeout is {_TOO_LARGE.format('', seconds, _SECONDS)}"
    if (size := found.get("CodeSize", 0)) > _CODE_BYTES:
        return f"The function code size is {_TOO_LARGE.format(' size', size, _CODE_BYTES)}"
    if (ephemeral := _inner(found, "EphemeralStorage", "Size") or 0) > _EPHEMERAL_MB:
        return f"The function ephemeral storage is {_TOO_LARGE.format(' size', ephemeral, _EPHEMERAL_MB)}"
    return ""


def _inner(found: Mapping[str, Any], member: str, name: str) -> Any:
    return (found.get(member) or {}).get(name)
