"""The error for a change that cannot be saved, with the service's own error code."""

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
"""The error codes for a failure of the service, in the models of the services, best first."""
_NAMES: Final = {"states": "stepfunctions", "monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"}
"""Names of models that differ from the names in signatures."""
_JSON: Final = ("json", "rest-json")


def refusal(service: str | None, why: str) -> AWSError:
    """Return the 5xx error of a service (by its name in a signature) that cannot save a change."""
    code, status, json = _wording(service or "s3")
    return AWSError(status, code, why, json=json)


def speaks_json(service: str | None) -> bool:
    """Return whether a service (by its name in a signature) writes its errors in JSON."""
    return service is not None and _wording(service)[2]


@cache
def _wording(service: str) -> tuple[str, int, bool]:
    """Return the code, HTTP status, and whether the body is JSON. All AWS services have `ServiceUnavailable` (503)."""
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
