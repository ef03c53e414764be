"""`keyfront groups`: CloudFront's key groups, which list the keys that a distribution trusts."""

from typing import TYPE_CHECKING, Annotated

import typer

from keyfront.cli.options import AsJson, Comment, Connection, connects
from keyfront.cli.output import Json, say, show, show_json, table
from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.account.key_groups import KeyGroup

_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_Group = Annotated[str, typer.Argument(metavar="GROUP", help="The key group's id or its name.")]
_KeyId = Annotated[str, typer.Argument(metavar="KEYID", help="The public key's id, K….")]


@_app.command()
@connects
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The group's name, which must be unique.")],
    key_ids: Annotated[
        list[str], typer.Argument(metavar="KEYID", help="The ids of its public keys, K…. At least one.")
    ],
    comment: Comment = "",
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Create a key group of public keys, and print its id.

    A cache behavior trusts the group once it names the group as a trusted key group.

    \b
    Example:
      keyfront groups create shop-signers K2JCJMDEHXQW5F
    """
    from keyfront.account.key_groups import create_group
    from keyfront.cli.cloudfront import cloudfront

    with cloudfront(connection) as client:
        made = create_group(client, name, key_ids, comment)
    if as_json:
        show_json({"id": made.id, "name": name, "keys": list(made.keys)})
    else:
        show(made.id)


@_app.command("list")
@connects
def list_groups(*, connection: Connection, as_json: AsJson = False) -> None:
    """List the key groups and their keys."""
    from keyfront.account.key_groups import key_groups
    from keyfront.cli.cloudfront import cloudfront

    with cloudfront(connection) as client:
        groups = key_groups(client)
    if as_json:
        show_json([_told(group) for group in groups])
    elif groups:
        show(table(("ID", "NAME", "MODIFIED (UTC)", "KEYS"), [_row(group) for group in groups]))
    else:
        say("There are no key groups. Create one: keyfront groups create NAME KEYID")


@_app.command()
@connects
def add(
    group: _Group,
    key_id: _KeyId,
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Add a public key to a key group, so that CloudFront accepts its signatures.

    The change takes some minutes to reach all of Amazon's edge locations. Sign with the key only after that.
    """
    from keyfront.account.key_groups import add_key, find_group
    from keyfront.cli.cloudfront import cloudfront

    with cloudfront(connection) as client:
        found = find_group(client, group)
        name, keys, changed = add_key(client, found.id, key_id)
    text = f"{name} ({found.id}) now has" if changed else f"{key_id} was already in {name} ({found.id}), which has"
    _show_change(found.id, name, keys, changed=changed, text=text, as_json=as_json)


@_app.command()
@connects
def remove(
    group: _Group,
    key_id: _KeyId,
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Remove a public key from a key group. CloudFront then refuses everything that the key signed.

    Wait until the last URL and cookie that it signed have expired, unless the key was stolen. The last key of a group
    cannot be removed.
    """
    from keyfront.account.key_groups import find_group, remove_key
    from keyfront.cli.cloudfront import cloudfront

    with cloudfront(connection) as client:
        found = find_group(client, group)
        name, keys, changed = remove_key(client, found, key_id)
    _show_change(found.id, name, keys, changed=changed, text=f"{name} ({found.id}) now has", as_json=as_json)


@_app.command()
@connects
def delete(
    group: _Group,
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Delete a key group, but not its keys. CloudFront refuses this while a distribution trusts the group."""
    from keyfront.account.key_groups import delete_group, find_group
    from keyfront.cli.cloudfront import cloudfront

    with cloudfront(connection) as client:
        found = find_group(client, group)
        delete_group(client, found)
    if as_json:
        show_json({"id": found.id, "name": found.name, "deleted": True})
    else:
        show(f"Deleted {found.name} ({found.id}).")


@_app.command()
@connects
def trust(
    distribution: Annotated[str, typer.Argument(metavar="DISTRIBUTION", help="The distribution's id, E….")],
    pattern: Annotated[
        str, typer.Argument(metavar="PATTERN", help="The behavior's path pattern, in quotes; '*' is the default one.")
    ],
    groups: Annotated[
        list[str] | None, typer.Argument(metavar="[GROUP]...", help="The key groups to trust, by id or name.")
    ] = None,
    unprotected: Annotated[bool, typer.Option("--open", help="Trust no group: requests need no signature.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the change, and do not make it.")] = False,
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Choose the key groups that a cache behavior trusts, in place of those that it trusts now.

    Prints the difference. The change takes some minutes to reach all of Amazon's edge locations.

    \b
    Examples:
      keyfront groups trust E2QWRUHAPOMQZL '*' shop-signers --dry-run
      keyfront groups trust E2QWRUHAPOMQZL '*' --open
    """
    from keyfront.account.key_groups import find_group
    from keyfront.account.trusted_groups import apply, difference, propose, read_config
    from keyfront.cli.cloudfront import cloudfront

    if bool(groups) == unprotected:
        raise InputError("give the key groups to trust, or --open for a behavior that needs no signature")
    with cloudfront(connection) as client:
        ids = [find_group(client, group).id for group in groups or ()]
        change = propose(distribution, *read_config(client, distribution), pattern, ids)
        if not dry_run and not change.is_none:
            apply(client, change)
    lines = difference(change.before, change.after)
    if as_json:
        made = not dry_run and not change.is_none
        show_json({"distribution": distribution, "pattern": pattern, "groups": ids, "changed": made, "diff": lines})
    elif change.is_none:
        show(f"{pattern} of {distribution} trusts them already." if ids else f"{pattern} of {distribution} is open.")
    else:
        show("\n".join(lines))


def _show_change(group_id: str, name: str, keys: list[str], *, changed: bool, text: str, as_json: bool) -> None:
    if as_json:
        show_json({"id": group_id, "name": name, "keys": list(keys), "changed": changed})
    else:
        show(f"{text} {', '.join(keys)}.")


def _row(group: "KeyGroup") -> tuple[str, ...]:
    return group.id, group.name, group.modified.strftime("%Y-%m-%d %H:%M"), ", ".join(group.keys)


def _told(group: "KeyGroup") -> dict[str, Json]:
    return {
        "id": group.id,
        "name": group.name,
        "comment": group.comment,
        "modified": group.modified.isoformat(),
        "keys": list(group.keys),
    }


def register(app: typer.Typer) -> None:
    """Add `keyfront groups` to the application."""
    app.add_typer(_app, name="groups", help="Manage the key groups that distributions trust.")
