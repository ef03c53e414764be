"""`keyfront keys`: key pairs on this machine, and public keys in CloudFront."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from keyfront.cli.options import AsJson, Comment, Connection, connects
from keyfront.cli.output import Json, say, show, show_json, table
from keyfront.cli.storing import store

if TYPE_CHECKING:
    from keyfront.account.key_groups import KeyGroup, UploadedKey

_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@_app.command()
def generate(
    key_type: Annotated[
        Literal["rsa", "ecdsa"],
        typer.Option(
            "--type",
            case_sensitive=False,
            help="RSA 2048, or ECDSA P-256 with shorter URLs and thirty times faster signing.",
        ),
    ] = "rsa",
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The folder for both files; created if missing.")
    ] = Path(),
    passphrase_file: Annotated[
        Path | None,
        typer.Option("--passphrase-file", metavar="FILE", help="Encrypt the private key with the first line of FILE."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key pair: private_key.pem, which only you can read, and public_key.pem.

    Never overwrites a file. The formats are the same as openssl's (PKCS#8 and SubjectPublicKeyInfo in PEM).

    \b
    Example:
      keyfront keys generate --type ecdsa --out keys
    """
    from keyfront.cli.secrets import passphrase_in
    from keyfront.core.keys import SigningKey

    passphrase = None if passphrase_file is None else passphrase_in(passphrase_file)
    key = SigningKey.generate(key_type)
    private, public = key.write(out, passphrase)
    if as_json:
        show_json(
            {
                "private_key": str(private),
                "public_key": str(public),
                "type": key.algorithm,
                "fingerprint": key.public_key.fingerprint,
            }
        )
        return
    show(f"{private}  keep it secret: anyone who has it can sign")
    show(f"{public}  {key.public_key.fingerprint}")
    say(f"Next: keyfront keys upload {public} --name NAME")


@_app.command()
@connects
def upload(
    public_key: Annotated[Path, typer.Argument(metavar="PUBLIC.pem", help="The file with the public key.")],
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="The key's name in CloudFront, which must be unique.")
    ],
    comment: Comment = "",
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Upload a public key to CloudFront, and print its id.

    The key is checked before it is sent. A private key is never sent.

    \b
    Example:
      KEY_ID=$(keyfront keys upload public_key.pem --name shop-2030)
    """
    from keyfront.account.public_keys import upload_key
    from keyfront.cli import secrets
    from keyfront.cli.cloudfront import cloudfront

    key = secrets.public_key(public_key)
    with cloudfront(connection) as client:
        key_id = upload_key(client, key, name, comment)
    if as_json:
        show_json({"id": key_id, "name": name, "type": key.algorithm, "fingerprint": key.fingerprint})
    else:
        show(key_id)


@_app.command("list")
@connects
def list_keys(*, connection: Connection, as_json: AsJson = False) -> None:
    """List the public keys in CloudFront, with the key groups of each."""
    from keyfront.account.key_groups import key_groups, public_keys
    from keyfront.cli.cloudfront import cloudfront

    with cloudfront(connection) as client:
        keys = list(public_keys(client))
        groups = key_groups(client)
    if as_json:
        show_json([_told(key, groups) for key in keys])
    elif keys:
        show(
            table(
                ("ID", "NAME", "TYPE", "FINGERPRINT", "CREATED (UTC)", "KEY GROUPS"),
                [_row(key, groups) for key in keys],
            )
        )
    else:
        say("There are no public keys. Upload one: keyfront keys upload public_key.pem --name NAME")


@_app.command()
@connects
def delete(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The public key's id, K….")],
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Delete a public key from CloudFront. CloudFront refuses this while the key is in a key group."""
    from keyfront.account.public_keys import delete_key
    from keyfront.cli.cloudfront import cloudfront

    with cloudfront(connection) as client:
        delete_key(client, key_id)
    if as_json:
        show_json({"id": key_id, "deleted": True})
    else:
        show(f"Deleted {key_id}.")


_app.command()(store)


def _row(key: "UploadedKey", groups: "list[KeyGroup]") -> tuple[str, ...]:
    holders = ", ".join(group.name for group in groups if key.id in group.keys)
    created = key.created.strftime("%Y-%m-%d %H:%M") if key.created else "-"
    return key.id, key.name, key.algorithm, key.fingerprint[:19] or "-", created, holders or "-"


def _told(key: "UploadedKey", groups: "list[KeyGroup]") -> dict[str, Json]:
    return {
        "id": key.id,
        "name": key.name,
        "comment": key.comment,
        "type": key.algorithm,
        "fingerprint": key.fingerprint,
        "created": key.created.isoformat() if key.created else None,
        "key_groups": [{"id": group.id, "name": group.name} for group in groups if key.id in group.keys],
    }


def register(app: typer.Typer) -> None:
    """Add `keyfront keys` to the application."""
    app.add_typer(_app, name="keys", help="Make key pairs, and manage the public keys in CloudFront.")
