"""What an edge can be told, checked once."""

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
"""Each is a process with a cache of its own."""


@dataclass(frozen=True)
class EdgeSettings:
    """What an edge can be told. A port of 0 is any that is free; `None` is no such listener."""

    endpoint_url: str | None = None
    """Where the CloudFront API and S3 answer; `None`: where boto3's own rules find them."""
    region: str = "us-east-1"
    access_key_id: str | None = None
    """Of the account; `None`: what boto3's own rules find."""
    secret_access_key: str | None = field(default=None, repr=False)
    http_port: int | None = 8080
    https_port: int | None = 8443
    addressing: Literal["host", "port"] = "host"
    """`port`: a distribution whose domain name is `localhost:PORT` gets HTTPS there, and HTTP on the next port."""
    location: int = 1
    """Which of `locations` edge locations this is, counted from 1."""
    locations: int = 1
    propagation_seconds: float = 0.0
    """How long a change is under way until the last location has it (see `locations`)."""
    shared_ports: bool = False
    """Whether other processes of this user listen on the same ports: the system spreads connections over them."""
    own_http_port: int | None = None
    """Another port, by which a viewer can choose this location where it shares the others."""
    own_https_port: int | None = None
    directory: Path = Path(".keyfront")
    """Where the certificate authority is kept."""
    renew_authority: bool = False
    """Whether a new authority is made when the one that is kept may not sign for an alias."""
    refresh_seconds: float = 1.0
    stale_seconds: float = STALE_SECONDS
    """How long a configuration is used that cannot be read again; then everything is refused."""
    drain_seconds: float = DRAIN_SECONDS
    """How long answers under way may go on once the edge is told to stop, or their port closes."""
    cache_bytes: int = 256 * 1024 * 1024
    object_bytes: int = 8 * 1024 * 1024
    """Larger objects are kept on disk."""
    disk_bytes: int = 1024**3
    """In files without names under `directory`; with 0 larger objects are passed on and not kept."""
    countries: Mapping[str, str] = field(default_factory=dict)
    """Networks, and the countries (two letters) that their viewers are in, for geo restrictions."""
    origin_authorities: Path | None = None
    """A PEM file of authorities that HTTPS origins may be signed by, beside the public ones."""
    files: tuple[Path, ...] = ()
    """What describes the account instead of the CloudFront API (`keyfront.inventory.files`)."""
    keys: Path | None = None
    """The folder of public keys that goes with `files`."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """With `files`: URLs at which origins (ids) are reached instead."""
    explain: bool = False
    """Whether refusals name their finding in a header, `X-Keyfront-Finding`."""
    log_decisions: bool = False
    """Whether each request is a line on standard error."""
    access_logs: Path | None = None
    """A folder for access logs in CloudFront's format."""
    metrics: bool = False
    """Whether requests are counted, in files of the folder `PROMETHEUS_MULTIPROC_DIR`."""

    def __post_init__(self) -> None:
        if self.endpoint_url is not None:
            parts = urlsplit(self.endpoint_url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise InputError(f"the endpoint URL {self.endpoint_url!r} is none: write http://host:port")
        for name in ("directory", "origin_authorities", "keys", "access_logs"):
            if not isinstance(getattr(self, name), Path | None):
                raise InputError(f"{name} is {getattr(self, name)!r}: give a path")
        if self.addressing not in ("host", "port"):
            raise InputError(f"addressing is {self.addressing!r}: choose 'host' or 'port'")
        if not isinstance(self.refresh_seconds, int | float) or not 0 < self.refresh_seconds < 86_400:
            raise InputError(f"refresh_seconds is {self.refresh_seconds!r}: give more than 0, and at most a day")
        for name, longest in (("stale_seconds", LONGEST_STALE), ("drain_seconds", LONGEST_DRAIN)):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value <= longest:
                raise InputError(f"{name} is {value!r}: give from 0 to {longest:,}")
        for name in ("http_port", "https_port", "own_http_port", "own_https_port"):
            self._whole_number(name, 65_535, optional=True)
        for name in ("cache_bytes", "object_bytes", "disk_bytes"):
            self._whole_number(name, 1 << 50, optional=False)
        if not isinstance(self.countries, Mapping):
            raise InputError(f"countries is {self.countries!r}: give networks and countries, as {{'10.0.0.0/8': 'DE'}}")
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
        """This edge's location. Raises `InputError` for one that cannot be."""
        return Location(self.location, self.locations, self.propagation_seconds)

    def _whole_number(self, name: str, limit: int, *, optional: bool) -> None:
        value = getattr(self, name)
        if optional and value is None:
            return
        if not isinstance(value, int) or not 0 <= value <= limit:
            raise InputError(f"{name} is {value!r}: give a whole number from 0 to {limit:,}")
