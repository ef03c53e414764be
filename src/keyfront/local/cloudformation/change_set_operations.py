"""CloudFormation's operations on change sets."""

from typing import Any

from keyfront.local.cloudformation import change_sets, describing
from keyfront.local.cloudformation.faults import StackError
from keyfront.local.cloudformation.request import Answer, StackRequest, operation


class ChangeSetOperations(StackRequest):
    """Each public method is an operation, as moto finds them."""

    @operation
    def create_change_set(self) -> Answer:
        """CreateChangeSet."""
        stack_name, name = self._get_param("StackName"), self._get_param("ChangeSetName")
        kind = self._get_param("ChangeSetType") or "UPDATE"
        if kind == "CREATE":
            describing.checked_name(stack_name)
        if kind == "IMPORT":
            raise NotImplementedError("change sets of type IMPORT")
        wish = self._wish(expands=True)
        described = self._get_param("Description")
        made = change_sets.create(self._stacks, stack_name, name, kind, wish, self._url, described)
        return {"Id": made.id, "StackId": made.stack.id}

    @operation
    def describe_change_set(self) -> Answer:
        """DescribeChangeSet."""
        return describing.change_set(self._change_set())

    @operation
    def list_change_sets(self) -> Answer:
        """ListChangeSets."""
        found = list(self._stack().change_sets.values())
        return self._page("Summaries", found, describing.change_set_summary)

    @operation
    def delete_change_set(self) -> Answer:
        """DeleteChangeSet. One that does not exist is not an error."""
        try:
            change_set = self._change_set()
        except StackError:
            return None
        change_sets.delete(change_set)
        return None

    @operation
    def execute_change_set(self) -> Answer:
        """ExecuteChangeSet."""
        keeps = bool(self._get_param("DisableRollback"))
        change_sets.execute(self._stacks, self._change_set(), self._url, token=self._token, keeps_failure=keeps)
        return None

    def _change_set(self) -> Any:
        return change_sets.find(self._stacks, self._get_param("ChangeSetName"), self._get_param("StackName"))
