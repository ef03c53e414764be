"""Extends moto's Resource Groups Tagging API: it can find and tag CloudFront's resources."""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Final

from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource, iter_taggable_backends
from moto.resourcegroupstaggingapi import models
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend

from keyfront.local.controlplane import ControlPlane
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.journal import JournalError

# Assumed: global resources are found only in this Region. The API Reference ("GetResources") says only that the
# resources are those of the Region of the request.
_GLOBAL_REGION: Final = "us-east-1"

_plane: ContextVar[ControlPlane | None] = ContextVar("plane", default=None)
_tag: Final = ResourceGroupsTaggingAPIBackend.tag_resources
_untag: Final = ResourceGroupsTaggingAPIBackend.untag_resources

Failures = dict[str, dict[str, Any]]


def use(plane: ControlPlane | None) -> None:
    """Use CloudFront's resources from `plane` for the request in this thread."""
    _plane.set(plane)


def install() -> None:
    """Make moto include CloudFront's resources, and report why a resource was not tagged."""

    def backends(account_id: str, region_name: str) -> Iterator[TaggableResourcesMixin]:
        yield from iter_taggable_backends(account_id, region_name)
        plane = _plane.get()
        if plane and (account_id, region_name) == (plane.account_number, _GLOBAL_REGION):
            yield _CloudFront(plane)

    def tag(self: ResourceGroupsTaggingAPIBackend, resource_arns: list[str], tags: dict[str, str]) -> Failures:
        return _each(resource_arns, lambda arn: _tag(self, [arn], tags))

    def untag(self: ResourceGroupsTaggingAPIBackend, resource_arn_list: list[str], tag_keys: list[str]) -> Failures:
        return _each(resource_arn_list, lambda arn: _untag(self, [arn], tag_keys))

    models.iter_taggable_backends = backends  # type: ignore[attr-defined]
    ResourceGroupsTaggingAPIBackend.tag_resources = tag  # type: ignore[method-assign]
    ResourceGroupsTaggingAPIBackend.untag_resources = untag  # type: ignore[method-assign]


class _CloudFront(TaggableResourcesMixin):
    """A control plane, with the interface of a taggable moto service."""

    SERVICE_NAMESPACE = "cloudfront"
    partition = "aws"

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        for resource in self._plane.tagged():
            yield TaggedResource(resource.arn, dict(resource.tags), f"cloudfront:{resource.kind}")

    def tag_resource(self, arn: str, tags: dict[str, str]) -> None:
        items = [{"Key": key, "Value": value} for key, value in tags.items()]
        self._plane.perform("TagResource", {"Resource": arn, "Tags": {"Items": items}})

    def untag_resource(self, arn: str, tag_keys: list[str]) -> None:
        self._plane.perform("UntagResource", {"Resource": arn, "TagKeys": {"Items": tag_keys}})


def _each(arns: list[str], change: Callable[[str], Failures]) -> Failures:
    """Return the failures by ARN. Source: API Reference, "FailureInfo", which has two error codes."""
    failed: Failures = {}
    for arn in arns:
        try:
            failed |= change(arn)
        except APIError as error:
            failed[arn] = _failure(error.status, "InvalidParameterException", f"{error.code}: {error.message}")
        except JournalError as error:
            failed[arn] = _failure(500, "InternalServiceException", f"{error}.")
    return failed


def _failure(status: int, code: str, message: str) -> dict[str, Any]:
    return {"StatusCode": status, "ErrorCode": code, "ErrorMessage": message}
