"""The error for a change that cannot be kept, in the words of the service."""

from functools import cache
from typing import Final

import botocore.loaders
from botocore.exceptions import UnknownServiceError

from keyfront.local.aws.responses import AWSError

_OWN_FAILURES: Final = (
    *("ServiceUnavailableException", "ServiceUnavailable", "InternalServerError", "InternalServiceError"),
    *("InternalServerException", "InternalServiceException", "InternalServiceFault", "InternalException"),
    *("InternalErrorException", "InternalFailureException", "KMSInternalException", "ServiceException"),
    *("ServiceFailureException", "WAFInternalErrorException"),
)
"""What services call a failure of theirs in their models, best first."""
_NAMES: Final = {"states": "stepfunctions", "monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"}
"""Services whose requests are signed with another name than that of their model."""
_JSON: Final = ("json", "rest-json")


def refusal(service: str | None, why: str) -> AWSError:
    """What a service (by its name in a signature) answers with status 5xx when it cannot keep a change."""
    code, status, json = _wording(service or "s3")
    return AWSError(status, code, why, json=json)


def speaks_json(service: str | None) -> bool:
    """Whether a service (by its name in a signature) writes its errors in JSON."""
    return service is not None and _wording(service)[2]


@cache
def _wording(service: str) -> tuple[str, int, bool]:
    """Code, HTTP status, and whether the body is JSON. `ServiceUnavailable` (503) is common to all AWS services."""
    try:
        model = botocore.loaders.Loader().load_service_model(_NAMES.get(service, service), "service-2")
    except UnknownServiceError:
        return "ServiceUnavailable", 503, False
    json = model["metadata"]["protocol"] in _JSON
    name = next((name for name in _OWN_FAILURES if model["shapes"].get(name, {}).get("exception")), None)
    if name is None:
        return "ServiceUnavailable", 503, json
    error = model["shapes"][name].get("error", {})
    return error.get("code", name), error.get("httpStatusCode", 500), json
