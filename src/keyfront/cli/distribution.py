"""Read the distribution that `--distribution` names: from a file, or from the account."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from keyfront.cli.asked import text_of
from keyfront.cli.options import Connection
from keyfront.cli.output import warn
from keyfront.errors import InputError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

    from keyfront.explain import Distribution
    from keyfront.inventory import Inventory


def distribution(given: str, connection: Connection) -> "Distribution | None":
    """Return the distribution in the file or with the id or name `given`; `None` for an empty text.

    Raises `InputError` if there is none. What the user may not read is not known then, and a warning says so.
    """
    if not given:
        return None
    from keyfront.explain import from_inventory
    from keyfront.inventory import parse_distribution

    file = Path(given)
    if file.suffix == ".json" or file.is_file():
        import json

        text = text_of(file, "the distribution")
        try:
            document = json.loads(text)
        except ValueError:
            raise InputError(f"--distribution {given}: this file is not JSON") from None
        if not isinstance(document, dict):
            raise InputError(f"--distribution {given}: this file contains no distribution")
        return from_inventory(parse_distribution(document))
    account, unread = _account(given, connection)
    for each in account.distributions:
        if given == each.id or given.lower() in (each.domain_name.lower(), *(name.lower() for name in each.aliases)):
            # Without the groups or the keys, an empty list would look as if no key were trusted.
            return from_inventory(each, None if unread & {"ListKeyGroups", "ListPublicKeys"} else account)
    known = ", ".join(each.id for each in account.distributions) or "none"
    raise InputError(
        f"--distribution {given}: there is no such distribution in the account (it has {known}), and no such file"
    )


def _account(given: str, connection: Connection) -> "tuple[Inventory, set[str]]":
    """Return the account, and the operations that the user may not use. What they would tell is then not known."""
    from keyfront.account.api_errors import code_of
    from keyfront.cli.cloudfront import cloudfront
    from keyfront.inventory import parse_distribution, read

    unread: set[str] = set()

    def refused(error: "ClientError") -> bool:
        if code_of(error) not in ("AccessDenied", "AccessDeniedException"):
            return False
        unread.add(error.operation_name)
        return True

    with cloudfront(connection) as client:
        account = read(client, refused=refused)
        if "ListDistributions" in unread and re.fullmatch(r"E[A-Z0-9]{9,}", given):
            found = parse_distribution(client.get_distribution(Id=given))
            account = replace(account, distributions=(found,))
    if unread:
        actions = ", ".join(f"cloudfront:{each}" for each in sorted(unread))
        warn(f"not allowed to read all of the account (this needs {actions}): the report goes on without that")
    return account, unread
