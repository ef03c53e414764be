"""The terms of a table's signatures: the columns, and the values for all rows."""

from dataclasses import dataclass, replace
from datetime import timedelta

from keyfront.core.networks import network
from keyfront.core.options import URLTerms
from keyfront.core.policy import Moment, epoch, validity
from keyfront.core.urls import resource_pattern
from keyfront.errors import InputError, PolicyError

SIGNED = "signed_url"
REASON = "reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableTerms:
    """The columns of the URLs and the signed URLs, and the terms of the policies.

    Values for all rows mean the same as in `Signer.sign_url`. A column (`…_column`) has the values for single rows. If
    a row's cell is empty, the value for all rows is used.
    """

    url_column: str
    signed_column: str | None = None
    """A new column, or one to replace (such as `url_column` itself). If not given: a new column `signed_url`."""
    reason_column: str = REASON
    """A new column for the reason why a row could not be signed."""
    expires: Moment | None = None
    starts: Moment | None = None
    ip: str | None = None
    resource: str | None = None
    max_lifetime: timedelta | None = None
    expires_column: str | None = None
    """Timestamps with a time zone, seconds since the epoch, or text with one of them (ISO 8601)."""
    ip_column: str | None = None
    resource_column: str | None = None

    def __post_init__(self) -> None:
        if self.expires is None and self.expires_column is None:
            raise InputError("there is no expiry: give expires (--expires), or its column (--expires-column)")
        if self.reason_column in (self.url_column, self.signed_name):
            raise InputError(f"the column {self.reason_column!r} cannot also hold the reasons: name another")

    @property
    def signed_name(self) -> str:
        """The name of the column with the signed URLs."""
        return self.signed_column or SIGNED

    def fixed(self, now: float) -> "TableTerms":
        """Return the terms with their times in seconds since the epoch, so that they mean the same at any time.

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
        """Return the arguments of `Signer.sign_url` for a row's cells. Raises `PolicyError` if it has no expiry."""
        until = self.expires if expires is None else expires
        if until is None:
            raise PolicyError(f"the row has no expiry: {self.expires_column} is empty")
        return {
            "expires": until,
            "starts": self.starts,
            "ip": ip or self.ip,
            "resource": resource or self.resource,
            "max_lifetime": self.max_lifetime,
        }
