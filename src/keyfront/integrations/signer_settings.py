"""Checks the signer that an application's settings name, when the application starts."""

from typing import Final

from keyfront.errors import InputError
from keyfront.keystore.addresses import Address
from keyfront.keystore.document import SignerDocument
from keyfront.keystore.source import Opening

_ON_THIS_MACHINE: Final = ("env", "file")


def check_signer(address: str, key_pair_id: str | None, id_setting: str) -> None:
    """Check the key at `address`. A key on this machine (`file:`, `env:`) is read; no other service is asked.

    `id_setting` names the setting of `key_pair_id` in errors. Raises `InputError` for an address, an id or a key that
    cannot sign, and `ServiceError` if the key is not there or cannot be read.
    """
    where = Address.parse(address)
    source = where.open(Opening(key_pair_id))
    if where.kind not in _ON_THIS_MACHINE:
        return
    text = source.read()
    if key_pair_id is None and not text.lstrip().startswith("{"):
        raise InputError(
            f"{source.name} holds a key without its id, and {id_setting} is not set: "
            "set it to the id that `keyfront keys list` shows (K…)",
            member="key_pair_id",
        )
    SignerDocument.parse(text, source=source.name, key_pair_id=key_pair_id)
