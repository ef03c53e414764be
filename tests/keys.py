"""Keys that tests share: an RSA key takes a tenth of a second to make."""

from functools import cache

from keyfront.core.keys import SigningKey


@cache
def shared_rsa(number: int = 0) -> SigningKey:
    """An RSA key, made once a process. Another number is another key."""
    return SigningKey.generate("rsa")
