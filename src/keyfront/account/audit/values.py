"""The input and the output of an audit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from keyfront.inventory import Inventory


class Severity(IntEnum):
    """How urgent a finding is. A greater value is more urgent."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    def __str__(self) -> str:
        return self.name.lower()


class Stage(IntEnum):
    """When a fix may be made: what is lost first, then what opens, what changes, what closes, and what removes."""

    RESTORE = 0
    GRANT = 1
    CHANGE = 2
    CLOSE = 3
    REMOVE = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """How to fix a finding with a program. What is empty is to be done by hand."""

    commands: tuple[str, ...] = ()
    """Shell commands, in order."""
    edit: str = ""
    """A jq filter on the distribution's configuration, for the distribution of the finding."""
    terraform: str = ""
    """Arguments or blocks, in the resource that they name."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of finding, independent of the resource."""

    id: str
    title: str
    why: str
    """Why it matters."""
    stage: Stage = Stage.CHANGE


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of one resource."""

    rule: Rule
    severity: Severity
    resource: str
    """An ARN or an id; a behavior is `DISTRIBUTION:PATTERN`."""
    evidence: str
    fix: str
    """A command, or a change of the Terraform configuration."""
    example: str = ""
    """A path that shows it."""
    marks: tuple[str, ...] = ()
    """Ids of the keys, groups and behaviors (as in `resource`) that the drawing shows in colour."""
    distributions: tuple[str, ...] = ()
    """Ids of the distributions that it is about; empty if it is about the account."""
    plan: Plan = Plan()


@dataclass(frozen=True, slots=True)
class NotChecked:
    """Something that could not be checked, and what it needs."""

    what: str
    needs: str

    def __str__(self) -> str:
        return f"{self.what}: not checked: needs {self.needs}"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket as far as it could be read. `None` means unknown, and is reported as not checked."""

    name: str
    policy: Mapping[str, object] | None = None
    blocked: Mapping[str, bool] | None = None
    """The public access block; empty if there is none."""
    public_grants: tuple[str, ...] | None = None
    kms_key: str | None = None
    """The KMS key that encrypts new objects by default; empty if KMS does not."""
    objects: tuple[str, ...] | None = None
    """Keys of its first objects."""


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """A KMS key that encrypts a bucket's objects."""

    id: str
    """As the bucket names it: an id, an ARN or an alias."""
    arn: str = ""
    state: str = ""
    """KMS's own word, such as `Enabled`, `Disabled` or `PendingDeletion`; empty if it could not be read."""
    managed_by_aws: bool = False
    policy: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class FunctionURL:
    """The URL of a Lambda function."""

    host: str
    function: str
    """Its name, or its ARN with an alias."""
    auth_type: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A parameter, a secret or a KMS key. Its value is never kept."""

    arn: str
    name: str
    kind: str
    """`String`, `StringList`, `SecureString`, `secret` or `kms`."""
    key_like: bool
    """Whether its name, its description or its tags say that it holds a private key."""
    holds_key: bool = False
    """Whether a private key was found in it. Only unencrypted values are read."""
    hash_algorithm: str = ""
    kms_key: str = ""
    policy: Mapping[str, object] | None = None
    state: str = ""
    """`deleted`, `pending` (deletion), `disabled` or `expires`; empty if it stays."""
    ends: str = ""
    """When it is gone, if that is known."""


@dataclass(frozen=True, slots=True)
class LogFacts:
    """The facts about signed requests in access logs."""

    signed: int = 0
    sha1: int = 0
    with_address: int = 0
    hosts_sha1: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoggedUse:
    """What access logs show of one key. Times are aware."""

    requests: int
    last_seen: datetime
    last_allowed: datetime | None


@dataclass(frozen=True, slots=True)
class KeyLog:
    """The use of keys in access logs, and the time that the logs cover."""

    first: datetime
    last: datetime
    uses: Mapping[str, LoggedUse]
    cookies: bool
    """Whether the logs have cookies."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The user's settings for the audit. Times are aware, and ages are in days."""

    now: datetime
    max_key_age: int = 365
    policies_carry_ip: bool = False
    private_words: frozenset[str] = frozenset()
    public_keys_quota: int = 10
    key_groups_quota: int = 10
    keys_per_group_quota: int = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """The input of the rules: the account as it was read, and the user's settings."""

    inventory: Inventory
    settings: Settings
    complete: bool = True
    """Whether groups, keys and access controls were all listed. Only then is a missing one a fault."""
    buckets: Mapping[str, Bucket] = field(default_factory=dict)
    encryption_keys: Mapping[str, EncryptionKey] = field(default_factory=dict)
    """The KMS keys of buckets, by the name in the bucket's settings."""
    function_urls: Mapping[str, FunctionURL] = field(default_factory=dict)
    """By host."""
    secrets: tuple[Secret, ...] = ()
    log: LogFacts | None = None
    key_log: KeyLog | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Findings, most urgent first, and the things that were not checked."""

    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]
    ignored: int = 0
