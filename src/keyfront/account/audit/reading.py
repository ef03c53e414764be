"""Reads where an account keeps signing keys: parameters, secrets and KMS keys that sign.

A part that may not be read becomes a `NotChecked` with the missing IAM action. No secret's value is read. In SSM only
unencrypted parameters are read, and their values are not kept.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from keyfront.account.audit.values import NotChecked, Secret

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

Client = Callable[[str], Any]
"""A boto3 client for a service."""

_KEY_LIKE = re.compile(r"(private|signing|signer|cloudfront|keyfront).*(key|pem)|\.pem$|private", re.IGNORECASE)
_PRIVATE: Final = re.compile(r"BEGIN ([A-Z]+ )?PRIVATE KEY")
_ABSENT: Final = (
    "NoSuchBucketPolicy",
    "NoSuchPublicAccessBlockConfiguration",
    "ResourceNotFoundException",
    "ServerSideEncryptionConfigurationNotFoundError",
)
_KMS_STATES: Final = {"Disabled": "disabled", "PendingDeletion": "pending", "PendingReplicaDeletion": "pending"}
_DENIED: Final = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden", "403")


class Notes:
    """Collects the things that could not be checked."""

    def __init__(self) -> None:
        self.found: dict[NotChecked, None] = {}

    def add(self, what: str, needs: str) -> None:
        """Note it once."""
        self.found[NotChecked(what, needs)] = None

    @contextmanager
    def asking(self, what: str, action: str) -> Iterator[None]:
        """Note a refusal of a call in the block, and skip the rest of the block."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            denied = code in _DENIED
            self.add(what, f"iam action {action}" if denied else f"a successful {action}, not {code}")
        except BotoCoreError as error:
            self.add(what, f"a successful {action}, not {type(error).__name__}")

    def refused(self, error: "ClientError") -> bool:
        """Note a denial and return true, so that `keyfront.inventory.read` continues; false for other errors."""
        if str(error.response.get("Error", {}).get("Code", "")) not in _DENIED:
            return False
        self.add(f"CloudFront's {error.operation_name}", f"iam action cloudfront:{error.operation_name}")
        return True


def or_none(ask: Callable[[], Any]) -> Any:
    """Return a call's response; `None` if the resource does not exist."""
    from botocore.exceptions import ClientError

    try:
        return ask()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _ABSENT:
            return None
        raise


def read_secrets(client: Client, notes: Notes) -> list[Secret]:
    """Return parameters, secrets that look like private keys, and KMS keys that sign."""
    found: list[Secret] = []
    with notes.asking("parameters", "ssm:DescribeParameters"):
        found += _parameters(client("ssm"), notes)
    with notes.asking("secrets", "secretsmanager:ListSecrets"):
        found += _secrets(client("secretsmanager"), notes)
    with notes.asking("KMS keys", "kms:ListKeys"):
        found += _kms(client("kms"), notes)
    return found


def _parameters(ssm: Any, notes: Notes) -> Iterable[Secret]:
    found = []
    for page in ssm.get_paginator("describe_parameters").paginate():
        for item in page["Parameters"]:
            name, kind = item["Name"], item["Type"]
            like = bool(_KEY_LIKE.search(f"{name} {item.get('Description', '')}"))
            holds, algorithm = False, ""
            if kind != "SecureString":
                with notes.asking(f"parameter {name}", "ssm:GetParameter"):
                    holds, algorithm = _judged(ssm.get_parameter(Name=name)["Parameter"]["Value"])
            key = item.get("KeyId", "alias/aws/ssm") if kind == "SecureString" else ""
            ends = _expiry(item)
            state = "expires" if ends else ""
            found.append(Secret(item.get("ARN", name), name, kind, like, holds, algorithm, key, state=state, ends=ends))
    return found


def _expiry(item: Any) -> str:
    """Return when SSM deletes a parameter by its policy; empty if it has none."""
    for each in item.get("Policies", ()):
        if each.get("PolicyType") == "Expiration":
            with suppress(ValueError, KeyError, TypeError):
                return str(json.loads(each["PolicyText"])["Attributes"]["Timestamp"])
    return ""


def _judged(value: str) -> tuple[bool, str]:
    holds = bool(_PRIVATE.search(value))
    try:
        document = json.loads(value, strict=False)
    except (ValueError, RecursionError):
        return holds, ""
    if not isinstance(document, dict) or not {"key_pair_id", "private_key"} <= document.keys():
        return holds, ""
    return holds, "SHA256" if document.get("hash_algorithm") == "SHA256" else "SHA1"


def _secrets(manager: Any, notes: Notes) -> Iterable[Secret]:
    found = []
    for page in manager.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True):
        for item in page["SecretList"]:
            tags = " ".join(f"{each['Key']} {each['Value']}" for each in item.get("Tags", ()))
            if not _KEY_LIKE.search(f"{item['Name']} {item.get('Description', '')} {tags}"):
                continue
            policy = None
            with notes.asking(f"policy of secret {item['Name']}", "secretsmanager:GetResourcePolicy"):
                answer = or_none(partial(manager.get_resource_policy, SecretId=item["ARN"]))
                policy = parsed_policy((answer or {}).get("ResourcePolicy") or "{}")
            key = item.get("KmsKeyId") or "alias/aws/secretsmanager"
            deleted = item.get("DeletedDate")
            state, ends = ("deleted", deleted.date().isoformat()) if deleted else ("", "")
            found.append(
                Secret(item["ARN"], item["Name"], "secret", True, kms_key=key, policy=policy, state=state, ends=ends)
            )
    return found


def _kms(kms: Any, notes: Notes) -> Iterable[Secret]:
    found = []
    for page in kms.get_paginator("list_keys").paginate():
        for item in page["Keys"]:
            key = item["KeyId"]
            with notes.asking(f"KMS key {key}", "kms:DescribeKey, kms:GetKeyPolicy"):
                about = kms.describe_key(KeyId=key)["KeyMetadata"]
                if about.get("KeyManager") == "CUSTOMER" and about.get("KeyUsage") == "SIGN_VERIFY":
                    policy = parsed_policy(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
                    state = _KMS_STATES.get(about["KeyState"], "")
                    ends = about["DeletionDate"].date().isoformat() if about.get("DeletionDate") else ""
                    found.append(Secret(about["Arn"], key, "kms", False, policy=policy, state=state, ends=ends))
    return found


def parsed_policy(text: str) -> dict[str, object]:
    """Return a policy's JSON; an empty object if it is not one."""
    document = json.loads(text)
    return document if isinstance(document, dict) else {}
