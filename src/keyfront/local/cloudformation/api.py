"""CloudFormation's API: requests to plans and operations, stacks to responses.

moto parses the requests and writes the responses. Its own engine is not used, because it reports resources as created
that it skips. Operations that are missing here answer 501, as everywhere at this endpoint.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeAlias

from flask import Flask
from moto.core.responses import ActionResult, BaseResponse, EmptyResult
from moto.core.utils import convert_to_flask_response
from moto.moto_server.werkzeug_app import BackendRequest

from keyfront.local.cloudformation import change_sets, describing, operations, plans, template
from keyfront.local.cloudformation.changes import differs
from keyfront.local.cloudformation.engine import Deployment
from keyfront.local.cloudformation.faults import StackError
from keyfront.local.cloudformation.plans import Wish
from keyfront.local.cloudformation.stack import DELETED, REVIEW, Stack, Stacks, now, stacks_of
from keyfront.local.cloudformation.stack_checks import check_can_delete, check_can_update, importers
from keyfront.local.cloudformation.template_files import read_url
from keyfront.local.lambdas import calls

Answer: TypeAlias = dict[str, Any] | None
_PAGE: Final = 100


def application() -> Flask:
    """Return the WSGI application of the service."""
    app = Flask("cloudformation")
    app.request_class, app.debug = BackendRequest, True
    app.add_url_rule("/", view_func=convert_to_flask_response(StacksResponse.dispatch), methods=["GET", "POST"])
    return app


def operation(method: Callable[..., Answer]) -> Callable[..., ActionResult]:
    """Turn the output of an operation into moto's kind of response."""

    @wraps(method)
    def answer(self: "StacksResponse") -> ActionResult:
        found = method(self)
        return EmptyResult() if found is None else ActionResult(found)

    return answer


