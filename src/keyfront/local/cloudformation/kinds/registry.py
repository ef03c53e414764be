"""Every resource type that stacks can have."""

from collections.abc import Mapping
from typing import Final

from keyfront.local.cloudformation.kinds import (
    cloudfront,
    http_apis,
    identity,
    lambda_functions,
    queries,
    rest_apis,
    s3,
    storing,
)
from keyfront.local.cloudformation.kinds.custom_resources import CustomResourceKind, is_custom
from keyfront.local.cloudformation.kinds.kind import Kind, Nothing
from keyfront.local.cloudformation.kinds.nested import NestedStackKind

_CUSTOM: Final = CustomResourceKind()
KINDS: Final[Mapping[str, Kind]] = {
    **cloudfront.KINDS,
    **s3.KINDS,
    **lambda_functions.KINDS,
    **http_apis.KINDS,
    **identity.KINDS,
    **queries.KINDS,
    **rest_apis.KINDS,
    **storing.KINDS,
    "AWS::CDK::Metadata": Nothing(),
    "AWS::CloudFormation::Stack": NestedStackKind(),
    "AWS::CloudFormation::WaitConditionHandle": Nothing(),
}


def find(kind: str) -> Kind | None:
    """Return a resource type, or `None` if it is not here."""
    return _CUSTOM if is_custom(kind) else KINDS.get(kind)
