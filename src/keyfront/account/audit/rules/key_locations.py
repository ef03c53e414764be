"""Checks of where private keys are kept, who can read them, and which hash algorithm signs."""

import shlex
from collections.abc import Iterator
from typing import Final

from keyfront.account.audit.documents import allowing, open_to_all, principals
from keyfront.account.audit.values import Evidence, Finding, Plan, Rule, Secret, Severity, Stage

_CLEAR: Final = Rule(
    "private-key-in-clear",
    "A private key is stored unencrypted",
    "Everyone who may read parameters has the key, and can sign for everything it opens.",
)
_OPEN: Final = Rule(
    "private-key-open",
    "A resource policy gives others access to a private key",
    "Everyone who can read or use it can sign for everything.",
)
_DEFAULT: Final = Rule(
    "private-key-default-encryption",
    "A private key is encrypted with the account's default key",
    "Only IAM then limits access: the default key's policy lets the whole account decrypt.",
)
_SHA1: Final = Rule(
    "sha1-in-use",
    "Links are signed with SHA-1",
    "CloudFront has accepted SHA-256 since April 2026. SHA-1 has collisions.",
)
_GOING: Final = Rule(
    "private-key-going",
    "A private key is disabled or marked for deletion",
    "Signers cannot read or use it, and when it is gone nothing brings it back.",
    Stage.RESTORE,
)
RULES: Final = (_CLEAR, _OPEN, _DEFAULT, _SHA1, _GOING)
_READS: Final = {"secret": "secretsmanager:GetSecretValue", "kms": "kms:Sign"}


def _stores(account: Evidence) -> Iterator[Finding]:
    for each in account.secrets:
        if each.holds_key:
            yield Finding(
                _CLEAR, Severity.CRITICAL, each.arn, f"The parameter {each.name} has the type {each.kind}.",
                f"rotate the key, then: aws ssm delete-parameter --name {each.name}; keep the new one as SecureString",
            )  # fmt: skip
        elif each.key_like and each.kind == "String":
            yield Finding(
                _CLEAR, Severity.LOW, each.arn, f"{each.name} is named like a private key, and is not encrypted; "
                "it seems to hold no private key.", "if it holds one: rotate it, and keep the new one as SecureString",
            )  # fmt: skip
        action = _READS.get(each.kind, "kms:Decrypt")
        if each.kind in _READS and (open_to_all(each.policy, action) or _foreign(each.policy, each.arn)):
            yield Finding(
                _OPEN, Severity.CRITICAL if open_to_all(each.policy, action) else Severity.HIGH, each.arn,
                f"Its policy lets {'anyone' if open_to_all(each.policy, action) else 'another account'} do {action}.",
                "name the signer's role as Principal"
                + (f": aws secretsmanager put-resource-policy --secret-id {each.name}" if each.kind == "secret" else
                   f": aws kms put-key-policy --policy-name default --key-id {each.name}"),
            )  # fmt: skip
        if each.key_like and each.kind in ("SecureString", "secret") and each.kms_key.startswith("alias/aws/"):
            yield Finding(
                _DEFAULT, Severity.INFO, each.arn, f"{each.name} is encrypted with {each.kms_key}.",
                "encrypt it with a separate KMS key; its policy must name the signer's role",
            )  # fmt: skip
        if each.hash_algorithm == "SHA1":
            yield Finding(_SHA1, Severity.MEDIUM, each.arn, f"The document in {each.name} signs with SHA-1.",
                          'store it with "hash_algorithm": "SHA256"')  # fmt: skip


def _going(account: Evidence) -> Iterator[Finding]:
    for each in account.secrets:
        if not each.state or (each.kind not in ("secret", "kms") and not each.key_like and not each.holds_key):
            continue
        commands, what = _restoring(each)
        when = f" ({each.ends})" if each.ends else ""
        yield Finding(
            _GOING, Severity.HIGH, each.arn, f"{each.name} {what}{when}.",
            " && ".join(commands),
            plan=Plan(commands, terraform="# in its aws_kms_key\nis_enabled = true" if each.kind == "kms" else ""),
        )  # fmt: skip


def _restoring(secret: Secret) -> tuple[tuple[str, ...], str]:
    """Return the commands that bring a secret back, and what happens to it."""
    named = shlex.quote(secret.name)
    match secret.state:
        case "deleted":
            return (f"aws secretsmanager restore-secret --secret-id {named}",), "is marked for deletion"
        case "pending":
            return (
                f"aws kms cancel-key-deletion --key-id {named}",
                f"aws kms enable-key --key-id {named}",
            ), "is going to be deleted"
        case "disabled":
            return (f"aws kms enable-key --key-id {named}",), "is disabled"
    # A parameter keeps its value if its policies are replaced by none. The value is not in the process list.
    read = f"aws ssm get-parameter --with-decryption --name {named} --query Parameter.Value --output text"
    write = f"aws ssm put-parameter --overwrite --tier Advanced --type {secret.kind} --name {named}"
    command = f"{read} | {write} --policies '[{{}}]' --value file:///dev/stdin"
    return (command,), "is going to be deleted by its expiration policy"


def _foreign(policy: object, arn: str) -> bool:
    """Return whether the policy names another account's root, which can pass the access on."""
    own = (arn.split(":") + [""] * 5)[4]
    return any(
        name.removesuffix(":root").rpartition(":")[2] != own
        for statement in allowing(policy if isinstance(policy, dict) else None)
        for name in principals(statement)
        if name.endswith(":root") or (name.isdigit() and len(name) == 12)
    )


def _log(account: Evidence) -> Iterator[Finding]:
    log = account.log
    if log and log.sha1:
        yield Finding(
            _SHA1, Severity.MEDIUM, ", ".join(log.hosts_sha1),
            f"{log.sha1} of {log.signed} allowed signed requests used SHA-1.",
            'Signer(..., hash_algorithm="SHA256"), keyfront sign --hash sha256; in a signer document: '
            '"hash_algorithm": "SHA256"',
        )  # fmt: skip


CHECKS: Final = (_stores, _going, _log)
