"""CloudFormation's API: requests to plans and operations, stacks to responses.

moto parses the requests and writes the responses. Its own engine is not used, because it reports resources as created
that it skips. Operations that are missing here answer 501, as everywhere at this endpoint.
"""

import json

from flask import Flask
from moto.core.utils import convert_to_flask_response
from moto.moto_server.werkzeug_app import BackendRequest

from keyfront.local.cloudformation import describing, operations, plans, stack_policies, template
from keyfront.local.cloudformation.change_set_operations import ChangeSetOperations
from keyfront.local.cloudformation.changes import differs
from keyfront.local.cloudformation.drift_operations import DriftOperations
from keyfront.local.cloudformation.engine import Deployment
from keyfront.local.cloudformation.faults import StackError
from keyfront.local.cloudformation.request import Answer, operation
from keyfront.local.cloudformation.rollback_operations import RollbackOperations
from keyfront.local.cloudformation.stack import DELETED, REVIEW, Stack, now
from keyfront.local.cloudformation.stack_checks import check_can_delete, check_can_deploy, check_can_update, importers


def application() -> Flask:
    """Return the WSGI application of the service."""
    app = Flask("cloudformation")
    app.request_class, app.debug = BackendRequest, True
    app.add_url_rule("/", view_func=convert_to_flask_response(StacksResponse.dispatch), methods=["GET", "POST"])
    return app


class StacksResponse(ChangeSetOperations, DriftOperations, RollbackOperations):
    """One request. Each public method is an operation, as moto finds them."""

    @operation
    def create_stack(self) -> Answer:
        """CreateStack."""
        name = describing.checked_name(self._get_param("StackName"))
        if self._stacks.live(name) is not None:
            raise StackError(f"Stack [{name}] already exists", "AlreadyExistsException")
        wish = self._wish()
        plan = plans.plan(None, wish, self.region)
        stack = Stack(
            self._stacks.new_id(name), name, self.current_account, self.region, REVIEW, now(), token=self._token
        )
        stack.protected, stack.policy = bool(self._get_param("EnableTerminationProtection")), wish.policy
        check_can_deploy(self._stacks, stack, plan, self._url)
        self._stacks.stacks[stack.id] = stack
        operations.start(stack, Deployment(self._stacks, stack, plan, self._url).create)
        return {"StackId": stack.id}

    @operation
    def update_stack(self) -> Answer:
        """UpdateStack."""
        stack, wish = self._stack("Stack [{}] does not exist"), self._wish()
        check_can_update(stack)
        plan = plans.plan(stack, wish, self.region)
        check_can_deploy(self._stacks, stack, plan, self._url)
        if wish.policy is not None:
            stack.policy = wish.policy
        if not differs(self._stacks, stack, plan, self._url):
            raise StackError("No updates are to be performed.")
        stack.token = self._token
        policy = wish.policy_during_update or stack.policy
        operations.start(stack, Deployment(self._stacks, stack, plan, self._url, policy=policy).update)
        return {"StackId": stack.id}

    @operation
    def delete_stack(self) -> Answer:
        """DeleteStack. A stack that does not exist is not an error."""
        name = self._get_param("StackName")
        stack = self._stacks.find(name)
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
        describing.check_statuses(wanted or ())
        found = [each for each in self._stacks.stacks.values() if not wanted or each.status in wanted]
        return self._page("StackSummaries", found, describing.summary)

    @operation
    def describe_stack_events(self) -> Answer:
        """DescribeStackEvents: the newest first."""
        return self._page("StackEvents", self._stack("Stack [{}] does not exist").events[::-1], describing.event)

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
        name, physical_id = self._get_param("LogicalResourceId"), self._get_param("PhysicalResourceId")
        stack = self._stack() if self._get_param("StackName") else self._holder(physical_id)
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
    def set_stack_policy(self) -> Answer:
        """SetStackPolicy. A policy can be replaced, and never removed."""
        stack, policy = self._stack("Stack: {} does not exist"), self._policy("StackPolicy")
        if policy is None:
            raise StackError("You must specify either StackPolicyBody or StackPolicyURL.")
        stack_policies.check(policy, stack.members)
        stack.policy = policy
        return None

    @operation
    def get_stack_policy(self) -> Answer:
        """GetStackPolicy."""
        return {"StackPolicyBody": self._stack("Stack: {} does not exist").policy}

    @operation
    def update_termination_protection(self) -> Answer:
        """UpdateTerminationProtection."""
        stack = self._stack()
        stack.protected = bool(self._get_param("EnableTerminationProtection"))
        return {"StackId": stack.id}
