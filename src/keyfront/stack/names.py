"""The name that a distribution answers to on this machine: what the API gives as its `DomainName`.

It holds the port, so that a program which builds `https://DOMAIN/path` from it just works.
"""

import itertools
import threading
from collections.abc import Callable
from typing import Final

from keyfront.serving import PortError, bind_loopback

_LAST_PORT: Final = 65535

DomainNames = Callable[[str], str]


def by_host(https_port: int) -> DomainNames:
    """`<id>.cloudfront.localhost:<port>`: one port for all. curl and browsers resolve it, most others do not."""
    return lambda distribution_id: f"{distribution_id.lower()}.cloudfront.localhost:{https_port}"


def by_port(first: int) -> DomainNames:
    """`localhost:<port>`: HTTPS on a port of the distribution's own, and plain HTTP on the next one."""
    lock, ports, names = threading.Lock(), itertools.count(first, 2), dict[str, str]()

    def name(distribution_id: str) -> str:
        with lock:
            if distribution_id not in names:
                port = next(port for port in ports if _free(port) and _free(port + 1))
                names[distribution_id] = f"localhost:{port}"
            return names[distribution_id]

    return name


def plain(domain_name: str, http_port: int) -> str:
    """The URL of a distribution over plain HTTP, without a slash at the end."""
    host, _, port = domain_name.rpartition(":")
    return f"http://{host}:{int(port) + 1 if host == 'localhost' else http_port}"


def _free(port: int) -> bool:
    if port > _LAST_PORT:
        raise PortError("no port is free for another distribution")
    try:
        for bound in bind_loopback(port):
            bound.close()
    except PortError:
        return False
    return True
