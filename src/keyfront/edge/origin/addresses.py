"""The address of an origin, to which requests go."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from keyfront.core.paths import written
from keyfront.core.s3 import s3_host
from keyfront.inventory import Origin

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request goes: `scheme://host:port`, the Host header, and the prefix of the viewer's path."""

    scheme: str
    host: str
    port: int
    host_header: str
    prefix: str
    region: str = ""
    """The region of an S3 bucket."""

    @property
    def base(self) -> str:
        """The URL without a path."""
        return f"{self.scheme}://{self.host_header}"


def address(origin: Origin, viewer_scheme: str, s3_endpoint_url: str | None = None) -> Address:
    """Return the address of `origin` for a viewer that uses `viewer_scheme`.

    With `s3_endpoint_url`, requests for buckets go there, path-style. The Host header names the port only if it is not
    the scheme's default (RFC 9110, section 7.2; that CloudFront does the same is assumed).
    """
    if origin.custom is None:
        return _bucket(origin, s3_endpoint_url)
    policy = origin.custom.protocol_policy
    scheme = viewer_scheme if policy == "match-viewer" else policy.removesuffix("-only")
    port = origin.custom.https_port if scheme == "https" else origin.custom.http_port
    return _at(scheme, origin.domain_name, port, written(origin.path))


def _bucket(origin: Origin, endpoint_url: str | None) -> Address:
    found = s3_host(origin.domain_name)
    region = found.region if found is not None and found.bucket else ""
    if endpoint_url is None or found is None or not region:
        return _at("https", origin.domain_name, 443, written(origin.path), region)
    endpoint = urlsplit(endpoint_url)
    port = endpoint.port or _DEFAULT_PORTS[endpoint.scheme]
    prefix = f"{endpoint.path.rstrip('/')}/{found.bucket}{written(origin.path)}"
    return _at(endpoint.scheme, endpoint.hostname or "", port, prefix, region)


def _at(scheme: str, host: str, port: int, prefix: str, region: str = "") -> Address:
    shown = f"[{host}]" if ":" in host else host
    header = shown if port == _DEFAULT_PORTS[scheme] else f"{shown}:{port}"
    return Address(scheme, shown, port, header, prefix, region)
