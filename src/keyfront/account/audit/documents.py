"""Finds which access a resource policy gives. Source: IAM User Guide, "Policies and permissions"."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

Statement = Mapping[str, object]

_BINDING: Final = frozenset(
    [
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalarn",
        "aws:principalaccount",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceip",
        "aws:vpcsourceip",
        "kms:calleraccount",
        "s3:dataaccesspointaccount",
    ]
)
"""Condition keys that limit access. `aws:Referer` and `aws:UserAgent` do not: the caller sets them."""


def texts(value: object) -> list[str]:
    """Return the texts of a policy's member, which is one text or a list."""
    return [str(each) for each in value] if isinstance(value, list) else [] if value is None else [str(value)]


def allowing(policy: Mapping[str, object] | None) -> Iterator[Statement]:
    """Yield the statements that allow something."""
    found = (policy or {}).get("Statement")
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, Mapping) and each.get("Effect") == "Allow":
            yield each


def principals(statement: Statement, kind: str = "AWS") -> list[str]:
    """Return the principals of a kind (`AWS`, `Service`). `NotPrincipal` with Allow means everyone else."""
    if "NotPrincipal" in statement:
        return ["*"] if kind == "AWS" else []
    principal = statement.get("Principal")
    if isinstance(principal, Mapping):
        return texts(principal.get(kind))
    return texts(principal) if kind == "AWS" else []


def bound(statement: Statement, keys: Iterable[str] = _BINDING) -> bool:
    """Return whether a condition limits access, with a positive operator, one of `keys` and a value other than `*`."""
    wanted = frozenset(keys)
    condition = statement.get("Condition")
    if not isinstance(condition, Mapping):
        return False
    for operator, tests in condition.items():
        if "Not" in operator or operator == "Null" or operator.endswith("IfExists") or not isinstance(tests, Mapping):
            continue
        for key, values in tests.items():
            listed = texts(values)
            if str(key).lower() in wanted and listed and not any(_all(each) for each in listed):
                return True
    return False


def _all(value: str) -> bool:
    return value.strip("*:/") in ("", "arn", "arn:aws", "arn:aws:cloudfront") or value in ("0.0.0.0/0", "::/0")


def allows(statement: Statement, action: str) -> bool:
    """Return whether a statement allows an action, such as `s3:GetObject`."""
    from keyfront.core.resource import matches

    if "NotAction" in statement:
        return not any(matches(each.lower(), action.lower()) for each in texts(statement["NotAction"]))
    return any(matches(each.lower(), action.lower()) for each in texts(statement.get("Action")))


def open_to_all(policy: Mapping[str, object] | None, action: str) -> bool:
    """Return whether anyone may do `action`."""
    return any("*" in principals(each) and allows(each, action) and not bound(each) for each in allowing(policy))
