"""The terms of a table's signatures: the columns, and what all rows have in common."""

from dataclasses import dataclass, replace
from datetime import timedelta

from keyfront.core.options import URLTerms
from keyfront.core.policy import Moment, epoch, network, validity
from keyfront.core.urls import resource_pattern
from keyfront.errors import InputError, PolicyError

SIGNED = "signed_url"
REASON = "reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableTerms:
    """Where a row's URL is, where its signed URL goes, and what its policy says.

    What is given for all rows means the same as in `Signer.sign_url`. A column (`…_column`) gives it row by row. If a
    row's cell is empty, what is given for all rows counts.
    """

    url_column: str
    signed_column: str | None = None
    """A new column, or one that is replaced (`url_column` itself, say). If not given: a new column `signed_url`."""
    reason_column: str = REASON
    """A new column: why the row could not be signed."""
    expires: Moment | None = None
    starts: Moment | None = None
    ip: str | None = None
    resource: str | None = None
    max_lifetime: timedelta | None = None
    expires_column: str | None = None
    """Timestamps with a time zone, seconds since the epoch, or text that holds one of them (ISO 8601)."""
    ip_column: str | None = None
    resource_column: str | None = None

    def __post_init__(self) -> None:
        if self.expires is None and self.expires_column is None:
            raise InputError("until when? Give expires (--expires), or the column that says it (--expires-column)")
        if self.reason_column in (self.url_column, self.signed_name):
            raise InputError(f"the column {self.reason_column!r} cannot hold the reasons as well: name another")

    @property
    def signed_name(self) -> str:
        """The name of the column with the signed URLs."""
        return self.signed_column or SIGNED

    def fixed(self, now: float) -> "TableTerms":
        """Return the terms with their times in seconds since the epoch: they then mean the same at any time.

        `now` is the present in seconds since the epoch. Raises `PolicyError` and `URLError` for terms that would
        refuse every row.
        """
        expires = None if self.expires is None else epoch(self.expires, now, "expires")
        starts = None if self.starts is None else epoch(self.starts, now, "starts")
        if expires is not None:
            validity(expires, starts, now)
        if self.ip is not None:
            network(self.ip)
        if self.resource is not None:
            resource_pattern(self.resource)
        return replace(self, expires=expires, starts=starts)

    def row(self, expires: Moment | None, ip: str | None, resource: str | None) -> URLTerms:
        """Return the arguments of `Signer.sign_url` for a row with these cells. Raises `PolicyError` without a time."""
        until = self.expires if expires is None else expires
        if until is None:
            raise PolicyError(f"the row does not say until when: {self.expires_column} is empty")
        return {
            "expires": until,
            "starts": self.starts,
            "ip": ip or self.ip,
            "resource": resource or self.resource,
            "max_lifetime": self.max_lifetime,
        }
