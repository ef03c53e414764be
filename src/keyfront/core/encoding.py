"""CloudFront's form of base64: the standard alphabet with padding, with `+` `=` `/` written as `-` `_` `~`.

Source: Developer Guide, "Creating a signature for a signed URL". It is not RFC 4648 base64url, which writes
`/` as `_` and drops the padding.
"""

import binascii

from keyfront.errors import EncodingError

_TO_URL = bytes.maketrans(b"+=/", b"-_~")
# The standard alphabet's own characters become one that is in neither alphabet.
_FROM_URL = bytes.maketrans(b"-_~+=/", b"+=/!!!")
_ENDINGS = ("", "AQgw", "AEIMQUYcgkosw048")
"""The last characters whose unused bits are zero, before two and before one of padding."""
_FOREIGN = frozenset("+=/")


def encode(data: bytes) -> str:
    """Return `data` in characters that need no escaping in a query string or a cookie."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).decode()


def decode(text: str) -> bytes:
    """Return the bytes that `text` encodes. Raises `EncodingError`.

    It is strict: padding must be there, and the unused bits of the last character must be zero. So each byte string
    has exactly one encoding, and a changed character is always noticed.
    """
    try:
        data = binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise _refused(text, str(error)) from None
    rest = len(data) % 3
    if rest and text[rest - 4] not in _ENDINGS[rest]:
        raise _refused(text, "the last character holds bits that belong to no byte")
    if len(text) != (len(data) + 2) // 3 * 4:
        raise _refused(text, "there is padding after the end")
    return data


def _refused(text: str, why: str) -> EncodingError:
    """Return the error for `text`. The most common mistake is standard base64."""
    found = _FOREIGN.intersection(text)
    if not found:
        return EncodingError(f"not CloudFront's base64: {why}")
    return EncodingError(
        f"{min(found)!r} does not occur in CloudFront's base64: replace '+' by '-', '=' by '_', '/' by '~'",
        reason="standard-base64",
        value=min(found),
    )
