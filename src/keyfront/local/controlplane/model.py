"""CloudFront's service model, which botocore ships: operations, shapes, errors."""

from collections.abc import Mapping
from functools import cache

from botocore.loaders import Loader
from botocore.model import ServiceModel

API_VERSION = "2020-05-31"
NAMESPACE = f"http://cloudfront.amazonaws.com/doc/{API_VERSION}/"


def location(path: str) -> str:
    """Return the `Location` of a new resource. On the laptop it is Amazon's address, too."""
    return f"https://cloudfront.amazonaws.com/{API_VERSION}/{path}"


@cache
def loader() -> Loader:
    """Return the loader of botocore's models, for all of this process. It reads each model once."""
    return Loader()


@cache
def service_model() -> ServiceModel:
    """Return the model of CloudFront's API. It is read once."""
    return ServiceModel(loader().load_service_model("cloudfront", "service-2", API_VERSION), "cloudfront")


@cache
def error_statuses() -> Mapping[str, int]:
    """Return the HTTP status of each error code in the model."""
    return {shape.name: int(shape.metadata["error"]["httpStatusCode"]) for shape in service_model().error_shapes}
