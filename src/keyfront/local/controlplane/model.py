"""CloudFront's API as its service model (shipped in botocore) describes it: operations, shapes, errors."""

from collections.abc import Mapping
from functools import cache

from botocore.loaders import Loader
from botocore.model import ServiceModel

API_VERSION = "2020-05-31"
NAMESPACE = f"http://cloudfront.amazonaws.com/doc/{API_VERSION}/"


def location(path: str) -> str:
    """The `Location` of a resource that was made: its address at Amazon, wherever it was made."""
    return f"https://cloudfront.amazonaws.com/{API_VERSION}/{path}"


@cache
def service_model() -> ServiceModel:
    """The model of CloudFront's API, read once."""
    return ServiceModel(Loader().load_service_model("cloudfront", "service-2", API_VERSION), "cloudfront")


@cache
def error_statuses() -> Mapping[str, int]:
    """The HTTP status of each error code that the model knows."""
    return {shape.name: int(shape.metadata["error"]["httpStatusCode"]) for shape in service_model().error_shapes}
