"""The settings of an edge, checked once."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from keyfront.edge.request.geography import countries as countries_of
from keyfront.edge.server.locations import Location
from keyfront.edge.server.standing import LONGEST_STALE, STALE_SECONDS
from keyfront.errors import InputError
from keyfront.web.draining import DRAIN_SECONDS, LONGEST_DRAIN
from keyfront.web.serving import CAN_SHARE_PORTS

MOST_LOCATIONS: Final = 64
"""Each location is a process with its own cache."""


@dataclass(frozen=True)
class EdgeSettings:
    """The settings of an edge. Port 0 is any free port; `None` means no such listener."""

    endpoint_url: str | None = None
    """The URL of the CloudFront API and S3. With `None`, boto3's own rules find them."""
    region: str = "us-east-1"
    access_key_id: str | None = None
    """The account's access key. With `None`, boto3's own rules find the credentials."""
    secret_access_key: str | None = field(default=None, repr=False)
    http_port: int | None = 8080
    https_port: int | None = 8443
    addressing: Literal["host", "port"] = "host"
    """`port`: a distribution with a domain name `localhost:PORT` has HTTPS at that port, and HTTP at the next one."""
    location: int = 1
    """Which of `locations` edge locations this is, counted from 1."""
    locations: int = 1
    propagation_seconds: float = 0.0
    """How long a change takes to reach the last location (see `locations.py`)."""
    shared_ports: bool = False
    """Whether other processes of this user listen on the same ports. The system spreads connections over them."""
    own_http_port: int | None = None
    """One more port, at which a viewer can choose this location if the others are shared."""
    own_https_port: int | None = None
    directory: Path = Path(".keyfront")
    """The folder of the certificate authority."""
    renew_authority: bool = False
    """Whether to make a new authority if the existing one may not sign for an alias."""
    refresh_seconds: float = 1.0
    stale_seconds: float = STALE_SECONDS
    """How long the last configuration is used if it cannot be read again. Then everything is refused."""
    drain_seconds: float = DRAIN_SECONDS
    """How long responses under way may take after the edge was told to stop, or after their port closed."""
    cache_bytes: int = 256 * 1024 * 1024
    object_bytes: int = 8 * 1024 * 1024
    """Larger objects are kept on disk."""
    disk_bytes: int = 1024**3
    """The limit for files without names in `directory`. With 0, larger objects are passed on but not cached."""
    countries: Mapping[str, str] = field(default_factory=dict)
    """Networks, and the countries (two letters) that their viewers are in, for geo restrictions."""
    origin_authorities: Path | None = None
    """A PEM file of authorities to trust for HTTPS origins, in addition to the public ones."""
    files: tuple[Path, ...] = ()
    """Files that describe the account, used in place of the CloudFront API (`keyfront.inventory.files`)."""
    keys: Path | None = None
    """The folder of public keys for `files`."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """With `files`: URLs that replace the addresses of origins, by origin id."""
    explain: bool = False
    """Whether refusals name their finding in a header, `X-Keyfront-Finding`."""
    log_decisions: bool = False
    """Whether to write a line for each request to standard error."""
    report_decisions: bool = False
    """Whether to report requests on standard output, as JSON lines, for the console of `keyfront up`."""
    access_logs: Path | None = None
    """A folder for access logs in CloudFront's format."""
    metrics: bool = False
    """Whether to count requests, in files in the folder `PROMETHEUS_MULTIPROC_DIR`."""

    def __post_init__(self) -> None:
        if self.endpoint_url is not None:
            parts = urlsplit(self.endpoint_url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise InputError(f"{self.endpoint_url!r} is not an endpoint URL: write http://host:port")
        for name in ("directory", "origin_authorities", "keys", "access_logs"):
            if not isinstance(getattr(self, name), Path | None):
                raise InputError(f"{name} is {getattr(self, name)!r}: give a path")
        if self.addressing not in ("host", "port"):
            raise InputError(f"addressing is {self.addressing!r}: choose 'host' or 'port'")
        if not isinstance(self.refresh_seconds, int | float) or not 0 < self.refresh_seconds < 86_400:
            raise InputError(f"refresh_seconds is {self.refresh_seconds!r}: give more than 0, and less than a day")
        for name, longest in (("stale_seconds", LONGEST_STALE), ("drain_seconds", LONGEST_DRAIN)):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value <= longest:
                raise InputError(f"{name} is {value!r}: give 0 to {longest:,}")
        for name in ("http_port", "https_port", "own_http_port", "own_https_port"):
            self._whole_number(name, 65_535, optional=True)
        for name in ("cache_bytes", "object_bytes", "disk_bytes"):
            self._whole_number(name, 1 << 50, optional=False)
        if not isinstance(self.countries, Mapping):
            raise InputError(
                f"countries is {self.countries!r}: give networks and countries, such as {{'10.0.0.0/8': 'DE'}}"
            )
        countries_of(self.countries)
        for name in ("location", "locations"):
            self._whole_number(name, MOST_LOCATIONS, optional=False)
        if not isinstance(self.propagation_seconds, int | float):
            raise InputError(f"propagation_seconds is {self.propagation_seconds!r}: give a number")
        if self.shared_ports and not CAN_SHARE_PORTS:
            raise InputError(f"shared_ports is true: processes cannot share ports on {sys.platform}; leave it out")
        _ = self.place

    @property
    def place(self) -> Location:
        """This edge's location. Raises `InputError` if it is not valid."""
        return Location(self.location, self.locations, self.propagation_seconds)

    def _whole_number(self, name: str, limit: int, *, optional: bool) -> None:
        value = getattr(self, name)
        if optional and value is None:
            return
        if not isinstance(value, int) or not 0 <= value <= limit:
            raise InputError(f"{name} is {value!r}: give a whole number from 0 to {limit:,}")
