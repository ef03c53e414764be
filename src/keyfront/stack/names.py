"""The name that a distribution answers to on this machine: what the API gives as its `DomainName`.

It holds the port, so that a program which builds `https://DOMAIN/path` from it just works.
"""

import itertools
import threading
from collections.abc import Callable

from keyfront.serving import PortError, bind

DomainNames = Callable[[str], str]


def by_host(https_port: int) -> DomainNames:
    """`<id>.cloudfront.localhost:<port>`: one port for all. curl and browsers resolve it, most others do not."""
    return lambda distribution_id: f"{distribution_id.lower()}.cloudfront.localhost:{https_port}"


def by_port(first: int) -> DomainNames:
    """`localhost:<port>`: HTTPS on a port of the distribution's own, and plain HTTP on the next one."""
    lock, ports = threading.Lock(), itertools.count(first, 2)

    def name(_: str) -> str:
        with lock:
            for port in ports:
                if _free(port) and _free(port + 1):
                    return f"localhost:{port}"
        raise AssertionError("itertools.count does not end")

    return name


def plain(domain_name: str, http_port: int) -> str:
    """The URL of a distribution over plain HTTP, without a slash at the end."""
    host, _, port = domain_name.rpartition(":")
    return f"http://{host}:{int(port) + 1 if host == 'localhost' else http_port}"


def _free(port: int) -> bool:
    try:
        bind("127.0.0.1", port).close()
    except PortError as error:
        if port > 65535:
            raise PortError("no port is free for another distribution") from error
        return False
    return True
