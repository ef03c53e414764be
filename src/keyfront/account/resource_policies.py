"""Evaluates the policy of a bucket, a KMS key or another resource for a caller.

Source of the rules: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators";
Amazon S3 User Guide, "How Amazon S3 authorizes a request".
"""

import ipaddress
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from keyfront.core.resource import wildcard

JSON = Mapping[str, "JSON"] | list["JSON"] | str | int | float | bool | None


class Evaluation(Enum):
    """The result of a policy. An explicit `DENY` overrides an `ALLOW`. `SILENT` means that no statement applies."""

    ALLOW = "allow"
    DENY = "deny"
    SILENT = "silent"


@dataclass(frozen=True)
class Caller:
    """The sender of a request.

    - `account`: signed with credentials of the account. The laptop does not enforce IAM here, so this caller may do
      everything that no policy forbids.
    - `service`: CloudFront acting for a distribution or an origin access identity. It may do what a policy allows.
    - `principals`: the names of the caller in a policy, as (type, value).
    - `context`: the condition keys, in lower case.
    """

    kind: Literal["anonymous", "account", "service"]
    principals: frozenset[tuple[str, str]]
    context: Mapping[str, str]


def cloudfront(source_arn: str, account: str, context: Mapping[str, str]) -> Caller:
    """Return CloudFront as a caller: for a distribution, or as an origin access identity (`source_arn`)."""
    if source_arn.startswith("arn:aws:iam::cloudfront:user/"):
        return Caller("service", frozenset({("AWS", source_arn)}), context)
    context = {**context, "aws:sourcearn": source_arn, "aws:sourceaccount": account}
    return Caller("service", frozenset({("Service", "cloudfront.amazonaws.com")}), context)


def judge(policy: str, caller: Caller, action: str, resource: str) -> Evaluation:
    """Evaluate a policy (a JSON document) for `caller`, `action` and the ARN `resource`."""
    return judge_document(json.loads(policy), caller, action, resource)


def judge_document(document: object, caller: Caller, action: str, resource: str) -> Evaluation:
    """Evaluate a policy that was parsed already, as `judge` does."""
    verdict = Evaluation.SILENT
    for statement in _listed(document.get("Statement") if isinstance(document, dict) else None):
        if not isinstance(statement, dict):
            continue
        denies = statement.get("Effect") != "Allow"
        if _applies(statement, caller, action, resource, unknown=denies):
            if denies:
                return Evaluation.DENY
            verdict = Evaluation.ALLOW
    return verdict


def _applies(statement: Mapping[str, JSON], caller: Caller, action: str, resource: str, *, unknown: bool) -> bool:
    """Return whether a statement applies.

    `unknown` is the result of a condition that cannot be evaluated: a denial then applies, a permission does not.
    """
    return (
        _addresses(statement, caller)
        and _one_of(statement, "Action", action.lower(), str.lower)
        and _one_of(statement, "Resource", resource, str)
        and all(
            _holds(operator, key, _texts(values), caller.context, unknown)
            for operator, tests in _pairs(statement.get("Condition"))
            for key, values in _pairs(tests)
        )
    )


def _addresses(statement: Mapping[str, JSON], caller: Caller) -> bool:
    if "NotPrincipal" in statement:
        # Assumed: a caller with the account's credentials is the exception that such a statement names.
        return caller.kind != "account" and not _named(statement["NotPrincipal"], caller)
    return _named(statement.get("Principal"), caller)


def _named(principal: JSON, caller: Caller) -> bool:
    if principal == "*":
        return True
    return any(
        (kind, name) in caller.principals or (kind == "AWS" and name == "*")
        for kind, names in _pairs(principal)
        for name in _texts(names)
    )


def _one_of(statement: Mapping[str, JSON], element: str, value: str, form: Callable[[str], str]) -> bool:
    if f"Not{element}" in statement:
        return not _matches(map(form, _texts(statement[f"Not{element}"])), value)
    return _matches(map(form, _texts(statement.get(element))), value)


def _holds(operator: str, key: str, wanted: list[str], context: Mapping[str, str], unknown: bool) -> bool:
    optional = operator.endswith("IfExists")
    name, actual = operator.removesuffix("IfExists"), context.get(key.lower())
    if name == "Null":
        return (actual is None) == ("true" in wanted)
    test = _OPERATORS.get(name)
    if test is None:
        return unknown
    if actual is None:
        return optional or name in _NEGATED
    try:
        return test(wanted, actual) != (name in _NEGATED)
    except ValueError:
        return unknown


def _within(networks: list[str], address: str) -> bool:
    asked = ipaddress.ip_address(address)
    return any(asked in ipaddress.ip_network(network, strict=False) for network in networks)


def _matches(patterns: Iterable[str], value: str) -> bool:
    return any(wildcard(pattern).fullmatch(value) for pattern in patterns)


def _equals(wanted: list[str], actual: str) -> bool:
    return actual in wanted


def _equals_any_case(wanted: list[str], actual: str) -> bool:
    return actual.casefold() in {text.casefold() for text in wanted}


_NEGATED: Final = {
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
    "ArnNotEquals",
    "ArnNotLike",
    "NotIpAddress",
}
_OPERATORS: Final[Mapping[str, Callable[[list[str], str], bool]]] = {
    "StringEquals": _equals,
    "StringNotEquals": _equals,
    "StringEqualsIgnoreCase": _equals_any_case,
    "StringNotEqualsIgnoreCase": _equals_any_case,
    "StringLike": _matches,
    "StringNotLike": _matches,
    "ArnEquals": _matches,
    "ArnNotEquals": _matches,
    "ArnLike": _matches,
    "ArnNotLike": _matches,
    "Bool": _equals_any_case,
    "IpAddress": _within,
    "NotIpAddress": _within,
}


def _listed(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def _texts(value: JSON) -> list[str]:
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in _listed(value) if item is not None]


def _pairs(value: JSON) -> Iterable[tuple[str, JSON]]:
    return value.items() if isinstance(value, Mapping) else ()
