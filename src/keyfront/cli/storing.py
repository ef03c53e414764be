"""`keyfront keys store`: store a signing key where signers read it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from keyfront.cli.options import AsJson, Connection, PassphraseFile, connects
from keyfront.cli.output import show, show_json
from keyfront.errors import InputError, KeyLoadError

if TYPE_CHECKING:
    from keyfront.core.keys import SigningKey
    from keyfront.keystore import SignerDocument, WritableSource


@connects
def store(
    address: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS",
            help="The address that signers will use, such as ssm:/NAME, secretsmanager:NAME or file:PATH.",
        ),
    ],
    key_id: Annotated[str, typer.Option("--key-id", metavar="ID", help="The public key's id in CloudFront (K…).")],
    private_key: Annotated[
        Path | None,
        typer.Option("--private-key", metavar="FILE", help="The private key in PEM; - reads standard input."),
    ] = None,
    kms_key: Annotated[
        str | None,
        typer.Option(
            "--kms-key", metavar="KEY", help="The KMS key that signs, instead of --private-key: id, ARN or alias/NAME."
        ),
    ] = None,
    hash_name: Annotated[
        Literal["sha1", "sha256"] | None,
        typer.Option(
            "--hash", case_sensitive=False, help="The signers' hash algorithm. Default: sha1, or sha256 with a KMS key."
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Replace the document even if it has another key. Links of that key may be refused at once.",
        ),
    ] = False,
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Store a signing key where signers read it.

    One document has the id, the key and the hash algorithm. An encrypted key is stored decrypted. SSM and Secrets
    Manager encrypt it, and only you can read a file. To replace the key of a running service, use `keyfront rotate`:
    no request is refused during the rotation.

    \b
    Examples:
      keyfront keys store ssm:/shop/signing-key --key-id K2JCJMDEHXQW5F --private-key keys/private_key.pem
      keyfront keys store ssm:/shop/signing-key --key-id K2JCJMDEHXQW5F --kms-key alias/shop
    """
    from keyfront.cli.cloudfront import aws
    from keyfront.cli.extras import needs
    from keyfront.cli.secrets import signing_key
    from keyfront.core.signing import Signer
    from keyfront.keystore import KMSKey, KMSReference, SignerDocument, open_writable

    if (private_key is None) == (kms_key is None):
        raise InputError("give either --private-key FILE or --kms-key KEY")
    with needs("aws"):
        source = open_writable(address, connect=lambda service: aws(service, connection))
        if kms_key is None:
            assert private_key is not None
            key = signing_key(private_key, passphrase_file)
            kept: SigningKey | KMSReference = key
            signer = Signer(key_id, key, "SHA256" if hash_name == "sha256" else "SHA1")
        elif hash_name == "sha1":
            raise InputError("KMS cannot sign SHA-1: leave --hash out")
        else:
            signer = Signer(key_id, KMSKey(kms_key, aws("kms", connection)), "SHA256")
            kept = KMSReference(kms_key)
        there = None if replace else _there(source, key_id)
        SignerDocument(key_id, kept, signer.hash_algorithm, there.version if there else 0).save(source)
    fingerprint = signer.key.public_key.fingerprint
    if as_json:
        told = {"signer": address, "key_pair_id": key_id, "hash": signer.hash_algorithm, "fingerprint": fingerprint}
        show_json({**told})
    else:
        show(f"{source.name} now signs as {key_id}: {fingerprint}, {signer.hash_algorithm}")


def _there(source: "WritableSource", key_id: str) -> "SignerDocument | None":
    """Return the document to replace. Raises `InputError` for another key's document and for other text."""
    from keyfront.keystore import SignerDocument

    try:
        there = SignerDocument.load(source)
    except KeyLoadError as error:
        raise InputError(f"{source.name} has other content, which --replace overwrites: {error}") from None
    if there is not None and there.key_pair_id != key_id:
        raise InputError(
            f"{source.name} has the key {there.key_pair_id}: use `keyfront rotate`, which keeps its links valid, or "
            "--replace to replace it at once"
        )
    return there
