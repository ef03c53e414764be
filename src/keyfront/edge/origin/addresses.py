"""The address of an origin, to which requests go."""

from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import urlsplit

from keyfront.core.api_hosts import api_host
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
    service: Literal["", "s3", "lambda"] = ""
    """The service of AWS that a signature is for."""
    region: str = ""
    """The service's region, if the name has one."""
    is_endpoint: bool = False
    """Whether an endpoint on a laptop stands in for the service."""

    @property
    def base(self) -> str:
        """The URL without a path."""
        return f"{self.scheme}://{self.host_header}"


def address(origin: Origin, viewer_scheme: str, endpoint_url: str | None = None) -> Address:
    """Return the address of `origin` for a viewer that uses `viewer_scheme`.

    With `endpoint_url`, requests for buckets (path-style), APIs and function URLs go to that endpoint. The Host header
    names the port only if it is not the scheme's default (RFC 9110, section 7.2; that CloudFront does the same is
    assumed).
    """
    if origin.custom is None:
        return _bucket(origin, endpoint_url)
    policy = origin.custom.protocol_policy
    scheme = viewer_scheme if policy == "match-viewer" else policy.removesuffix("-only")
    port = origin.custom.https_port if scheme == "https" else origin.custom.http_port
    where, named = _at(scheme, origin.domain_name, port, written(origin.path)), api_host(origin.domain_name.lower())
    if named is None:
        return where
    where = replace(where, service="lambda" if named.kind == "lambda-url" else "", region=named.region)
    return where if endpoint_url is None else _at_endpoint(where, endpoint_url, named.local)


def _bucket(origin: Origin, endpoint_url: str | None) -> Address:
    found = s3_host(origin.domain_name)
    region = found.region if found is not None and found.bucket else ""
    where = replace(_at("https", origin.domain_name, 443, written(origin.path)), service="s3", region=region)
    if endpoint_url is None or found is None or not region:
        return where
    return _at_endpoint(where, endpoint_url, None, f"/{found.bucket}")


def _at_endpoint(where: Address, endpoint_url: str, host: str | None, prefix: str = "") -> Address:
    """Return the address at a laptop's endpoint, for a Host header of its own or, if it is `None`, the endpoint's."""
    endpoint = urlsplit(endpoint_url)
    port = endpoint.port or _DEFAULT_PORTS[endpoint.scheme]
    there = _at(endpoint.scheme, endpoint.hostname or "", port, f"{endpoint.path.rstrip('/')}{prefix}{where.prefix}")
    return replace(
        there, host_header=host or there.host_header, service=where.service, region=where.region, is_endpoint=True
    )


def _at(scheme: str, host: str, port: int, prefix: str) -> Address:
    shown = f"[{host}]" if ":" in host else host
    header = shown if port == _DEFAULT_PORTS[scheme] else f"{shown}:{port}"
    return Address(scheme, shown, port, header, prefix)
