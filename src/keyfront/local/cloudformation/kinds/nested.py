"""Nested stacks."""

import time
from collections.abc import Mapping
from typing import Any, Final

from keyfront.local.cloudformation.faults import ResourceError
from keyfront.local.cloudformation.kinds.kind import Task, tag_list
from keyfront.local.cloudformation.stack import Made

_SERVICE: Final = "cloudformation"
_CAPABILITIES: Final = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
"""The stack around it was accepted with its capabilities."""
_LOOK_SECONDS: Final = 0.2
_NO_CHANGE: Final = "No updates are to be performed."


class NestedStackKind:
    """A stack as a resource of another one."""

    def create(self, task: Task) -> Made:
        """Create the stack, and wait for it."""
        given = {"StackName": task.new_name(128), "DisableRollback": False, **self._given(task)}
        return self._waited(task, task.call(_SERVICE, "CreateStack", given)["StackId"], "CREATE_COMPLETE")

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:  # noqa: ARG002
        """Change the stack, and wait for it. One without changes stays."""
        client = task.client(_SERVICE)
        try:
            task.call(_SERVICE, "UpdateStack", {"StackName": made.physical_id, **self._given(task)})
        except client.exceptions.ClientError as error:
            if _NO_CHANGE not in str(error):
                raise
            return self._read(task, made.physical_id)[1]
        return self._waited(task, made.physical_id, "UPDATE_COMPLETE")

    def delete(self, task: Task, made: Made) -> None:
        """Delete the stack, and wait for it."""
        task.call(_SERVICE, "DeleteStack", {"StackName": made.physical_id})
        self._waited(task, made.physical_id, "DELETE_COMPLETE")

    def _given(self, task: Task) -> dict[str, Any]:
        parameters = task.properties.get("Parameters") or {}
        return {
            "TemplateURL": task.properties["TemplateURL"],
            "Parameters": [{"ParameterKey": key, "ParameterValue": str(value)} for key, value in parameters.items()],
            "Tags": tag_list(task.properties, task.tags),
            "Capabilities": _CAPABILITIES,
        }

    def _waited(self, task: Task, stack_id: str, wanted: str) -> Made:
        status, made = self._read(task, stack_id)
        while status.endswith("_IN_PROGRESS"):
            time.sleep(_LOOK_SECONDS)
            status, made = self._read(task, stack_id)
        if status != wanted:
            raise ResourceError(
                f"Embedded stack {stack_id} was not successful: {self._reason(task, stack_id)}", stack_id
            )
        return made

    def _read(self, task: Task, stack_id: str) -> tuple[str, Made]:
        stack = task.call(_SERVICE, "DescribeStacks", {"StackName": stack_id})["Stacks"][0]
        outputs = {f"Outputs.{each['OutputKey']}": each["OutputValue"] for each in stack.get("Outputs", [])}
        return stack["StackStatus"], Made(stack_id, outputs)

    def _reason(self, task: Task, stack_id: str) -> str:
        events = task.call(_SERVICE, "DescribeStackEvents", {"StackName": stack_id})["StackEvents"]
        failed = [each for each in events if each["ResourceStatus"].endswith("_FAILED")]
        return str(failed[-1].get("ResourceStatusReason", "")) if failed else "it was rolled back"