class StacksResponse(BaseResponse):
    """One request. Each public method is an operation, as moto finds them."""

    def __init__(self) -> None:
        super().__init__(service_name="cloudformation")
        self.automated_parameter_parsing = True

    @operation
    def create_stack(self) -> Answer:
        """CreateStack."""
        name = describing.checked_name(self._get_param("StackName"))
        if self._stacks.live(name) is not None:
            raise StackError(f"Stack [{name}] already exists", "AlreadyExistsException")
        plan = plans.plan(None, self._wish(), self.region)
        stack = Stack(
            self._stacks.new_id(name), name, self.current_account, self.region, REVIEW, now(), token=self._token
        )
        stack.protected = bool(self._get_param("EnableTerminationProtection"))
        self._stacks.stacks[stack.id] = stack
        operations.start(stack, Deployment(self._stacks, stack, plan, self._url).create)
        return {"StackId": stack.id}

    @operation
    def update_stack(self) -> Answer:
        """UpdateStack."""
        stack = self._stack()
        check_can_update(stack)
        plan = plans.plan(stack, self._wish(), self.region)
        if not differs(self._stacks, stack, plan, self._url):
            raise StackError("No updates are to be performed.")
        stack.token = self._token
        operations.start(stack, Deployment(self._stacks, stack, plan, self._url).update)
        return {"StackId": stack.id}

    @operation
    def delete_stack(self) -> Answer:
        """DeleteStack. A stack that does not exist is not an error."""
        name = self._get_param("StackName")
        stack = self._stacks.stacks.get(name) or self._stacks.live(name)
        if stack is None or stack.status == DELETED:
            return None
        operations.settle(stack)
        check_can_delete(self._stacks, stack, self._url)
        stack.token = self._token
        if stack.plan is None:
            stack.deleted = now()
            stack.become(DELETED)
            return None
        retained = frozenset(self._get_param("RetainResources") or [])
        deployment = Deployment(self._stacks, stack, stack.plan, self._url, retained=retained)
        operations.start(stack, deployment.delete)
        return None

    @operation
    def describe_stacks(self) -> Answer:
        """DescribeStacks."""
        name = self._get_param("StackName")
        stacks = self._stacks.stacks.values()
        found = [self._stack()] if name else [each for each in stacks if each.status != DELETED]
        return self._page("Stacks", found, describing.stack)

    @operation
    def list_stacks(self) -> Answer:
        """ListStacks."""
        wanted = self._get_param("StackStatusFilter")
        found = [each for each in self._stacks.stacks.values() if not wanted or each.status in wanted]
        return self._page("StackSummaries", found, describing.summary)

    @operation
    def describe_stack_events(self) -> Answer:
        """DescribeStackEvents: the newest first."""
        return self._page("StackEvents", self._stack().events[::-1], describing.event)

    @operation
    def describe_stack_resource(self) -> Answer:
        """DescribeStackResource."""
        stack, name = self._stack(), self._get_param("LogicalResourceId")
        if name not in stack.members:
            raise StackError(f"Resource {name} does not exist for stack {stack.name}")
        return {"StackResourceDetail": describing.resource(stack, stack.members[name])}

    @operation
    def describe_stack_resources(self) -> Answer:
        """DescribeStackResources."""
        stack, name = self._stack(), self._get_param("LogicalResourceId")
        members = [each for each in stack.members.values() if name in (None, each.logical_id)]
        return {"StackResources": [describing.resource(stack, each) for each in members]}

    @operation
    def list_stack_resources(self) -> Answer:
        """ListStackResources."""
        stack = self._stack()
        return self._page(
            "StackResourceSummaries", list(stack.members.values()), lambda each: describing.resource(stack, each)
        )

    @operation
    def get_template(self) -> Answer:
        """GetTemplate: the text as it was given."""
        name = self._get_param("ChangeSetName")
        plan = self._change_set().plan if name else self._stack().plan
        processed = self._get_param("TemplateStage") == "Processed"
        body = None if plan is None else json.dumps(plan.template.document) if processed else plan.text
        return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}

    @operation
    def get_template_summary(self) -> Answer:
        """GetTemplateSummary."""
        text = self._text()
        if text is None:
            plan = self._stack().plan
            if plan is None:
                raise StackError("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
            text = plan.text
        return describing.template_summary(template.load(text))

    @operation
    def validate_template(self) -> Answer:
        """ValidateTemplate."""
        text = self._text()
        if text is None:
            raise StackError("Either Template URL or Template Body must be specified.")
        return describing.template_summary(template.load(text))

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

    @operation
    def list_exports(self) -> Answer:
        """ListExports."""
        found = sorted(self._stacks.exports().items())
        return self._page("Exports", found, lambda each: describing.export(each[0], *each[1]))

    @operation
    def list_imports(self) -> Answer:
        """ListImports."""
        name = self._get_param("ExportName")
        found = importers(self._stacks, name, self._url)
        if not found:
            raise StackError(f"Export '{name}' is not imported by any stack.")
        return self._page("Imports", found, lambda each: each)

    @operation
    def update_termination_protection(self) -> Answer:
        """UpdateTerminationProtection."""
        stack = self._stack()
        stack.protected = bool(self._get_param("EnableTerminationProtection"))
        return {"StackId": stack.id}

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

    def _stack(self) -> Stack:
        stack = self._stacks.find(self._get_param("StackName") or "")
        operations.settle(stack)
        return stack

    def _change_set(self) -> Any:
        return change_sets.find(self._stacks, self._get_param("ChangeSetName"), self._get_param("StackName"))

    def _text(self) -> str | None:
        read = lambda url: read_url(url, self.region, self._url)  # noqa: E731
        return plans.template_text(self._get_param("TemplateBody"), self._get_param("TemplateURL"), read)

    def _wish(self, *, expands: bool = False) -> Wish:
        given = self._get_param("Parameters") or []
        tags = self._get_param("Tags")
        text = self._text()
        if text is not None and self._get_param("UsePreviousTemplate"):
            raise StackError("You cannot specify both usePreviousTemplate and Template Body/Template URL.")
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
        )

    def _on_failure(self) -> str:
        if self._get_param("DisableRollback"):
            return "DO_NOTHING"
        return str(self._get_param("OnFailure") or self._get_param("OnStackFailure") or "ROLLBACK")

    def _page(self, member: str, found: list[Any], describe: Callable[[Any], Any]) -> dict[str, Any]:
        token = self._get_param("NextToken")
        start = int(token) if token and token.isdigit() else 0
        page = [describe(each) for each in found[start : start + _PAGE]]
        more = str(start + _PAGE) if len(found) > start + _PAGE else None
        return {member: page, "NextToken": more}
