"""A function to run: the code and configuration of one version."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Archive:
    """A zip file of code, compared by its digest."""

    digest: str
    content: bytes = field(compare=False, repr=False)


@dataclass(frozen=True)
class Function:
    """A version of a function. Equal values share processes, so members unused by processes are not compared."""

    account: str
    region: str
    name: str
    version: str
    arn: str
    """With the version, except for `$LATEST`."""
    made: str
    """When this version was created, which distinguishes it from an earlier function of the same name."""
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
    """The number of calls at once. `None`: as many as the account allows."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that its owner set."""
        return dict(self.variables)


class FunctionError(Exception):
    """A function that cannot run. `code` and `status` are those of Lambda's API for this case."""

    def __init__(self, code: str, message: str, status: int = 502) -> None:
        super().__init__(message)
        self.code, self.status = code, status


class BusyError(FunctionError):
    """Too many calls at once. Source: Lambda API Reference, "Invoke"."""

    def __init__(self, reason: str) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.", 429)
        self.reason = reason
