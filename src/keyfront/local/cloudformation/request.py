"""A request to CloudFormation's API. moto parses it, and writes the response."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeAlias

from moto.core.responses import ActionResult, BaseResponse, EmptyResult

from keyfront.local.cloudformation import operations, plans
from keyfront.local.cloudformation.faults import StackError
from keyfront.local.cloudformation.plans import Wish
from keyfront.local.cloudformation.stack import Stack, Stacks, stacks_of
from keyfront.local.cloudformation.template_files import read_url
from keyfront.local.lambdas import calls

Answer: TypeAlias = dict[str, Any] | None
_PAGE: Final = 100


def operation(method: Callable[..., Answer]) -> Callable[..., ActionResult]:
    """Turn the output of an operation into moto's kind of response."""

    @wraps(method)
    def answer(self: "StackRequest") -> ActionResult:
        found = method(self)
        return EmptyResult() if found is None else ActionResult(found)

    return answer


class StackRequest(BaseResponse):
    """What the operations share: the stacks, and how parameters are read."""

    def __init__(self) -> None:
        super().__init__(service_name="cloudformation")
        self.automated_parameter_parsing = True

    @property
    def _stacks(self) -> Stacks:
        return stacks_of[self.current_account][self.region]

    @property
    def _url(self) -> str:
        return calls.current().url

    @property
    def _token(self) -> str | None:
        token: str | None = self._get_param("ClientRequestToken")
        return token

    def _stack(self, missing: str = "Stack with id {} does not exist") -> Stack:
        """Return the stack that the request names. Some operations have another text for a missing one."""
        name = self._get_param("StackName") or ""
        stack = self._stacks.find(name)
        if stack is None:
            raise StackError(missing.format(name))
        operations.settle(stack)
        return stack

    def _holder(self, physical_id: str | None) -> Stack:
        """Return the stack that has a resource."""
        for stack in self._stacks.stacks.values():
            if any(each.made is not None and each.made.physical_id == physical_id for each in stack.members.values()):
                return stack
        raise StackError(f"Stack for {physical_id} does not exist")

    def _text(self) -> str | None:
        read = lambda url: read_url(url, self.region, self._url)  # noqa: E731
        return plans.template_text(self._get_param("TemplateBody"), self._get_param("TemplateURL"), read)

    def _wish(self, *, expands: bool = False) -> Wish:
        given = self._get_param("Parameters") or []
        for each in given:
            if each.get("UsePreviousValue") and each.get("ParameterValue"):
                raise StackError(
                    f"Invalid input for parameter key {each['ParameterKey']}. Cannot specify usePreviousValue as true "
                    "and non empty value for a parameter"
                )
        tags = self._get_param("Tags")
        text = self._text()
        if text is not None and self._get_param("UsePreviousTemplate"):
            raise StackError("You cannot specify both usePreviousTemplate and Template Body/Template URL.")
        if text is None and not self._get_param("UsePreviousTemplate"):
            raise StackError("Either Template URL or Template Body must be specified.")
        return Wish(
            text=text,
            given={
                each["ParameterKey"]: each.get("ParameterValue", "")
                for each in given
                if not each.get("UsePreviousValue")
            },
            keep=frozenset(each["ParameterKey"] for each in given if each.get("UsePreviousValue")),
            tags=None if tags is None else {each["Key"]: each["Value"] for each in tags},
            capabilities=tuple(self._get_param("Capabilities") or ()),
            role=self._get_param("RoleARN"),
            on_failure=self._on_failure(),
            expands=expands,
            policy=self._policy("StackPolicy"),
            policy_during_update=self._policy("StackPolicyDuringUpdate"),
        )

    def _policy(self, name: str) -> str | None:
        """Return a policy that is in the request, or in an object that it names."""
        body, url = self._get_param(f"{name}Body"), self._get_param(f"{name}URL")
        if body is not None and url is not None:
            raise StackError(f"You cannot specify both {name}URL and {name}Body")
        found: str | None = read_url(url, self.region, self._url) if url is not None else body
        return found

    def _on_failure(self) -> str:
        if self._get_param("DisableRollback"):
            return "DO_NOTHING"
        return str(self._get_param("OnFailure") or self._get_param("OnStackFailure") or "ROLLBACK")

    def _page(self, member: str, found: list[Any], describe: Callable[[Any], Any]) -> dict[str, Any]:
        token = self._get_param("NextToken") or "0"
        if not (re.fullmatch("[0-9]{1,9}", token) and int(token) <= len(found)):
            raise StackError("The NextToken is not valid: use the one of the page before.")
        start = int(token)
        page = [describe(each) for each in found[start : start + _PAGE]]
        more = str(start + _PAGE) if len(found) > start + _PAGE else None
        return {member: page, "NextToken": more}
