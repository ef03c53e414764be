"""Checks of the way from CloudFront to an origin: refused distributions, a wrong Host, and function URLs.

Sources: Developer Guide, "Restrict access to an Amazon S3 origin" and "… to an AWS Lambda function URL origin";
"Use managed origin request policies".
"""

import shlex
from collections.abc import Iterator
from typing import Final

from keyfront.account.audit.rules.behaviors import edit, in_order, name
from keyfront.account.audit.rules.grants import (
    arn_of,
    identity_arn,
    may_read,
    named,
    put_bucket_policy,
    terraform_grant,
    with_grant,
)
from keyfront.account.audit.rules.origins import bucket_of, is_function_url, mark, protected_origins
from keyfront.account.audit.values import Evidence, Finding, Plan, Rule, Severity, Stage
from keyfront.inventory import CacheBehavior, Inventory

_REFUSES: Final = Rule(
    "bucket-refuses-distribution",
    "A bucket policy does not let its distribution read",
    "S3 refuses CloudFront's requests: every signed link to these objects gets 403 AccessDenied.",
    Stage.GRANT,
)
_HOST: Final = Rule(
    "host-sent-to-s3",
    "The viewer's Host header goes to an S3 origin",
    "S3 finds the bucket by the Host header, and an origin access control signs it: S3 answers 403 "
    "SignatureDoesNotMatch, or looks for another bucket.",
)
_FUNCTION: Final = Rule(
    "function-url-open",
    "A function URL accepts requests that do not come from CloudFront",
    "Its auth type is NONE, so anyone can call it without a signature, and the access control proves nothing.",
    Stage.CLOSE,
)
RULES: Final = (_REFUSES, _HOST, _FUNCTION)

_ALL_BUT_HOST: Final = "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # Managed-AllViewerExceptHostHeader


def _refused(account: Evidence) -> Iterator[Finding]:
    for distribution, origin in protected_origins(account):
        bucket = account.buckets.get(bucket_of(origin))
        signs = origin.access_control or origin.access_identity
        if (
            not bucket
            or bucket.policy is None
            or not signs
            or may_read(bucket.policy, bucket.name, distribution, origin)
        ):
            continue
        arn = f"arn:aws:s3:::{bucket.name}"
        if origin.access_identity:
            who = identity_arn(origin.access_identity)
            evidence, plan = f"It does not let {who} do s3:GetObject.", Plan()
        else:
            sharing = [
                each for each, other in protected_origins(account)
                if bucket_of(other) == bucket.name and other.access_control
            ]  # fmt: skip
            own = list(dict.fromkeys(sharing))
            policy = with_grant(bucket.policy, "s3:GetObject", f"{arn}/*", own)
            evidence = f"It does not let CloudFront do s3:GetObject for {distribution.id}. " + named(
                bucket.policy, "s3:GetObject"
            )
            plan = Plan(
                (put_bucket_policy(bucket.name, policy),),
                terraform=terraform_grant("s3:GetObject", f"{arn}/*", own),
            )
        yield Finding(
            _REFUSES, Severity.HIGH, arn, evidence,
            "in the bucket's policy: allow s3:GetObject to cloudfront.amazonaws.com with the condition AWS:SourceArn "
            "of the distribution" if not origin.access_identity
            else "use an origin access control, or name the origin access identity in the bucket's policy",
            marks=mark(distribution, origin), distributions=(distribution.id,), plan=plan,
        )  # fmt: skip


def _hosts(account: Evidence) -> Iterator[Finding]:
    for distribution in account.inventory.distributions:
        for behavior in in_order(distribution):
            origin = next((each for each in distribution.origins if each.id == behavior.target_origin_id), None)
            setting = _host_by(account.inventory, behavior)
            if origin is None or not bucket_of(origin) or not setting:
                continue
            where = name(distribution, behavior)
            policy = setting == "origin request policy"
            yield Finding(
                _HOST, Severity.HIGH if origin.access_control or origin.access_identity else Severity.MEDIUM, where,
                f"Its {setting} sends Host to {origin.domain_name}.",
                "in the behavior: origin_request_policy_id of Managed-AllViewerExceptHostHeader" if policy
                else f"leave Host out of its {setting}",
                marks=(where,), distributions=(distribution.id,),
                plan=Plan(
                    edit=edit(behavior, f'.OriginRequestPolicyId = "{_ALL_BUT_HOST}"'),
                    terraform=in_behavior(behavior, f'origin_request_policy_id = "{_ALL_BUT_HOST}"'),
                ) if policy else Plan(),
            )  # fmt: skip


def _host_by(inventory: Inventory, behavior: CacheBehavior) -> str:
    """Return the setting that sends Host to the origin; empty if none does."""
    request = inventory.origin_request_policies.get(behavior.origin_request_policy_id)
    cache = inventory.cache_policies.get(behavior.cache_policy_id)
    legacy = behavior.forwarded_values
    if request and "host" in request.headers:
        return "origin request policy"
    if cache and "host" in cache.headers:
        return "cache policy"
    return "forwarded headers" if legacy and "host" in legacy.headers else ""


def _functions(account: Evidence) -> Iterator[Finding]:
    for distribution, origin in protected_origins(account):
        url = account.function_urls.get(origin.domain_name)
        if is_function_url(origin) and url and url.auth_type == "NONE":
            function = f"--function-name {shlex.quote(url.function)}"
            command = f"aws lambda update-function-url-config {function} --auth-type AWS_IAM"
            # Function URLs made since October 2025 need both permissions.
            permissions = tuple(
                f"aws lambda add-permission {function} --statement-id CloudFront{action} --action lambda:{action} "
                f"--principal cloudfront.amazonaws.com --source-arn {shlex.quote(arn_of(distribution))}"
                for action in ("InvokeFunctionUrl", "InvokeFunction")
            )
            yield Finding(
                _FUNCTION, Severity.HIGH, f"{distribution.id}/{origin.id}",
                f"The function URL {origin.domain_name} of {url.function} has the auth type NONE"
                + (", beside an origin access control." if origin.access_control else "."),
                f"let CloudFront call it, then: {command}" if origin.access_control
                else f"give the origin an access control of the type lambda, then: {command}",
                marks=mark(distribution, origin), distributions=(distribution.id,),
                plan=Plan(
                    (*permissions, command),
                    terraform='# in its aws_lambda_function_url\nauthorization_type = "AWS_IAM"',
                ) if origin.access_control else Plan(),
            )  # fmt: skip


def in_behavior(behavior: CacheBehavior, arguments: str) -> str:
    """Return Terraform arguments with a comment that names their behavior."""
    if behavior.path_pattern == "*":
        return f"# in default_cache_behavior\n{arguments}"
    return f"# in ordered_cache_behavior {behavior.path_pattern!a}\n{arguments}"


CHECKS: Final = (_refused, _hosts, _functions)
