"""Read a viewer's URL and address, and the trusted keys, for the commands that check a request."""

from pathlib import Path
from typing import TYPE_CHECKING

from keyfront.cli.output import warn
from keyfront.core.key_ids import checked_key_pair_id
from keyfront.core.showing import like_a_key, told
from keyfront.core.urls import shown
from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.core.keys import PublicKey


def as_sent(url: str) -> str:
    """Return `url` as a viewer sends it, without a fragment. Raises `InputError` if no viewer can request it."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in ("http", "https") or not rest:
        raise InputError(f"{shown(url)} is not a URL that a viewer can request: write the whole URL, https://…")
    sent, fragment, _ = url.partition("#")
    if fragment:
        warn("viewers do not send the part after #: it is ignored")
    return sent


def address(ip: str) -> str:
    """Return a viewer's address, or an empty string. Raises `InputError` if it is not an address."""
    if ip:
        import ipaddress

        try:
            ipaddress.ip_address(ip)
        except ValueError:
            from keyfront.core.networks import without_port

            bare = without_port(ip)
            needed = f"it has a port, so write {bare}" if bare else "give the viewer's address, such as 192.0.2.10"
            raise InputError(f"--ip {ip[:60]!a} is not an address: {needed}") from None
    return ip


def text_of(file: Path, what: str) -> str:
    """Return the text in `file`. Raises `InputError`, which names `what` the file should have, if it cannot be read."""
    try:
        return file.read_text("utf-8", "replace")
    except OSError as error:
        raise InputError(f"cannot read {what} from {file}: {error.strerror}") from None


def key_files(entries: list[str]) -> list[tuple[str, Path]]:
    """Return the ids and files of `--trust ID=FILE`. Raises `InputError` for a malformed entry, and shows no key."""
    named = []
    for entry in entries:
        key_id, separator, file = entry.partition("=")
        if not (key_id and separator and file) or like_a_key(key_id):
            raise InputError(
                f"--trust {told(entry)} is not ID=FILE: write the key's id and its file, such as "
                "K2JCJMDEHXQW5F=public_key.pem"
            )
        named.append((checked_key_pair_id(key_id, "the id in --trust"), Path(file)))
    return named


def trusted(entries: list[str]) -> "dict[str, PublicKey]":
    """Return the keys of `--trust ID=FILE` by id. Raises `InputError` for a malformed or repeated entry."""
    from keyfront.cli.secrets import public_key

    keys: dict[str, PublicKey] = {}
    for key_id, file in key_files(entries):
        if key_id in keys:
            raise InputError(f"--trust names {key_id} twice: give one key for each id")
        keys[key_id] = public_key(file)
    return keys
