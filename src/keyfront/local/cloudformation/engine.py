"""Creates, changes, rolls back and deletes stacks: one resource after another, in the order of their dependencies.

Source: CloudFormation User Guide, "Update behaviors of stack resources" and "Stack failure options". A resource that is
replaced is created anew before the old one is deleted, at the very end.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass, field

from keyfront.local.cloudformation.faults import NotYetKnownError, ResourceError, StackError
from keyfront.local.cloudformation.intrinsics import NO_VALUE, Scope, resolve
from keyfront.local.cloudformation.members import Members, ToldError
from keyfront.local.cloudformation.scopes import check_rules, outputs, scope, wanted
from keyfront.local.cloudformation.stack import DELETED, Member, Plan, Stable, Stack, Stacks, now
from keyfront.local.cloudformation.template import Resource


@dataclass
class Deployment:
    """One operation on a stack."""

    stacks: Stacks
    stack: Stack
    plan: Plan
    url: str
    retained: Set[str] = frozenset()
    """The resources that stay although the stack is deleted: only what failed to be deleted before."""
    policy: str | None = None
    """The stack's policy for this update."""
    skipped: Set[str] = frozenset()
    """The resources that a rollback leaves as they are."""
    _members: Members = field(init=False)

    def __post_init__(self) -> None:
        self._members = Members(self.stack, self.url, self.plan.tags, self.policy)

    def create(self) -> None:
        """Create a new stack. If a resource fails, everything is deleted again."""
        stack = self.stack
        stack.plan = self.plan
        stack.become("CREATE_IN_PROGRESS", "User Initiated")
        why = self._apply("create")
        if why is None:
            stack.become("CREATE_COMPLETE")
            return
        if self.plan.on_failure == "DO_NOTHING":
            stack.become("CREATE_FAILED", why)
            return
        self._roll_back_creation(f"{why} Rollback requested by user.")
        if self.plan.on_failure == "DELETE" and stack.status == "ROLLBACK_COMPLETE":
            self.delete()

    def update(self) -> None:
        """Change a stack. If a resource fails, everything becomes as it was."""
        stack = self.stack
        resumed = stack.stable is not None
        if stack.stable is None:
            stack.stable = Stable(stack.plan, dict(stack.members), tuple(stack.outputs))
        stack.updated, stack.cancelled = now(), False
        stack.become("UPDATE_IN_PROGRESS", "User Initiated")
        stack.plan = self.plan
        why = self._apply("update")
        if why is None:
            stack.become("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            if resumed:
                self._members.old += self._replaced_before(stack.stable)
            self._clean_up()
            stack.stable = None
            stack.become("UPDATE_COMPLETE")
            return
        if self.plan.on_failure == "DO_NOTHING":
            stack.become("UPDATE_FAILED", why)
            return
        self._roll_back_update(why)

    def roll_back(self) -> None:
        """Take a stack back to its last stable state, after a failure that left it as it was."""
        if self.stack.stable is None:
            self._roll_back_creation("User Initiated")
        else:
            self._roll_back_update("User Initiated")

    def delete(self) -> None:
        """Delete a stack. Resources that the template retains stay."""
        stack = self.stack
        stack.become("DELETE_IN_PROGRESS", "User Initiated")
        left = self._delete_all(rolling_back=False)
        if left:
            stack.become("DELETE_FAILED", _left(left))
            return
        stack.outputs, stack.deleted = [], now()
        stack.become(DELETED)

    def _roll_back_creation(self, why: str) -> None:
        stack = self.stack
        stack.become("ROLLBACK_IN_PROGRESS", why)
        left = self._delete_all(rolling_back=True)
        stack.outputs = []
        stack.become("ROLLBACK_FAILED" if left else "ROLLBACK_COMPLETE", _left(left) if left else None)

    def _roll_back_update(self, why: str) -> None:
        stack, stable = self.stack, self.stack.stable
        assert stable is not None
        stack.become("UPDATE_ROLLBACK_IN_PROGRESS", why)
        stack.plan, stack.outputs = stable.plan, list(stable.outputs)
        left = self._go_back(stable)
        if left:
            stack.become("UPDATE_ROLLBACK_FAILED", _left(left, "update"))
            return
        stack.stable = None
        stack.become("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        stack.become("UPDATE_ROLLBACK_COMPLETE")

    def _apply(self, what: str) -> str | None:
        """Make every resource as the plan has it. Return why that failed, or `None`."""
        names: list[str] = []
        try:
            known = scope(self.stacks, self.stack, self.plan, self.url)
            check_rules(self.plan, known)
            names = wanted(self.plan, known)
            for name in names:
                if self.stack.cancelled:
                    return "Stack update cancelled"
                if not self._made(known, self.plan.template.resources[name]):
                    return f"The following resource(s) failed to {what}: [{name}]."
            self.stack.outputs = outputs(self.plan, known)
            self._check_exports()
        except StackError as error:
            return error.message
        gone = [each for name, each in self.stack.members.items() if name not in names and each.made]
        for member in gone:
            try:
                self._members.ask_policy(member, "Update:Delete")
            except ToldError:
                return f"The following resource(s) failed to {what}: [{member.logical_id}]."
        self._members.old += gone
        return None

    def _made(self, known: Scope, resource: Resource) -> bool:
        try:
            properties = {name: resolve(known, value) for name, value in resource.properties.items()}
            self._members.make(resource, {name: each for name, each in properties.items() if each is not NO_VALUE})
        except ToldError:
            return False
        except NotYetKnownError as error:
            self._members.fail(resource, f"Unresolved resource dependencies [{error}] in the Resources block")
            return False
        except (StackError, ResourceError) as error:
            self._members.fail(resource, str(getattr(error, "message", error)))
            return False
        return True

    def _clean_up(self) -> None:
        """Delete what the new template replaced or left out. A failure leaves the resource, as on Amazon."""
        for member in _last_first(self._members.old, self.stack.stable.plan if self.stack.stable else None):
            current = self.stack.members.get(member.logical_id)
            if current is not None and current.made == member.made:
                del self.stack.members[member.logical_id]
            if member.retained:
                self._members.tell(member, "DELETE_SKIPPED")
            else:
                self._members.delete(member, forget=False)

    def _replaced_before(self, stable: Stable) -> list[Member]:
        """Return what updates replaced that failed before this one, and still exists."""
        known = {each.made.physical_id for each in (*self._members.old, *self.stack.members.values()) if each.made}
        return [each for each in stable.members.values() if each.made and each.made.physical_id not in known]

    def _go_back(self, stable: Stable) -> list[str]:
        """Undo the changes, the last one first. Return the logical ids of the resources that could not go back."""
        left: list[str] = []
        for member in _last_first(self.stack.members.values(), self.plan):
            name = member.logical_id
            former = stable.members.get(name)
            if name in self.skipped and former is not None:
                self._members.note(former, "UPDATE_COMPLETE", "Resource was skipped by the user")
            elif former is None:
                if member.made and not self._members.delete(member):
                    left.append(name)
                self.stack.members.pop(name, None)
            elif member.made != former.made or member.status != former.status or member.properties != former.properties:
                try:
                    self._members.restore(member, former)
                except ResourceError:
                    left.append(name)
        return left

    def _delete_all(self, *, rolling_back: bool) -> list[str]:
        left: list[str] = []
        for member in _last_first(self.stack.members.values(), self.stack.plan):
            name = member.logical_id
            if member.made is None:
                del self.stack.members[name]
            elif self._stays(member, rolling_back=rolling_back):
                self._members.tell(member, "DELETE_SKIPPED")
                del self.stack.members[name]
            elif not self._members.delete(member):
                left.append(name)
            elif rolling_back:
                del self.stack.members[name]
        return left

    def _stays(self, member: Member, *, rolling_back: bool) -> bool:
        if not rolling_back and member.logical_id in self.retained:
            return True
        resource = self.plan.template.resources.get(member.logical_id)
        new_only = resource is not None and resource.deletion_policy == "RetainExceptOnCreate"
        return member.retained and not (rolling_back and new_only)

    def _check_exports(self) -> None:
        exports = self.stacks.exports()
        for output in self.stack.outputs:
            if output.export and exports.get(output.export, (self.stack,))[0] is not self.stack:
                raise StackError(f"Export with name {output.export} is already exported by another stack.")


def _last_first(members: Iterable[Member], plan: Plan | None) -> list[Member]:
    """Return resources, each before those that it needs. Resources that the plan does not have come first."""
    order = {name: number for number, name in enumerate(plan.template.order())} if plan else {}
    return sorted(members, key=lambda each: -order.get(each.logical_id, len(order)))


def _left(names: list[str], what: str = "delete") -> str:
    return f"The following resource(s) failed to {what}: [{', '.join(sorted(names))}]."
