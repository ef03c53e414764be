"""Change sets: what a plan would change, to be executed later. The CDK, SAM and the AWS CLI deploy with them."""

from dataclasses import replace
from typing import Final
from uuid import uuid4

from keyfront.local.cloudformation import operations, plans
from keyfront.local.cloudformation.changes import changes, differs
from keyfront.local.cloudformation.engine import Deployment
from keyfront.local.cloudformation.faults import StackError
from keyfront.local.cloudformation.plans import Wish
from keyfront.local.cloudformation.stack import REVIEW, ChangeSet, Stack, Stacks, now
from keyfront.local.cloudformation.stack_checks import check_can_deploy, check_can_update

_NOTHING: Final = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


def create(
    stacks: Stacks, stack_name: str, name: str, kind: str, wish: Wish, url: str, description: str | None
) -> ChangeSet:
    """Create a change set. One without changes has failed, with the service's reason."""
    stack = stacks.live(stack_name) or stacks.stacks.get(stack_name)
    if stack is not None and any(each.name == name for each in stack.change_sets.values()):
        raise StackError(f"ChangeSet {name} already exists", "AlreadyExistsException")
    if kind == "UPDATE":
        if stack is None:
            raise StackError(f"Stack [{stack_name}] does not exist")
        check_can_update(stack)
    elif stack is not None and stack.status != REVIEW:
        raise StackError(
            f"Stack [{stack_name}] already exists and cannot be created again with the changeSet [{name}]."
        )
    made = plans.plan(stack, wish, stacks.region_name)
    if stack is None:
        stack_id = stacks.new_id(stack_name)
        stack = Stack(stack_id, stack_name, stacks.account_id, stacks.region_name, REVIEW, now())
    check_can_deploy(stacks, stack, made, url)
    if stack.id not in stacks.stacks:
        stack.become(REVIEW, "User Initiated")
        stacks.stacks[stack.id] = stack
    place = f"arn:aws:cloudformation:{stack.region}:{stack.account}:changeSet/{name}/{uuid4()}"
    found = changes(stacks, stack, made, url)
    change_set = ChangeSet(place, name, stack, kind, made, now(), description, tuple(found))
    if kind == "UPDATE" and not differs(stacks, stack, made, url):
        change_set.status, change_set.execution_status, change_set.reason = "FAILED", "UNAVAILABLE", _NOTHING
    stack.change_sets[change_set.id] = change_set
    return change_set


def find(stacks: Stacks, name: str, stack_name: str | None) -> ChangeSet:
    """Return a change set by its ARN, or by its name and its stack."""
    for stack in stacks.stacks.values():
        if stack_name is None or stack_name in (stack.name, stack.id):
            for change_set in stack.change_sets.values():
                if change_set.id == name or (stack_name is not None and change_set.name == name):
                    return change_set
    raise StackError(f"ChangeSet [{name}] does not exist", "ChangeSetNotFound")


def execute(stacks: Stacks, change_set: ChangeSet, url: str, *, token: str | None, keeps_failure: bool) -> None:
    """Make the changes. The other change sets of the stack are gone then."""
    stack = change_set.stack
    if change_set.execution_status != "AVAILABLE":
        raise StackError(
            f"ChangeSet [{change_set.id}] cannot be executed in its current status of [{change_set.status}]",
            "InvalidChangeSetStatus",
        )
    if stack.is_busy:
        raise StackError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
    stack.token, stack.change_set_id = token, change_set.id
    stack.change_sets = {change_set.id: change_set}
    change_set.execution_status = "EXECUTE_IN_PROGRESS"
    plan = replace(change_set.plan, on_failure="DO_NOTHING") if keeps_failure else change_set.plan
    deployment = Deployment(stacks, stack, plan, url, policy=stack.policy)

    def work() -> None:
        deployment.create() if change_set.kind == "CREATE" else deployment.update()
        complete = stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        change_set.execution_status = "EXECUTE_COMPLETE" if complete else "EXECUTE_FAILED"

    operations.start(stack, work)


def delete(change_set: ChangeSet) -> None:
    """Delete a change set."""
    if change_set.execution_status == "EXECUTE_IN_PROGRESS":
        said = f"ChangeSet [{change_set.id}] is in EXECUTE_IN_PROGRESS execution status and cannot be deleted"
        raise StackError(said, "InvalidChangeSetStatus")
    del change_set.stack.change_sets[change_set.id]
