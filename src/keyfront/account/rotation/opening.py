"""Opens the rotation of a key group with the clients of an account."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from keyfront.account.key_groups import KeyGroup, find_group
from keyfront.account.rotation.account import Account, QuotaError
from keyfront.account.rotation.ledger import BusyError, Ledger
from keyfront.account.rotation.probing import ask, probe_target
from keyfront.account.rotation.rotation import Rotation
from keyfront.errors import RefusedError
from keyfront.keystore import open_writable
from keyfront.keystore.source import Service

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


@contextmanager
def open_rotation(
    cloudfront: "CloudFrontClient",
    connect: Callable[[Service], Any],
    group: str,
    *,
    find_probe_url: Callable[[str], str] | None = None,
    **given: Any,
) -> Iterator[tuple[Rotation, KeyGroup]]:
    """Yield the rotation of a group (an id or a name), and the group. Other processes can go on after the block.

    `connect` makes the clients of other services. `find_probe_url` and the other arguments are those of `Rotation`.
    Raises `InputError` for an unknown group, and `RefusedError` if another process works on the rotation or a quota is
    used up.
    """
    found = find_group(cloudfront, group)
    rotation = Rotation(
        Account(cloudfront),
        Ledger(connect("ssm"), found.id, holder=f"{socket.gethostname()}, process {os.getpid()}"),
        lambda address: open_writable(address, connect=connect),
        ask,
        kms=lambda: connect("kms"),
        find_probe_url=find_probe_url or (lambda group_id: probe_target(cloudfront, group_id)),
        **given,
    )
    try:
        with rotation.working():
            yield rotation, found
    except (BusyError, QuotaError) as error:
        raise RefusedError(str(error)) from None
