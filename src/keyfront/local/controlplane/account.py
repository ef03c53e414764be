"""The account that an operation works on, and checks that all operations share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import is_etag, new_etag
from keyfront.local.controlplane.propagation import Propagation
from keyfront.local.controlplane.quotas import Quotas
from keyfront.local.controlplane.store import Resource, Store, Table

if TYPE_CHECKING:
    from botocore.model import StructureShape

Config = TypeVar("Config")


@dataclass(frozen=True)
class FunctionTest:
    """A function to run once, on an event."""

    name: str
    runtime: str
    code: str
    event: Mapping[str, object]
    store_id: str
    """The id of its key value store, or empty."""
    pairs: Mapping[str, str]


@dataclass(frozen=True)
class FunctionTestResult:
    """What came of it. `output` is JSON; `error` is empty if the function ran to its end."""

    output: str
    error: str
    logs: tuple[str, ...]
    utilization: int
    """In per cent of the allowed time."""


@dataclass(frozen=True)
class LocalAccount:
    """An AWS account: its number (12 digits), its resources and its quotas."""

    number: str
    store: Store
    quotas: Quotas
    propagation: Propagation
    domain_name: Callable[[str], str]
    """Returns a distribution's domain name for its id."""
    clock: Callable[[], datetime]
    """Returns the current time as an aware datetime."""
    run_function: Callable[[FunctionTest], FunctionTestResult] | None = None
    """Runs a CloudFront function, if there is something that can."""
    read_object: Callable[[str, str], bytes] | None = None
    """Returns an S3 object for its bucket and key. Raises `KeyfrontError` if it cannot be read."""
    lambda_refusal: Callable[[str], str] | None = None
    """Returns why the version of a Lambda function cannot run at the edge, or an empty text."""


Operation: TypeAlias = Callable[[LocalAccount, Any], Mapping[str, object]]
"""Takes an operation's input and returns its output. Each operation has its own input type (see `shapes`)."""


def found(table: Table[Config], identifier: str, code: str, what: str) -> Resource[Config]:
    """Return the resource with this id. Raise `APIError` with `code` if it does not exist."""
    resource = table.get(identifier)
    if resource is None:
        raise APIError(code, f"The specified {what} does not exist.")
    return resource


def check_version(resource: Resource[Config], if_match: str | None) -> None:
    """Check that `If-Match` is the ETag of the resource's current version.

    Raises `APIError`: `InvalidIfMatchVersion` if `If-Match` is missing or not an ETag, `PreconditionFailed` if it is
    the ETag of another version. Assumed: which of the two a well-formed, stale ETag gets.
    """
    etag = (if_match or "").strip('"')
    if not is_etag(etag):
        raise APIError("InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")
    if etag != resource.etag:
        raise APIError(
            "PreconditionFailed",
            "The request failed because it didn't meet the preconditions in one or more request-header fields: "
            f"{resource.id} has changed since version {etag}. Get it again and repeat the change.",
        )


def renew_version(account: LocalAccount, distribution: Resource[Any]) -> None:
    """Give a distribution another ETag, because a resource that it uses has changed. Nothing else changes.

    Assumed, for key groups and response headers policies: seen in the field (AWS provider for Terraform, issues 23949
    and 24033, PR 24537).
    """
    renewed = replace(distribution, etag=new_etag())
    account.store.distributions.put(renewed)
    if account.propagation.under_way(distribution.id, distribution.etag):
        account.propagation.changed(renewed.id, renewed.etag)


def check_version_given(shape: StructureShape, given: Mapping[str, object]) -> None:
    """Raise `APIError` `InvalidIfMatchVersion` for a change without `If-Match`, even if the resource does not exist."""
    if "IfMatch" in shape.members and not str(given.get("IfMatch", "")).strip():
        raise APIError("InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")


def check_length(value: str, name: str, maximum: int, minimum: int = 0) -> None:
    """Raise `APIError` `InvalidArgument` for a text that is too long or too short."""
    if len(value) > maximum:
        message = f"The parameter {name} is too big: it has {len(value)} characters; the maximum is {maximum}."
        raise APIError("InvalidArgument", message)
    if len(value) < minimum:
        raise APIError("InvalidArgument", f"The parameter {name} is required: it must not be empty.")


COMMENT_CHARACTERS = 128
"""The maximum length of a comment (API model: "The comment cannot be longer than 128 characters")."""

NAME_CHARACTERS = 128
"""The maximum length of the name of a public key or a key group. Assumed: no source documents one."""
