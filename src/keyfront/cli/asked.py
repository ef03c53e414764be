"""What is typed of a viewer's request, and of whom it may trust: for the commands that judge one."""

from pathlib import Path
from typing import TYPE_CHECKING

from keyfront.cli.output import warn
from keyfront.core.showing import like_a_key, told
from keyfront.core.urls import shown
from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.core.keys import PublicKey


def as_sent(url: str) -> str:
    """`url` as a viewer sends it, without a fragment. Raises `InputError` for what no viewer asks for."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in ("http", "https") or not rest:
        raise InputError(f"{shown(url)} is no URL that a viewer asks for: write https://… in full")
    sent, fragment, _ = url.partition("#")
    if fragment:
        warn("viewers do not send what follows #: it is left out")
    return sent


def address(ip: str) -> str:
    """A viewer's address, or an empty text. Raises `InputError`."""
    if ip:
        import ipaddress

        try:
            ipaddress.ip_address(ip)
        except ValueError:
            raise InputError(f"--ip {ip} is no address: give the viewer's own, such as 192.0.2.10") from None
    return ip


def trusted(entries: list[str]) -> "dict[str, PublicKey]":
    """The keys of `--trust ID=FILE`, by their ids. Raises `InputError`."""
    from keyfront.cli.secrets import public_key

    keys: dict[str, PublicKey] = {}
    for entry in entries:
        key_id, separator, file = entry.partition("=")
        if not (key_id and separator and file) or like_a_key(key_id):
            raise InputError(
                f"--trust {told(entry)}: write the key's id and its file, such as K2JCJMDEHXQW5F=public_key.pem"
            )
        if key_id in keys:
            raise InputError(f"--trust names {key_id} twice: each id stands for one key")
        keys[key_id] = public_key(Path(file))
    return keys
