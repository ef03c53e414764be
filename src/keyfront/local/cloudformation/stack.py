"""Stacks with their resources, events and change sets. `--state` keeps them between runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource

from keyfront.local.cloudformation.template import Template

STACK: Final = "AWS::CloudFormation::Stack"
DELETED: Final = "DELETE_COMPLETE"
REVIEW: Final = "REVIEW_IN_PROGRESS"
_KEPT: Final = 1000
"""The number of events that a stack keeps."""
_MOMENT: Final = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Made:
    """A resource that exists: its physical id, and its values for `Fn::GetAtt`."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """A resource of a stack."""

    logical_id: str
    kind: str
    properties: Mapping[str, Any]
    """Without functions."""
    made: Made | None
    status: str
    changed: datetime
    reason: str | None = None
    retained: bool = False
    """Whether it stays when the stack is deleted."""


@dataclass(frozen=True)
class Drift:
    """How a resource differs from its template, at a time."""

    status: str
    """`IN_SYNC`, `MODIFIED`, `DELETED`, `NOT_CHECKED` or `UNKNOWN`."""
    checked: datetime
    expected: str | None = None
    """The properties as JSON."""
    actual: str | None = None
    differences: tuple[Mapping[str, str], ...] = ()
    """As the API has them."""
    reason: str | None = None


@dataclass(frozen=True)
class Detection:
    """One comparison of a stack with its template."""

    id: str
    checked: datetime
    drifts: Mapping[str, Drift]
    """By logical id."""
    is_whole: bool = True
    """Whether all resources of the stack were compared."""

    @property
    def status(self) -> str:
        """The status of the whole stack."""
        if self.drifted:
            return "DRIFTED"
        return "UNKNOWN" if any(each.status == "UNKNOWN" for each in self.drifts.values()) else "IN_SYNC"

    @property
    def drifted(self) -> int:
        """How many resources are not as their template."""
        return sum(each.status in ("MODIFIED", "DELETED") for each in self.drifts.values())


@dataclass(frozen=True)
class Event:
    """A line of a stack's history."""

    stack_id: str
    stack_name: str
    logical_resource_id: str
    physical_resource_id: str
    resource_type: str
    resource_status: str
    resource_status_reason: str | None
    event_id: str
    timestamp: datetime
    client_request_token: str | None = None


@dataclass(frozen=True)
class Plan:
    """What a stack becomes: its template and the values for it."""

    text: str
    template: Template
    values: Mapping[str, str] = field(default_factory=dict)
    """The parameters' values as given."""
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    role: str | None = None
    on_failure: str = "ROLLBACK"
    """`ROLLBACK`, `DO_NOTHING` or `DELETE`."""


@dataclass(frozen=True)
class Output:
    """An output of a stack."""

    key: str
    value: str
    description: str | None
    export: str | None


@dataclass(frozen=True)
class Stable:
    """A stack before an update, to which a rollback takes it back."""

    plan: Plan | None
    members: Mapping[str, Member]
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class Change:
    """A change that a change set announces."""

    action: str
    logical_id: str
    kind: str
    physical_id: str | None = None
    replacement: str | None = None
    properties: tuple[str, ...] = ()


@dataclass(eq=False)
class Stack:
    """A stack. Its engine changes it."""

    id: str
    name: str
    account: str
    region: str
    status: str
    created: datetime
    plan: Plan | None = None
    """The plan of the last deployment that succeeded, or that is under way."""
    reason: str | None = None
    updated: datetime | None = None
    deleted: datetime | None = None
    members: dict[str, Member] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    change_sets: "dict[str, ChangeSet]" = field(default_factory=dict)
    change_set_id: str | None = None
    """The change set that was executed last."""
    parent: str | None = None
    protected: bool = False
    policy: str | None = None
    token: str | None = None
    """The client's token for the events of this operation."""
    stable: Stable | None = None
    """The stack before an update that is under way, or that failed and was not rolled back."""
    cancelled: bool = False
    """Whether the update under way shall stop before its next resource."""
    detections: tuple[Detection, ...] = ()
    """The last comparisons with the template, the newest at the end."""

    @property
    def is_busy(self) -> bool:
        """Whether an operation is under way."""
        return self.status.endswith("_IN_PROGRESS") and self.status != REVIEW

    def drift(self, logical_id: str) -> Drift | None:
        """Return the last comparison of a resource, or `None` if there was none."""
        found = (each.drifts[logical_id] for each in reversed(self.detections) if logical_id in each.drifts)
        return next(found, None)

    def tell(self, logical_id: str, kind: str, physical_id: str, status: str, reason: str | None = None) -> None:
        """Add an event. No two events have the same time, by which clients sort them."""
        moment = max(now(), self.events[-1].timestamp + _MOMENT) if self.events else now()
        where = (self.id, self.name, logical_id, physical_id, kind, status, reason)
        made = Event(*where, str(uuid4()), moment, self.token)
        self.events.append(made)
        del self.events[:-_KEPT]

    def become(self, status: str, reason: str | None = None) -> None:
        """Change the status, with an event."""
        self.status, self.reason = status, reason
        self.tell(self.name, STACK, self.id, status, reason)


@dataclass(eq=False)
class ChangeSet:
    """A change set of a stack."""

    id: str
    name: str
    stack: Stack
    kind: str
    plan: Plan
    created: datetime
    description: str | None = None
    changes: tuple[Change, ...] = ()
    status: str = "CREATE_COMPLETE"
    execution_status: str = "AVAILABLE"
    reason: str | None = None


class Stacks(BaseBackend, TaggableResourcesMixin):
    """The stacks of an account in a region. moto's reset and keyfront's saved state include it."""

    SERVICE_NAMESPACE = "cloudformation"

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.stacks: dict[str, Stack] = {}
        """By id, also deleted ones."""

    def find(self, name_or_id: str) -> Stack | None:
        """Return a stack, or `None` if it does not exist. A deleted one is found by its id only."""
        return self.stacks.get(name_or_id) or self.live(name_or_id)

    def live(self, name: str) -> Stack | None:
        """Return the stack with this name that is not deleted."""
        return next((each for each in self.stacks.values() if each.name == name and each.status != DELETED), None)

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """Yield the stacks with their tags, for the Resource Groups Tagging API."""
        for stack in list(self.stacks.values()):
            if stack.status != DELETED:
                yield TaggedResource(stack.id, dict(stack.plan.tags) if stack.plan else {}, "cloudformation:stack")

    def exports(self) -> dict[str, tuple[Stack, Output]]:
        """Return the exported outputs by their names."""
        return {
            output.export: (stack, output)
            for stack in list(self.stacks.values())
            if stack.status != DELETED
            for output in stack.outputs
            if output.export is not None
        }

    def new_id(self, name: str) -> str:
        """Return the id of a new stack."""
        return f"arn:aws:cloudformation:{self.region_name}:{self.account_id}:stack/{name}/{uuid4()}"


def now() -> datetime:
    """Return the time of an event."""
    return datetime.now(UTC)


stacks_of: Final[BackendDict[Stacks]] = BackendDict(Stacks, "cloudformation")
