"""Checks a function's resource policy: may API Gateway call the function, or everybody through its URL?

Amazon always checks it. The laptop refuses the call only if IAM is enforced. Otherwise it logs the missing permission
once.
"""

import json
import logging
from typing import Any, Final

from keyfront.local.aws.policy_evaluation import Caller, Evaluation, judge
from keyfront.local.lambdas.function import Function

_log = logging.getLogger(__name__)
_MOST_SAID: Final = 1000


class InvocationPolicy:
    """Checks resource policies, and logs each missing permission once."""

    def __init__(self, *, enforced: bool) -> None:
        self._enforced = enforced
        self._said: set[str] = set()

    def may_integrate(self, policy: list[dict[str, Any]], function: Function, source: str) -> bool:
        """Return whether API Gateway may call `function` for `source`, the ARN of the called route."""
        context = {"aws:sourcearn": source, "aws:sourceaccount": function.account}
        caller = Caller("service", frozenset({("Service", "apigateway.amazonaws.com")}), context)
        how = "apigateway.amazonaws.com (aws_lambda_permission)"
        return self._may(policy, caller, "lambda:InvokeFunction", function, f"{how} for {source}")

    def may_open(self, policy: list[dict[str, Any]], function: Function) -> bool:
        """Return whether everybody may call `function` through its URL."""
        caller = Caller("anonymous", frozenset(), {"lambda:functionurlauthtype": "NONE"})
        return self._may(policy, caller, "lambda:InvokeFunctionUrl", function, "everybody (principal *)")

    def may_act(self, policy: list[dict[str, Any]], function: Function, distribution: str) -> bool:
        """Return whether CloudFront may call `function` through its URL for a distribution, whose ARN is given.

        New URLs need two permissions since October 2025. Source: Lambda Developer Guide, "Control access to Lambda
        function URLs". The laptop refuses a call without the second only if IAM is enforced.
        """
        context = {
            "aws:sourcearn": distribution,
            "aws:sourceaccount": function.account,
            "lambda:functionurlauthtype": "AWS_IAM",
            "lambda:invokedviafunctionurl": "true",
        }
        caller = Caller("service", frozenset({("Service", "cloudfront.amazonaws.com")}), context)
        if _evaluated(policy, caller, "lambda:InvokeFunctionUrl", function) is not Evaluation.ALLOW:
            return False
        return self._may(policy, caller, "lambda:InvokeFunction", function, f"cloudfront.amazonaws.com, {distribution}")

    def _may(self, policy: list[dict[str, Any]], caller: Caller, action: str, function: Function, whom: str) -> bool:
        if _evaluated(policy, caller, action, function) is Evaluation.ALLOW:
            return True
        line = f"the policy of function {function.name} does not allow {action} to {whom}"
        if line not in self._said and len(self._said) < _MOST_SAID:
            self._said.add(line)
            _log.warning("%s: %s", line, "refused" if self._enforced else "Amazon would refuse the call")
        return not self._enforced


def _evaluated(policy: list[dict[str, Any]], caller: Caller, action: str, function: Function) -> Evaluation:
    return judge(json.dumps({"Statement": policy}), caller, action, function.arn)
