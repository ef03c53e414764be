"""The signer that a command line names: a private key's file with its id, or the address of a key store."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from keyfront.cli.extras import needs
from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.core.signing import Signer

KeyId = Annotated[
    str | None,
    typer.Option(
        "--key-id",
        metavar="ID",
        help="The public key's id in CloudFront (K…), as `keys upload` printed it. A document at --signer has its own.",
    ),
]
PrivateKey = Annotated[
    Path | None,
    typer.Option(
        "--private-key", metavar="FILE", help="The private key in PEM, any form of it; - reads standard input."
    ),
]
SignerAddress = Annotated[
    str | None,
    typer.Option(
        "--signer",
        metavar="ADDRESS",
        help="In place of --private-key, where the key lives, such as ssm:/NAME, kms:alias/NAME or file:PATH.",
    ),
]
CheckKey = Annotated[
    bool,
    typer.Option(
        "--check",
        help="With --signer: ask CloudFront first whether it has this key under its id (cloudfront:GetPublicKey).",
    ),
]
Hash = Annotated[
    Literal["sha1", "sha256"] | None,
    typer.Option(
        "--hash",
        case_sensitive=False,
        help="What is signed with: sha1 if not given; sha256 adds Hash-Algorithm to the URL or the cookies. "
        "A document at --signer has its own.",
    ),
]


def open_signer(
    address: str | None,
    key_id: str | None,
    private_key: Path | None,
    passphrase_file: Path | None,
    hash_name: Literal["sha1", "sha256"] | None,
    *,
    check: bool = False,
) -> "Signer":
    """The signer that the options name. Raises `InputError` unless exactly one is named, and a `KeyfrontError`."""
    if (address is None) == (private_key is None):
        raise InputError(
            "give the private key in one way: --private-key FILE with --key-id, or --signer ADDRESS "
            "(ssm:/shop/signing-key, kms:alias/shop with --key-id, …)"
        )
    if address is not None:
        if passphrase_file is not None or hash_name is not None:
            raise InputError("--passphrase-file and --hash go with --private-key: a document at --signer has its own")
        return _stored(address, key_id, check=check)
    assert private_key is not None
    if check:
        raise InputError("--check goes with --signer; a document (file:signer.json) holds key and id together")
    if key_id is None:
        raise InputError("--private-key does not say which public key CloudFront has: give --key-id as well (K…)")
    from keyfront.cli.secrets import signing_key
    from keyfront.core.signing import Signer

    key = signing_key(private_key, passphrase_file)
    return Signer(key_id, key, "SHA256" if hash_name == "sha256" else "SHA1")


def _stored(address: str, key_id: str | None, *, check: bool) -> "Signer":
    from keyfront.keystore import CloudFrontCheck, open_keystore

    with needs("aws"):
        return open_keystore(address, key_id, check=CloudFrontCheck() if check else None).signer()
