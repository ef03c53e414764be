"""The name that a distribution answers to on this machine: what the API gives as its `DomainName`.

It holds the port, so that a program which builds `https://DOMAIN/path` from it just works.
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
    """`<id>.cloudfront.localhost:<port>`: one port for all. curl and browsers resolve it, most others do not."""
    return lambda distribution_id: f"{distribution_id.lower()}.cloudfront.localhost:{https_port}"


def by_port(
    first: int, known: Mapping[str, int] | None = None, keep: Callable[[Mapping[str, int]], None] = lambda _: None
) -> DomainNames:
    """`localhost:<port>`: HTTPS on a port of the distribution's own, and plain HTTP on the next one.

    A distribution keeps the port that it had (`known`) as long as that is free; `keep` is told whenever one gets a new
    one.
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
            _log.warning("distribution %s is at port %d now: %d, where it was, is taken", distribution_id, port, before)
        keep({**ports, distribution_id: port})
        ports[distribution_id] = port
        return port

    return name


def plain(domain_name: str, http_port: int) -> str:
    """The URL of a distribution over plain HTTP, without a slash at the end."""
    host, _, port = domain_name.rpartition(":")
    return f"http://{host}:{int(port) + 1 if host == 'localhost' else http_port}"


def _free_pair(port: int) -> bool:
    return _free(port) and _free(port + 1)


def _free(port: int) -> bool:
    if port > _LAST_PORT:
        raise PortError("no port is free for another distribution")
    try:
        for bound in bind_loopback(port):
            bound.close()
    except PortError:
        return False
    return True
