"""The account that an operation works on, and the checks that every operation shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import is_etag
from keyfront.local.controlplane.propagation import Propagation
from keyfront.local.controlplane.quotas import Quotas
from keyfront.local.controlplane.store import Resource, Store, Table

if TYPE_CHECKING:
    from botocore.model import StructureShape

Config = TypeVar("Config")


@dataclass(frozen=True)
class LocalAccount:
    """An AWS account: its number (12 digits), what it has and what it may have."""

    number: str
    store: Store
    quotas: Quotas
    propagation: Propagation
    domain_name: Callable[[str], str]
    """The domain name of a distribution, by its id."""
    clock: Callable[[], datetime]
    """Now, as an aware datetime."""


Operation: TypeAlias = Callable[[LocalAccount, Any], Mapping[str, object]]
"""From an operation's input to its output. The input is typed by the operation (see `shapes`)."""


def found(table: Table[Config], identifier: str, code: str, what: str) -> Resource[Config]:
    """The resource of that id; `APIError` `code` when there is none."""
    resource = table.get(identifier)
    if resource is None:
        raise APIError(code, f"The specified {what} does not exist.")
    return resource


def check_version(resource: Resource[Config], if_match: str | None) -> None:
    """Check that the client has seen the resource's present version.

    Raises `APIError`: `InvalidIfMatchVersion` when `If-Match` is missing or not an ETag, `PreconditionFailed`
    when it is another version's. Assumed: which of the two a well-formed, stale ETag gets.
    """
    etag = (if_match or "").strip('"')
    if not is_etag(etag):
        raise APIError("InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")
    if etag != resource.etag:
        raise APIError(
            "PreconditionFailed",
            "The request failed because it didn't meet the preconditions in one or more request-header fields: "
            f"{resource.id} has changed since version {etag}; get it again and repeat the change.",
        )


def check_version_given(shape: StructureShape, given: Mapping[str, object]) -> None:
    """`APIError` `InvalidIfMatchVersion` for a change without `If-Match`, also of what does not exist."""
    if "IfMatch" in shape.members and not str(given.get("IfMatch", "")).strip():
        raise APIError("InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")


def check_length(value: str, name: str, maximum: int, minimum: int = 0) -> None:
    """`APIError` `InvalidArgument` for a text that is too long, or too short."""
    if len(value) > maximum:
        message = f"The parameter {name} is too long: it has {len(value)} characters, and may have {maximum}."
        raise APIError("InvalidArgument", message)
    if len(value) < minimum:
        raise APIError("InvalidArgument", f"The parameter {name} is required: it must not be empty.")


COMMENT_CHARACTERS = 128
"""A comment's length (API model: "The comment cannot be longer than 128 characters")."""

NAME_CHARACTERS = 128
"""The length of a public key's or a key group's name. Assumed: nothing documents one."""
