"""Amazon's managed policies for IAM (`AWSLambdaBasicExecutionRole` and all others), made when first asked for.

moto can make all 1,600 for each account at the start, which takes time and would make every saved state larger. Here
an account has only those that somebody attached or looked at.
"""

import json
from base64 import b32encode
from collections.abc import Callable, Iterable, Mapping
from functools import cache, wraps
from hashlib import sha256
from typing import Any, Final

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy

_ASKING: Final = ("get_policy", *(f"attach_{kind}_policy" for kind in ("role", "group", "user")))
"""Methods that take a policy's ARN first, as `policy_arn`. moto's other methods get the policy through `get_policy`."""
_originals: Final[dict[str, Callable[..., Any]]] = {
    name: getattr(IAMBackend, name) for name in (*_ASKING, "list_policies")
}


def install() -> None:
    """Let moto's IAM find Amazon's policies."""
    for name in _ASKING:
        setattr(IAMBackend, name, _finding(_originals[name]))
    IAMBackend.list_policies = list_policies  # type: ignore[method-assign]


def list_policies(
    self: IAMBackend, marker: str | None, max_items: int, only_attached: bool, path_prefix: str, scope: str
) -> tuple[Iterable[ManagedPolicy], str | None]:
    """ListPolicies, with Amazon's policies that the account has not used yet."""
    if only_attached or scope == "Local":
        found: tuple[Iterable[ManagedPolicy], str | None] = _originals["list_policies"](
            self, marker, max_items, only_attached, path_prefix, scope
        )
        return found
    held = [each for each in self.managed_policies.values() if scope != "AWS" or isinstance(each, AWSManagedPolicy)]
    used = {each.name for each in held if isinstance(each, AWSManagedPolicy)}
    listed: list[tuple[str, str, ManagedPolicy | None]] = [(each.name, each.path, each) for each in held]
    listed += [(name, each["Path"], None) for name, each in _documents().items() if name not in used]
    chosen = sorted((each for each in listed if each[1].startswith(path_prefix or "/")), key=lambda each: each[0])
    first = int(marker or 0)
    page = [policy or _made(self, name) for name, _, policy in chosen[first : first + max_items]]
    return page, str(first + max_items) if len(page) == max_items else None


def _finding(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def find(self: IAMBackend, policy_arn: str, *arguments: Any, **named: Any) -> Any:
        if ":iam::aws:policy/" in policy_arn and policy_arn not in self.managed_policies:
            name = policy_arn.rpartition("/")[2]
            if name in _documents() and (made := _made(self, name)).arn == policy_arn:
                self.managed_policies[policy_arn] = made
        return method(self, policy_arn, *arguments, **named)

    return find


@cache
def _documents() -> Mapping[str, dict[str, Any]]:
    """Return Amazon's policies by name. Reading them takes a tenth of a second."""
    documents: Mapping[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return documents


def _made(backend: IAMBackend, name: str) -> AWSManagedPolicy:
    policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, _documents()[name])
    policy.id = f"ANPA{b32encode(sha256(policy.arn.encode()).digest()).decode()[:17]}"
    return policy
