"""A function as it is to be run: the values of one version's code and configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Archive:
    """A zip file of code, known by its digest."""

    digest: str
    content: bytes = field(compare=False, repr=False)


@dataclass(frozen=True)
class Function:
    """Equal values can share processes: what is not compared, a running process need not know."""

    account: str
    region: str
    name: str
    version: str
    arn: str
    """With the version, except for `$LATEST`."""
    made: str
    """When this version was made, so that a function of the same name is another."""
    runtime: str
    handler: str
    role: str
    timeout: float
    """Seconds."""
    memory_mb: int
    variables: tuple[tuple[str, str], ...] = field(repr=False)
    code: Archive
    layers: tuple[Archive, ...]
    log_group: str
    log_format: str
    log_level: str | None
    reserved: int | None = field(compare=False)
    """How many calls at once, `None`: as many as the account may."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that its owner set."""
        return dict(self.variables)


class FunctionError(Exception):
    """A function that cannot be run: `code` and `status` are those of Lambda's API for that case."""

    def __init__(self, code: str, message: str, status: int = 502) -> None:
        super().__init__(message)
        self.code, self.status = code, status


class BusyError(FunctionError):
    """So many calls at once are not allowed. Source: Lambda API Reference, "Invoke"."""

    def __init__(self, reason: str) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.", 429)
        self.reason = reason
