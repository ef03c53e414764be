"""What policies give CloudFront: whether a distribution may read a bucket, or decrypt with a KMS key.

Source: Developer Guide, "Restrict access to an Amazon S3 origin". Only permissions are judged, not denials: a denial
often depends on the request in ways that are not known here.
"""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping

from keyfront.account.audit.documents import allowing, allows, bound, principals, texts
from keyfront.account.audit.patterns import UndecidedError, witness
from keyfront.account.audit.rules.behaviors import in_order
from keyfront.account.resource_policies import Evaluation, cloudfront, judge_document
from keyfront.inventory import Distribution, Origin

Policy = Mapping[str, object]
SERVICE = "cloudfront.amazonaws.com"


def arn_of(distribution: Distribution) -> str:
    """Return a distribution's ARN."""
    return distribution.arn or f"arn:aws:cloudfront::ACCOUNT:distribution/{distribution.id}"


def account_of(distribution: Distribution) -> str:
    """Return the account in a distribution's ARN."""
    return (arn_of(distribution).split(":") + [""] * 5)[4]


def identity_arn(identity: str) -> str:
    """Return the principal of an origin access identity in a policy."""
    return f"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {identity}"


def may_read(policy: Policy, bucket: str, distribution: Distribution, origin: Origin) -> bool:
    """Return whether the bucket's policy lets CloudFront read what protected behaviors ask the origin for."""
    who = identity_arn(origin.access_identity) if origin.access_identity else arn_of(distribution)
    caller = cloudfront(who, account_of(distribution), _CONTEXT)
    if origin.access_identity and any(principals(each, "CanonicalUser") for each in allowing(policy)):
        return True  # the identity's other name, which no list of identities shows
    return all(
        judge_document(_permissions(policy), caller, "s3:GetObject", f"arn:aws:s3:::{bucket}{origin.path}{path}")
        is Evaluation.ALLOW
        for path in _paths(distribution, origin)
    )


def may_decrypt(policy: Policy, key_arn: str, bucket: str, distribution: Distribution) -> bool:
    """Return whether the key's policy lets CloudFront decrypt the bucket's objects for the distribution."""
    region = (key_arn.split(":") + [""] * 4)[3]
    for context in (f"arn:aws:s3:::{bucket}/object", f"arn:aws:s3:::{bucket}"):  # the second: with a bucket key
        about = {"kms:viaservice": f"s3.{region}.amazonaws.com", "kms:encryptioncontext:aws:s3:arn": context}
        caller = cloudfront(arn_of(distribution), account_of(distribution), {**_CONTEXT, **about})
        if judge_document(_permissions(policy), caller, "kms:Decrypt", key_arn) is Evaluation.ALLOW:
            return True
    return False


def any_distribution(policy: Policy, action: str) -> bool:
    """Return whether a statement lets CloudFront do `action` for any distribution."""
    return any(
        {"*", SERVICE} & set(principals(each, "Service")) and allows(each, action) and not bound(each)
        for each in allowing(policy)
    )


def named(policy: Policy, action: str) -> str:
    """Return which distributions a policy lets do `action`, in words."""
    about = [each for each in allowing(policy) if SERVICE in principals(each, "Service") and allows(each, action)]
    if not about:
        return "It names no distribution."
    sources = sorted({value for each in about for value in _sources(each)})
    return f"It names {', '.join(sources) or 'CloudFront under conditions that do not hold'}."


def _sources(statement: Policy) -> Iterator[str]:
    condition = statement.get("Condition")
    for tests in condition.values() if isinstance(condition, Mapping) else ():
        for key, values in tests.items() if isinstance(tests, Mapping) else ():
            if str(key).lower() == "aws:sourcearn":
                yield from texts(values)


def with_grant(policy: Policy, action: str, resource: str, distributions: Iterable[Distribution]) -> str:
    """Return the policy as JSON in which these distributions may do `action`, and no others.

    A statement for any distribution gets the condition. If there is none, a statement is added.
    """
    source = {"AWS:SourceArn": [arn_of(each) for each in distributions]}
    statements = _statements(policy)
    wide = [each for each in statements if any_distribution({"Statement": [each]}, action)]
    written = [_bound(each, source) if each in wide else dict(each) for each in statements]
    if not wide:
        written.append({
            "Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": action, "Resource": resource,
            "Condition": {"StringEquals": source},
        })  # fmt: skip
    return json.dumps({**policy, "Statement": written})


def _bound(statement: Policy, source: Mapping[str, object]) -> dict[str, object]:
    given = statement.get("Condition")
    condition = dict(given) if isinstance(given, Mapping) else {}
    equals = condition.get("StringEquals")
    kept = (
        {key: value for key, value in equals.items() if key.lower() != "aws:sourcearn"}
        if isinstance(equals, Mapping)
        else {}
    )
    return {**statement, "Condition": {**condition, "StringEquals": {**kept, **source}}}


def terraform_grant(action: str, resource: str, distributions: Iterable[Distribution]) -> str:
    """Return the same statement for an `aws_iam_policy_document`."""
    arns = ", ".join(json.dumps(arn_of(each)) for each in distributions)
    return "\n".join([
        "# in the aws_iam_policy_document of its policy",
        "statement {",
        f"  actions   = [{json.dumps(action)}]",
        f"  resources = [{json.dumps(resource)}]",
        "  principals {",
        '    type        = "Service"',
        f"    identifiers = [{json.dumps(SERVICE)}]",
        "  }",
        "  condition {",
        '    test     = "StringEquals"',
        '    variable = "AWS:SourceArn"',
        f"    values   = [{arns}]",
        "  }",
        "}",
    ])  # fmt: skip


def put_bucket_policy(bucket: str, policy: str) -> str:
    """Return the command that sets a bucket's policy."""
    return f"aws s3api put-bucket-policy --bucket {shlex.quote(bucket)} --policy {shlex.quote(policy)}"


def put_key_policy(key: str, policy: str) -> str:
    """Return the command that sets a KMS key's policy."""
    return f"aws kms put-key-policy --key-id {shlex.quote(key)} --policy-name default --policy {shlex.quote(policy)}"


_CONTEXT = {"aws:securetransport": "true", "aws:principalisawsservice": "true", "s3:tlsversion": "1.3"}


def _statements(policy: Policy) -> list[Policy]:
    found = policy.get("Statement")
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, Mapping)]


def _permissions(policy: Policy) -> Policy:
    return {"Statement": [dict(each) for each in allowing(policy)]}


def _paths(distribution: Distribution, origin: Origin) -> Iterator[str]:
    """Yield a path for each protected behavior that asks the origin."""
    for each in in_order(distribution):
        if each.protected and each.target_origin_id in asked_for(distribution, origin):
            try:
                yield witness([each.path_pattern]) or "/object"
            except UndecidedError:
                yield "/object"


def asked_for(distribution: Distribution, origin: Origin) -> set[str]:
    """Return the ids of targets that reach the origin: its own, and those of its groups."""
    return {origin.id, *(group.id for group in distribution.origin_groups if origin.id in group.members)}
