"""The `DomainName` of a distribution on this machine.

It contains the port, so a program that builds `https://DOMAIN/path` from it works.
"""

import itertools
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final

from keyfront.web.serving import PortError, bind_loopback

_log = logging.getLogger(__name__)

_LAST_PORT: Final = 65535

DomainNames = Callable[[str], str]


def by_host(https_port: int) -> DomainNames:
    """Return names like `<id>.cloudfront.localhost:<port>`, all with one port.

    curl and browsers resolve these names. Most other programs do not.
    """
    return lambda distribution_id: f"{distribution_id.lower()}.cloudfront.localhost:{https_port}"


def by_port(
    first: int, known: Mapping[str, int] | None = None, keep: Callable[[Mapping[str, int]], None] = lambda _: None
) -> DomainNames:
    """Return names like `localhost:<port>`. Each distribution has its own HTTPS port, and the next one is plain HTTP.

    A distribution keeps its port from `known` if that is free. `keep` is called with all ports whenever one is new.
    """
    lock, candidates, names, ports = threading.Lock(), itertools.count(first, 2), dict[str, str](), dict(known or {})

    def name(distribution_id: str) -> str:
        with lock:
            if distribution_id not in names:
                names[distribution_id] = f"localhost:{port_of(distribution_id)}"
            return names[distribution_id]

    def port_of(distribution_id: str) -> int:
        before = ports.pop(distribution_id, None)
        if before is not None and _free_pair(before):
            ports[distribution_id] = before
            return before
        taken = {number for port in ports.values() for number in (port - 1, port, port + 1)}
        port = next(port for port in candidates if port not in taken and _free_pair(port))
        if before is not None:
            _log.warning(
                "distribution %s now has port %d, because its port %d is in use", distribution_id, port, before
            )
        keep({**ports, distribution_id: port})
        ports[distribution_id] = port
        return port

    return name


def plain(domain_name: str, http_port: int) -> str:
    """Return the URL of a distribution over plain HTTP, without a slash at the end."""
    host, _, port = domain_name.rpartition(":")
    return f"http://{host}:{int(port) + 1 if host == 'localhost' else http_port}"


def _free_pair(port: int) -> bool:
    return _free(port) and _free(port + 1)


def _free(port: int) -> bool:
    if port > _LAST_PORT:
        raise PortError("no port is free for another distribution: start with a lower --https-port")
    try:
        for bound in bind_loopback(port):
            bound.close()
    except PortError:
        return False
    return True
