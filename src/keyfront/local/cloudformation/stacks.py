"""Rollback of a stack in moto's CloudFormation when a custom resource fails, with the reason.

Importing this module imports moto.
"""

from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Final

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend, Event, Stack
from moto.cloudformation.parsing import OutputMap

from keyfront.local.cloudformation import custom_resources
from keyfront.local.cloudformation.custom_resources import FailedError

_create: Final = CloudFormationBackend.create_stack
_update: Final = CloudFormationBackend.update_stack
_execute: Final = CloudFormationBackend.execute_change_set
_delete: Final = CloudFormationBackend.delete_stack
_create_instances: Final = CloudFormationBackend.create_stack_instances
_delete_instances: Final = CloudFormationBackend.delete_stack_instances
_nested: ContextVar[bool] = ContextVar("nested", default=False)


def install() -> None:
    """Let stacks have custom resources, and fail when one of them fails."""
    custom_resources.install()
    CloudFormationBackend.create_stack = _created  # type: ignore[method-assign]
    CloudFormationBackend.update_stack = _updated  # type: ignore[method-assign]
    CloudFormationBackend.execute_change_set = _executed  # type: ignore[method-assign]
    CloudFormationBackend.delete_stack = _deleted  # type: ignore[method-assign]
    CloudFormationBackend.create_stack_instances = _refusing(_create_instances)  # type: ignore[method-assign]
    CloudFormationBackend.delete_stack_instances = _refusing(_delete_instances)  # type: ignore[method-assign]


def _created(self: CloudFormationBackend, name: str, *arguments: Any, **named: Any) -> Stack:
    return _within(
        lambda: _create_and_look(self, name, arguments, named),
        lambda failure: _roll_back(self.get_stack(name), failure),
        lambda: self.get_stack(name),
    )


def _create_and_look(self: CloudFormationBackend, name: str, arguments: Any, named: Any) -> None:
    stack = _create(self, name, *arguments, **named)
    # An output may name a value that the function did not return. Fail now, not when somebody asks for the stack.
    list(stack.output_map.values())


def _updated(self: CloudFormationBackend, name: str, *arguments: Any, **named: Any) -> Stack:
    stack = self.get_stack(name)
    return _with_its_template(stack, lambda: _update(self, name, *arguments, **named))


def _executed(self: CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
    change_set = self.describe_change_set(change_set_name)
    assert change_set is not None
    if change_set.change_set_type != "CREATE":
        _with_its_template(change_set.stack, lambda: _execute(self, change_set_name, stack_name))
    else:
        _within(
            lambda: _execute(self, change_set_name, stack_name),
            lambda failure: _roll_back(change_set.stack, failure),
            lambda: change_set.stack,
        )
    if change_set.stack.status in ("ROLLBACK_COMPLETE", "UPDATE_FAILED"):
        change_set.execution_status = "EXECUTE_FAILED"


def _deleted(self: CloudFormationBackend, name_or_stack_id: str) -> None:
    if name_or_stack_id not in self.stacks:
        _delete(self, name_or_stack_id)  # moto finds the stack's id and calls this again.
        return
    stack = self.stacks[name_or_stack_id]

    def keep(failure: FailedError) -> None:
        self.stacks[stack.stack_id] = stack
        _tell(stack, failure, "DELETE_FAILED")
        _end(stack, "DELETE_FAILED", f"The following resource(s) failed to delete: [{failure.logical_id}].")

    _within(lambda: _delete(self, name_or_stack_id), keep, lambda: stack)


def _with_its_template(stack: Stack, change: Callable[[], Any]) -> Stack:
    """Change a stack. If the change fails, restore the template before it, so that the change can be repeated."""
    before = (stack.template, stack.template_dict, stack.resource_map._template, stack.resource_map._resource_json_map)

    def fail(failure: FailedError) -> None:
        stack.template, stack.template_dict = before[:2]
        stack.resource_map._template, stack.resource_map._resource_json_map = before[2:]
        _tell(stack, failure, "UPDATE_FAILED")
        why = f"The following resource(s) failed to update: [{failure.logical_id}]."
        _end(stack, "UPDATE_FAILED", f"{why} Updates are not rolled back at this endpoint.")

    return _within(change, fail, lambda: stack)


def _within(work: Callable[[], Any], fail: Callable[[FailedError], None], stack: Callable[[], Stack]) -> Stack:
    """Run `work` on a stack. When a custom resource fails, its stack fails, and so does the stack around it."""
    nested = _nested.get()
    token = _nested.set(True)
    try:
        work()
    except FailedError as failure:
        fail(failure)
        if nested:
            reason = f"Embedded stack {stack().stack_id} was not successful: {failure.reason}"
            raise FailedError(stack().name, "AWS::CloudFormation::Stack", "", reason) from None
    finally:
        _nested.reset(token)
    return stack()


def _roll_back(stack: Stack, failure: FailedError) -> None:
    _tell(stack, failure, "CREATE_FAILED")
    why = f"The following resource(s) failed to create: [{failure.logical_id}]. Rollback requested by user."
    stack._add_stack_event("ROLLBACK_IN_PROGRESS", resource_status_reason=why)
    # Resources that cannot be deleted now (a bucket that is not empty) stay, as on Amazon.
    with suppress(Exception, FailedError):
        stack.resource_map.delete()
    # moto creates a template's resource when it is first read, so the template must be empty now.
    stack.resource_map._resource_json_map = {}
    stack.output_map = OutputMap(stack.resource_map, {}, stack.stack_id)
    _end(stack, "ROLLBACK_COMPLETE", why)


def _tell(stack: Stack, failure: FailedError, status: str) -> None:
    stack.events.append(
        Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id=failure.logical_id,
            physical_resource_id=failure.physical_id,
            resource_type=failure.kind,
            resource_status=status,
            resource_status_reason=failure.reason,
            resource_properties=None,
        )
    )


def _end(stack: Stack, status: str, why: str) -> None:
    stack._add_stack_event(status, resource_status_reason=why)
    stack.status = status
    stack.stack_status_reason = why  # type: ignore[attr-defined]


def _refusing(work: Callable[..., Any]) -> Callable[..., Any]:
    def ask(self: CloudFormationBackend, *arguments: Any, **named: Any) -> Any:
        try:
            return work(self, *arguments, **named)
        except FailedError as failure:
            raise ValidationError(message=failure.reason) from None

    return ask
