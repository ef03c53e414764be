"""Open the signer for a command: a private key's file and its id, or the address of a key store."""

import os
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
        help="The public key's id in CloudFront (K…), as `keys upload` printed it. A document at --signer has its own "
        "id. Default: KEYFRONT_KEY_PAIR_ID.",
    ),
]
PrivateKey = Annotated[
    Path | None,
    typer.Option(
        "--private-key",
        metavar="FILE",
        help="The private key in any PEM form; - reads standard input. Default: KEYFRONT_PRIVATE_KEY, a path.",
    ),
]
SignerAddress = Annotated[
    str | None,
    typer.Option(
        "--signer",
        metavar="ADDRESS",
        help="The address of the key, instead of --private-key: for example ssm:/NAME, kms:alias/NAME or file:PATH. "
        "Default: KEYFRONT_SIGNER.",
    ),
]
CheckKey = Annotated[
    bool,
    typer.Option(
        "--check",
        help="With --signer: first check that CloudFront has this key under its id (cloudfront:GetPublicKey).",
    ),
]
Hash = Annotated[
    Literal["sha1", "sha256"] | None,
    typer.Option(
        "--hash",
        case_sensitive=False,
        help="The hash algorithm (default: sha1); sha256 adds Hash-Algorithm to the URL or the cookies. A document at "
        "--signer has its own.",
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
    """Return the signer for the options, or for the environment where an option is not given.

    Raises `InputError` unless there is exactly one, and another `KeyfrontError` if its key cannot be read.
    """
    if address is None and private_key is None:
        address = os.environ.get("KEYFRONT_SIGNER") or None
        private_key = Path(path) if (path := os.environ.get("KEYFRONT_PRIVATE_KEY")) else None
    key_id = key_id or os.environ.get("KEYFRONT_KEY_PAIR_ID") or None
    if (address is None) == (private_key is None):
        raise InputError(
            "give either --private-key FILE with --key-id, or --signer ADDRESS (ssm:/shop/signing-key, kms:alias/shop "
            "with --key-id, …); or set one of KEYFRONT_PRIVATE_KEY and KEYFRONT_SIGNER"
        )
    if address is not None:
        if passphrase_file is not None or hash_name is not None:
            raise InputError("--passphrase-file and --hash need --private-key: a document at --signer has its own")
        return _stored(address, key_id, check=check)
    assert private_key is not None
    if check:
        raise InputError("--check needs --signer: give a document with the key and its id (file:signer.json)")
    if key_id is None:
        raise InputError("--private-key needs --key-id: give the public key's id in CloudFront (K…)")
    from keyfront.cli.secrets import signing_key
    from keyfront.core.signing import Signer

    key = signing_key(private_key, passphrase_file)
    return Signer(key_id, key, "SHA256" if hash_name == "sha256" else "SHA1")


def _stored(address: str, key_id: str | None, *, check: bool) -> "Signer":
    from keyfront.keystore import CloudFrontCheck, open_keystore

    with needs("aws"):
        return open_keystore(address, key_id, check=CloudFrontCheck() if check else None).signer()
