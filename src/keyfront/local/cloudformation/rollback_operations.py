"""CloudFormation's operations that end an update, or take a stack back after a failure.

Source: API Reference, "RollbackStack", "ContinueUpdateRollback" and "CancelUpdateStack". Assumed: the texts for a stack
in another state.
"""

from collections.abc import Collection
from typing import Final

from keyfront.local.cloudformation import operations
from keyfront.local.cloudformation.engine import Deployment
from keyfront.local.cloudformation.faults import StackError
from keyfront.local.cloudformation.request import Answer, StackRequest, operation
from keyfront.local.cloudformation.stack import Stack

_FAILED: Final = frozenset({"CREATE_FAILED", "UPDATE_FAILED"})


class RollbackOperations(StackRequest):
    """Each public method is an operation, as moto finds them."""

    @operation
    def rollback_stack(self) -> Answer:
        """RollbackStack: after a failure with the option to keep what was made."""
        stack = self._stack("Stack [{}] does not exist")
        if stack.status not in _FAILED:
            raise StackError(f"RollbackStack cannot be called on stack {stack.name} in {stack.status} state.")
        self._roll_back(stack, ())
        return {"StackId": stack.id}

    @operation
    def continue_update_rollback(self) -> Answer:
        """ContinueUpdateRollback: after a rollback that failed. Resources can be skipped."""
        stack = self._stack("Stack [{}] does not exist")
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise StackError(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
        skipped = self._get_param("ResourcesToSkip") or []
        if unknown := [each for each in skipped if each not in stack.members]:
            raise StackError(f"Resources to skip [{', '.join(unknown)}] do not exist in stack {stack.name}")
        self._roll_back(stack, skipped)
        return {}

    @operation
    def cancel_update_stack(self) -> Answer:
        """CancelUpdateStack: the update stops before its next resource, and is rolled back."""
        stack = self._stack("Stack [{}] does not exist")
        if stack.status != "UPDATE_IN_PROGRESS":
            raise StackError("CancelUpdateStack cannot be called from current stack status")
        stack.cancelled = True
        return None

    def _roll_back(self, stack: Stack, skipped: Collection[str]) -> None:
        plan = stack.plan
        assert plan is not None
        stack.token = self._token
        deployment = Deployment(self._stacks, stack, plan, self._url, skipped=frozenset(skipped))
        operations.start(stack, deployment.roll_back)
