"""Facts about AWS's services from botocore's models: how each writes errors, and its own code for a failure."""

import gzip
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

_OWN_FAILURES: Final = (
    *("ServiceUnavailableException", "ServiceUnavailable", "InternalServerError", "InternalServiceError"),
    *("InternalServerException", "InternalServiceException", "InternalServiceFault", "InternalException"),
    *("InternalErrorException", "InternalFailureException", "KMSInternalException", "ServiceException"),
    *("ServiceFailureException", "WAFInternalErrorException"),
)
"""The error codes for a failure of the service, in the models of the services, best first."""
_MOST_METADATA: Final = 4096
"""A model begins with its metadata, so the rest of a file is not read. Some models have megabytes."""
_FACT: Final = re.compile(r'"(protocol|signingName|endpointPrefix)"\s*:\s*"([^"]+)"')
_IN_XML: Final = ("rest-xml", "query", "ec2")


def writes_json(service: str | None) -> bool:
    """Return whether a service (by its name in a signature) writes JSON. `None` is S3, which does not."""
    model = _models().get(service) if service not in (None, "s3") else None
    return model is not None and model[1] not in _IN_XML


@cache
def failure(service: str) -> tuple[str, int]:
    """Return the error code and HTTP status for a failure of a service (by its name in a signature).

    All AWS services have `ServiceUnavailable` (503).
    """
    model = _models().get(service)
    if model is None:
        return "ServiceUnavailable", 503
    shapes = Loader().load_service_model(model[0], "service-2")["shapes"]
    name = next((name for name in _OWN_FAILURES if shapes.get(name, {}).get("exception")), None)
    if name is None:
        return "ServiceUnavailable", 503
    error = shapes[name].get("error", {})
    return error.get("code", name), error.get("httpStatusCode", 500)


@cache
def _models() -> Mapping[str, tuple[str, str]]:
    """Return the model's name and the protocol of each service, by its name in signatures, in lower case.

    Where several models share a name, it is the one with the shortest name: `ses`, not `sesv2`. It takes a fifth of a
    second, once.
    """
    loader = Loader()
    found: dict[str, tuple[str, str]] = {}
    for name in sorted(loader.list_available_services("service-2"), key=len, reverse=True):
        facts = _facts(loader, name)
        signed = facts.get("signingName") or facts.get("endpointPrefix", name)
        found[signed.lower()] = name, facts.get("protocol", "")
    return found


def _facts(loader: Loader, name: str) -> dict[str, str]:
    try:
        version = loader.determine_latest_version(name, "service-2")
    except UnknownServiceError:
        return {}
    for folder in loader.search_paths:
        file = Path(folder, name, version, "service-2.json.gz")
        if file.exists():
            with gzip.open(file, "rt", encoding="utf-8") as model:
                return dict(_FACT.findall(model.read(_MOST_METADATA)))
    return {}
