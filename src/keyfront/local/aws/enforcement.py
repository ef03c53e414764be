"""Enforces IAM, if asked to: a role or a user may do here only what its policies allow.

It checks requests with credentials that this endpoint issued: assumed roles (also those of functions) and IAM users.
Other credentials, such as `test`, are the operator's, and may do everything. It checks the policies of the identity. It
does not check resource policies of KMS keys, queues and topics, permissions boundaries, session policies or the
CloudFront API. It verifies session tokens, but not signatures.

Assumed: an access key that looks like Amazon's (AKIA…, ASIA…) and that this endpoint did not issue is refused.
"""

import json
import logging
import re
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from flask import request
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.utils import utcnow
from moto.iam.access_control import AssumedRoleAccessKey, CreateAccessKeyFailure, IAMPolicy, IAMUserAccessKey
from moto.utilities.utils import get_partition
from werkzeug.exceptions import Forbidden

from keyfront.local.aws.deferred import DEFERRED
from keyfront.local.aws.permissions import Permission, needed
from keyfront.local.aws.policy_evaluation import Caller, Evaluation, judge
from keyfront.local.aws.responses import AWSError, EndpointResponse

_log = logging.getLogger(__name__)

_AMAZONS: Final = re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{12,}")
_OPEN: Final = frozenset({"sts:GetCallerIdentity", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"})
"""Actions that need no permission. Source: STS API Reference."""
_MOST_SAID: Final = 1000

_enforced: ContextVar[bool] = ContextVar("enforced", default=False)
_said: Final[set[str]] = set()


@dataclass(frozen=True)
class Principal:
    """The identity that sends a request, with its policies."""

    arn: str
    policies: tuple[str, ...]
    called: str
    """Its name in the operator's log (`role shop`)."""


def use(enforced: bool) -> None:
    """Enforce IAM, or not, for the request in this thread."""
    _enforced.set(enforced)


def install() -> None:
    """Make moto use these checks instead of its own."""

    def authorize(self: Any, _: type, resource: str = "*") -> None:
        if _enforced.get():
            error = _refusal(self, resource)
            if error is not None:
                _refuse(self, error)

    ActionAuthenticatorMixin._authenticate_and_authorize_action = authorize  # type: ignore[method-assign,assignment]


def denied(identity: Principal, wanted: Permission) -> bool:
    """Return whether `identity` lacks the permission `wanted`."""
    verdict = Evaluation.SILENT
    caller = Caller("account", frozenset({("AWS", identity.arn)}), {"aws:principalarn": identity.arn})
    for policy in identity.policies:
        found = judge(_addressed(policy), caller, wanted.action, wanted.resource)
        if found is Evaluation.DENY:
            return True
        if found is Evaluation.ALLOW:
            verdict = found
    return verdict is not Evaluation.ALLOW


def may(response: Any, wanted: Permission) -> bool:
    """Return whether the sender of a request to moto has the permission `wanted`. If IAM is not enforced, it has."""
    if not _enforced.get():
        return True
    key_id = _key_id(response)
    identity = _identity(response, key_id) if key_id else None
    if identity is None:
        return _AMAZONS.fullmatch(key_id or "") is None
    return not denied(identity, wanted)


def role(account: str, region: str, arn: str) -> Principal:
    """Return a role as an identity. A role that does not exist has no policies."""
    key = object.__new__(AssumedRoleAccessKey)
    key.account_id, key.partition, key._owner_role_name = account, get_partition(region), arn.split("/")[-1]
    return Principal(arn, tuple(_documents(key)), f"role {key._owner_role_name}")


def tell(identity: Principal, wanted: Permission) -> None:
    """Log a missing permission, once."""
    line = f"IAM: {identity.called} may not {wanted.action} on {wanted.resource}: no policy of it allows that"
    if line not in _said and len(_said) < _MOST_SAID:
        _said.add(line)
        _log.warning("%s", line)


def _refusal(response: Any, resource: str) -> AWSError | None:
    wanted = needed(response, resource)
    if all(each.action in _OPEN for each in wanted):
        return None
    key_id = _key_id(response)
    if key_id is None:
        # S3 checks the bucket policies itself.
        return None if wanted[0].action.startswith("s3:") else _UNSIGNED
    identity = _identity(response, key_id)
    if identity is None:
        return _UNKNOWN if _AMAZONS.fullmatch(key_id) else None
    for each in wanted:
        if denied(identity, each):
            tell(identity, each)
            said = f"User: {identity.arn} is not authorized to perform: {each.action} on resource: {each.resource}"
            why = f"because no identity-based policy allows the {each.action} action"
            return AWSError(403, "AccessDenied", f"{said} {why}")
    return None


_UNSIGNED: Final = AWSError(403, "MissingAuthenticationToken", "Missing Authentication Token")
_UNKNOWN: Final = AWSError(403, "UnrecognizedClientException", "The security token included in the request is invalid.")


def _key_id(response: Any) -> str | None:
    """Return the access key of a request, from its header or its query, or `None` if it is not signed."""
    presigned = response.querystring.get("X-Amz-Credential") or response.querystring.get("AWSAccessKeyId") or [""]
    header = response.headers.get("Authorization", "")
    found = header.partition("Credential=")[2] or (header[4:].partition(":")[0] if header[:4] == "AWS " else "")
    return (found or presigned[0]).partition("/")[0].strip() or None


def _identity(response: Any, key_id: str) -> Principal | None:
    account, partition = response.current_account, get_partition(response.region)
    token = response.headers.get("X-Amz-Security-Token") or response.querystring.get("X-Amz-Security-Token", [None])[0]
    try:
        if token is None:
            user = IAMUserAccessKey(account, partition, key_id, {})
            return Principal(user.arn, tuple(_documents(user)), f"user {user._owner_user_name}")
        session = AssumedRoleAccessKey(account, partition, key_id, {"X-Amz-Security-Token": token})
    except CreateAccessKeyFailure:
        return None
    if _expired(session, token):
        return None
    return Principal(session.arn, tuple(_documents(session)), f"role {session._owner_role_name}")


def _expired(session: AssumedRoleAccessKey, token: str) -> bool:
    from moto.sts.models import sts_backends

    roles = sts_backends[session.account_id][session.partition].assumed_roles
    return any(role.session_token == token and role.expiration < utcnow() for role in roles)


def _documents(key: IAMUserAccessKey | AssumedRoleAccessKey) -> Iterable[str]:
    try:
        policies = list(key.collect_policies())
    except Exception:  # noqa: BLE001  a deleted role has no policies
        return
    for policy in policies:
        yield json.dumps(IAMPolicy(policy)._policy_json)


def _addressed(policy: str) -> str:
    """Return an identity's policy as a resource policy, with the identity as principal of each statement."""
    document = json.loads(policy)
    statements = document.get("Statement") or []
    listed = statements if isinstance(statements, list) else [statements]
    return json.dumps({"Statement": [{**each, "Principal": "*"} for each in listed]})


def _refuse(response: Any, error: AWSError) -> None:
    headers = {name.lower(): value for name, value in response.headers.items()}
    service = needed(response, "*")[0].action.partition(":")[0]
    plain = service in ("s3", "sts", "iam", "sqs", "sns", "ec2", "cloudformation")
    if not plain and error.code == "AccessDenied":
        error = AWSError(error.status, "AccessDeniedException", error.message)
    answer = error.answer(headers, service)

    async def refused() -> EndpointResponse:
        return answer

    request.environ[DEFERRED] = refused
    raise Forbidden
