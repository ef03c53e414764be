"""One resource of a stack: created, changed, replaced and deleted, with the events of each step."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from keyfront.local.cloudformation import dynamic_references, schemas, stack_policies
from keyfront.local.cloudformation.changes import check_type, replaced_by
from keyfront.local.cloudformation.faults import ResourceError
from keyfront.local.cloudformation.kinds import registry
from keyfront.local.cloudformation.kinds.custom_resources import is_custom
from keyfront.local.cloudformation.kinds.kind import Kind, Task
from keyfront.local.cloudformation.reasons import handler_reason, invalid_reason, is_gone
from keyfront.local.cloudformation.stack import Made, Member, Stack, now
from keyfront.local.cloudformation.template import Resource

_log = logging.getLogger(__name__)
_REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."


class ToldError(ResourceError):
    """A failure that is in the stack's events already."""


@dataclass
class Members:
    """The resources of a stack, during one operation."""

    stack: Stack
    url: str
    tags: Mapping[str, str]
    policy: str | None = None
    """The policy for this update. `None` allows everything."""
    old: list[Member] = field(default_factory=list)
    """The resources that were replaced, and still exist."""

    def make(self, resource: Resource, properties: Mapping[str, Any]) -> None:
        """Create, change or replace a resource. Raises `ResourceError`, or `StackError` for another type."""
        member = self.stack.members.get(resource.logical_id)
        if member is None or member.made is None:
            self._create(resource, properties)
            return
        check_type(member, resource)
        wanted = replace(member, properties=properties, retained=resource.is_retained)
        if member.properties == properties:
            self.stack.members[resource.logical_id] = wanted
        elif replaced_by(resource.kind, member.properties, properties):
            self.ask_policy(member, "Update:Replace")
            self._replace(resource, member, wanted)
        else:
            self.ask_policy(member, "Update:Modify")
            self._update(member, wanted)

    def ask_policy(self, member: Member, action: str) -> None:
        """Raise `ToldError` if the stack's policy does not allow an action."""
        if reason := stack_policies.refusal(self.policy, action, member.logical_id, member.kind):
            self.note(member, "UPDATE_FAILED", reason)
            raise ToldError(reason)

    def restore(self, member: Member, former: Member) -> None:
        """Make a resource as it was before the operation. Raises `ResourceError`."""
        was, current = former.made, member.made
        if was is None or current is None:
            return
        self.note(former, "UPDATE_IN_PROGRESS")
        made = was
        if was.physical_id == current.physical_id:
            changed = member.properties
            made = self._do(
                replace(former, made=current),
                "UPDATE_FAILED",
                lambda kind, task: kind.update(task, dynamic_references.fill(task, changed), current),
                keep=former,
            )
        self.note(replace(former, made=made), "UPDATE_COMPLETE")
        if was.physical_id != current.physical_id:
            self.delete(member, forget=False)

    def delete(self, member: Member, *, forget: bool = True) -> bool:
        """Delete a resource, and return whether it worked. If not `forget`, the stack has another one in its place."""
        made = member.made
        assert made is not None
        note = self.note if forget else self.tell
        note(member, "DELETE_IN_PROGRESS")
        try:
            self._run(member, lambda kind, task: kind.delete(task, made), gone=None)
        except ResourceError as error:
            note(member, "DELETE_FAILED", error.reason)
            return False
        note(member, "DELETE_COMPLETE")
        return True

    def note(self, member: Member, status: str, reason: str | None = None) -> None:
        """Write down a resource's status, with an event."""
        self.stack.members[member.logical_id] = replace(member, status=status, reason=reason, changed=now())
        self.tell(member, status, reason)

    def tell(self, member: Member, status: str, reason: str | None = None) -> None:
        """Add an event about a resource."""
        physical_id = member.made.physical_id if member.made else ""
        self.stack.tell(member.logical_id, member.kind, physical_id, status, reason)

    def fail(self, resource: Resource, reason: str) -> None:
        """Write down a failure before anything was made of the resource."""
        known = self.stack.members.get(resource.logical_id)
        status = "UPDATE_FAILED" if known and known.made else "CREATE_FAILED"
        self.note(known or Member(resource.logical_id, resource.kind, {}, None, status, now()), status, reason)

    def _create(self, resource: Resource, properties: Mapping[str, Any]) -> None:
        member = Member(resource.logical_id, resource.kind, properties, None, "", now(), None, resource.is_retained)
        self.note(member, "CREATE_IN_PROGRESS")
        made = self._do(member, "CREATE_FAILED", lambda kind, task: kind.create(task), keep=member)
        self.note(replace(member, made=made), "CREATE_IN_PROGRESS", "Resource creation Initiated")
        self.note(replace(member, made=made), "CREATE_COMPLETE")

    def _replace(self, resource: Resource, member: Member, wanted: Member) -> None:
        if name := _same_name(resource, member.properties, wanted.properties):
            reason = (
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {name} and update the stack again."
            )
            self.note(member, "UPDATE_FAILED", reason)
            raise ToldError(reason)
        self.note(wanted, "UPDATE_IN_PROGRESS", _REPLACING)
        made = self._do(wanted, "UPDATE_FAILED", lambda kind, task: kind.create(task), keep=member)
        self.old.append(replace(member, retained=resource.replace_policy != "Delete"))
        self.note(replace(wanted, made=made), "UPDATE_IN_PROGRESS", "Resource creation Initiated")
        self.note(replace(wanted, made=made), "UPDATE_COMPLETE")

    def _update(self, member: Member, wanted: Member) -> None:
        before, was = member.properties, member.made
        assert was is not None
        self.note(wanted, "UPDATE_IN_PROGRESS")
        made = self._do(
            wanted,
            "UPDATE_FAILED",
            lambda kind, task: kind.update(task, dynamic_references.fill(task, before), was),
            keep=member,
        )
        if made.physical_id != was.physical_id and is_custom(member.kind):
            # Another physical id means another resource, and the old one is deleted at the end.
            self.old.append(member)
        self.note(replace(wanted, made=made), "UPDATE_COMPLETE")

    def _do(self, member: Member, status: str, work: Callable[[Kind, Task], Made], keep: Member) -> Made:
        try:
            _check_properties(member)
            made: Made = self._run(member, work)
        except ResourceError as error:
            self.note(keep, status, error.reason)
            raise ToldError(error.reason) from None
        return made

    def _run(self, member: Member, work: Callable[[Kind, Task], Any], **gone: None) -> Any:
        """Run `work`. With `gone=None`, a resource that does not exist is no error."""
        kind = registry.find(member.kind)
        if kind is None:
            raise ResourceError(f"Unrecognized resource type: {member.kind}")
        stack = self.stack
        where = (stack.id, stack.name, stack.account, stack.region, member.logical_id, member.kind)
        task = Task(*where, member.properties, self.url, self.tags)
        try:
            return work(kind, replace(task, properties=dynamic_references.fill(task, member.properties)))
        except ClientError as error:
            if gone and is_gone(error):
                return None
            _log.warning("stack %s: %s %s: %s", stack.name, member.kind, member.logical_id, error)
            raise ResourceError(handler_reason(member.kind, error)) from None
        except (BotoCoreError, KeyError, TypeError, ValueError) as error:
            _log.debug("stack %s: %s", stack.name, member.logical_id, exc_info=True)
            raise ResourceError(invalid_reason(error)) from None


def _check_properties(member: Member) -> None:
    schema = None if is_custom(member.kind) else schemas.find(member.kind)
    if schema and (problems := schema.problems(member.properties)):
        listed = "\n".join(problems)
        raise ResourceError(f"Properties validation failed for resource {member.logical_id} with message:\n{listed}")


def _same_name(resource: Resource, before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """Return the name that the template chose for a resource and its successor, which cannot both have it."""
    schema = schemas.find(resource.kind)
    identifiers = schema.document.get("primaryIdentifier", []) if schema else []
    names = [each.split("/")[-1] for each in identifiers if each.endswith("Name")]
    same = [str(after[name]) for name in names if name in after and before.get(name) == after[name]]
    return same[0] if len(identifiers) == 1 and same else None
