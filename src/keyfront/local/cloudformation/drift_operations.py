"""CloudFormation's operations of drift detection. A detection is complete when its call returns."""

from keyfront.local.cloudformation import describing, drift
from keyfront.local.cloudformation.faults import StackError
from keyfront.local.cloudformation.request import Answer, StackRequest, operation
from keyfront.local.cloudformation.stack import Stack


class DriftOperations(StackRequest):
    """Each public method is an operation, as moto finds them."""

    @operation
    def detect_stack_drift(self) -> Answer:
        """DetectStackDrift."""
        stack = self._comparable_stack()
        wanted = self._get_param("LogicalResourceIds")
        for name in wanted or ():
            self._known(stack, name)
        return {"StackDriftDetectionId": drift.detect(stack, self._url, wanted).id}

    @operation
    def detect_stack_resource_drift(self) -> Answer:
        """DetectStackResourceDrift."""
        stack, name = self._comparable_stack(), self._get_param("LogicalResourceId")
        self._known(stack, name)
        found = drift.detect(stack, self._url, {name})
        return {"StackResourceDrift": describing.resource_drift(stack, name, found.drifts[name])}

    @operation
    def describe_stack_drift_detection_status(self) -> Answer:
        """DescribeStackDriftDetectionStatus."""
        wanted = self._get_param("StackDriftDetectionId")
        for stack in self._stacks.stacks.values():
            for each in stack.detections:
                if each.id == wanted:
                    return describing.detection(stack, each)
        raise StackError(f"Drift detection with id [{wanted}] does not exist")

    @operation
    def describe_stack_resource_drifts(self) -> Answer:
        """DescribeStackResourceDrifts: the last comparison of each resource."""
        stack, wanted = self._stack(), self._get_param("StackResourceDriftStatusFilters")
        found = [(name, last) for name in stack.members if (last := stack.drift(name)) is not None]
        chosen = [each for each in found if not wanted or each[1].status in wanted]
        return self._page("StackResourceDrifts", chosen, lambda each: describing.resource_drift(stack, *each))

    def _comparable_stack(self) -> Stack:
        stack = self._stack()
        if not stack.status.endswith(("_COMPLETE", "_FAILED")) or stack.status.startswith("DELETE"):
            raise StackError(f"Drift detection cannot be performed on stack {stack.name} in {stack.status} state.")
        return stack

    def _known(self, stack: Stack, name: str) -> None:
        member = stack.members.get(name)
        if member is None or member.made is None:
            raise StackError(f"Resource {name} does not exist for stack {stack.name}")
