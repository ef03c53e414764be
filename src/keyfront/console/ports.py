"""The console's port: the one that is given, or a usual one, or any that is free."""

import socket
from typing import Final

from keyfront.web.serving import PortError, bind_loopback

USUAL: Final = 4567


def bind_console(port: int | None, usual: int, option: str) -> list[socket.socket]:
    """Return sockets on `port`; if it is `None`, on `usual` (0: any free port), or on any free port if that is taken.

    `option` is what a person can change. Raises `PortError` if a given port is taken.
    """
    if port is not None:
        return bind_loopback(port, option=f"another with {option}")
    try:
        return bind_loopback(usual)
    except PortError:
        return bind_loopback(0)
