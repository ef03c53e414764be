"""The HTTPS port of APIs and function URLs: 443, so that their addresses work as they are, which have no port.

Many users may not listen there, and another program may do so. Then the APIs answer only at the endpoint's port, and to
the edge.
"""

import logging
import socket
from pathlib import Path
from typing import Final

from keyfront.core.api_hosts import api_host
from keyfront.edge.server.certificates import Authority
from keyfront.errors import InputError
from keyfront.local.aws.addressing import host_name
from keyfront.local.aws.bridge import send_answer
from keyfront.local.aws.responses import AWSError
from keyfront.web.serving import TLS, PortError, bind_loopback
from keyfront.web.types import ASGIApp, Receive, Scope, Send

_log = logging.getLogger(__name__)

PORT: Final = 443
_OTHERS: Final = AWSError(403, "AccessDenied", "Only APIs and function URLs answer at this port.")


def bind_api_port() -> list[socket.socket]:
    """Return sockets on the port, or none if this user may not listen there or another program does."""
    try:
        return bind_loopback(PORT)
    except PortError:
        return []


def certificate(folder: Path) -> TLS | None:
    """Return a certificate for the APIs and function URLs of all Regions, from the authority in `folder`. Blocks.

    Returns `None`, and logs why, if it cannot be kept there. Everything else runs without it.
    """
    import boto3

    regions = boto3.Session().get_available_regions("lambda")
    names = [f"*.{kind}.{region}.localhost" for kind in ("execute-api", "lambda-url") for region in regions]
    try:
        return Authority(folder, server="apis").server(names)
    except InputError as error:
        _log.warning("APIs and function URLs do not answer at port %d: %s", PORT, error)
        return None


def apis_alone(endpoint: ASGIApp, port: int) -> ASGIApp:
    """Return an application that passes requests for APIs to `endpoint`, as if they had come to its `port`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and api_host(host_name(hosts[0])):
            await endpoint({**scope, "server": ("127.0.0.1", port)}, receive, send)
        else:
            await send_answer(_OTHERS.answer({}, None), scope, send)

    return app
