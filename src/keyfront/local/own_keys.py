"""The key pair of this machine, which its folder keeps between runs."""

from pathlib import Path

from keyfront.core.keys import PRIVATE_KEY, SigningKey
from keyfront.errors import KeyLoadError
from keyfront.ownership import check_secret, own_folder


def key_pair(directory: Path) -> SigningKey:
    """Return the key in `directory`. The first start creates it.

    Raises `InputError` if the folder or the key belongs to another user or is open to others, and `KeyLoadError` for a
    damaged key.
    """
    private = own_folder(directory) / PRIVATE_KEY
    if not private.exists():
        key = SigningKey.generate("rsa")
        key.write(directory)
        return key
    check_secret(private)
    try:
        return SigningKey.load(private)
    except KeyLoadError as error:
        raise KeyLoadError(f"{private}: {error}. Move the file away to get a new key pair") from None
