"""Whether a stack can be changed or deleted now. The texts of errors are the service's."""

from typing import Final

from keyfront.local.cloudformation.faults import StackError
from keyfront.local.cloudformation.intrinsics import resolve
from keyfront.local.cloudformation.scopes import check_references, scope
from keyfront.local.cloudformation.stack import DELETED, Plan, Stack, Stacks

_CHANGEABLE: Final = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED", "CREATE_FAILED"}
)


def check_can_update(stack: Stack) -> None:
    """Refuse a change in a state that does not allow it."""
    if stack.status not in _CHANGEABLE:
        raise StackError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def check_can_deploy(stacks: Stacks, stack: Stack, plan: Plan, url: str) -> None:
    """Refuse a plan that refers to resources which its conditions leave out."""
    check_references(plan, scope(stacks, stack, plan, url))


def check_can_delete(stacks: Stacks, stack: Stack, url: str) -> None:
    """Refuse the deletion of a protected stack, of one that changes, and of one whose exports are in use."""
    if stack.is_busy and not stack.status.startswith("DELETE"):
        raise StackError(f"Stack [{stack.id}] cannot be deleted while in status {stack.status}")
    if stack.protected:
        raise StackError(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    for output in stack.outputs:
        if output.export and (users := importers(stacks, output.export, url)):
            raise StackError(f"Export {output.export} cannot be deleted as it is in use by {users[0]}")


def importers(stacks: Stacks, export: str, url: str) -> list[str]:
    """Return the names of the stacks that import an exported value."""
    return [
        stack.name
        for stack in list(stacks.stacks.values())
        if stack.status != DELETED and stack.plan is not None and export in _imports(stacks, stack, url)
    ]


def _imports(stacks: Stacks, stack: Stack, url: str) -> set[str]:
    plan = stack.plan
    assert plan is not None
    found: set[str] = set()

    def look(value: object) -> None:
        if isinstance(value, list):
            for each in value:
                look(each)
        elif isinstance(value, dict):
            for name, each in value.items():
                if name == "Fn::ImportValue":
                    found.add(str(resolve(scope(stacks, stack, plan, url), each)))
                else:
                    look(each)

    look(dict(plan.template.document))
    return found
