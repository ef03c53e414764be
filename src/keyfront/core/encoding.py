"""CloudFront's form of base64: the standard alphabet, padded, with `+` `=` `/` written `-` `_` `~`.

Source: Developer Guide, "Creating a signature for a signed URL". It is not RFC 4648 base64url, which writes
`/` as `_` and drops the padding.
"""

import binascii

from keyfront.errors import EncodingError

_TO_URL = bytes.maketrans(b"+=/", b"-_~")
_FROM_URL = bytes.maketrans(b"-_~", b"+=/")
_FOREIGN = frozenset("+=/")


def encode(data: bytes) -> str:
    """`data` in characters that travel unescaped in a query string and in a cookie."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).decode()


def decode(text: str) -> bytes:
    """The bytes behind `text`, or `EncodingError`.

    Strict: padding must be there, and the unused bits of the last character must be zero, so that exactly one
    text stands for any bytes and a changed character is always noticed.
    """
    try:
        data = binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise _refused(text, str(error)) from None
    if encode(data) != text:
        raise _refused(text, "the last character holds bits that belong to no byte")
    return data


def _refused(text: str, why: str) -> EncodingError:
    """The error for `text`. Standard base64 is the form that is most often taken for CloudFront's."""
    found = _FOREIGN.intersection(text)
    if not found:
        return EncodingError(f"not CloudFront's base64: {why}")
    return EncodingError(
        f"{min(found)!r} does not occur in CloudFront's base64: replace '+' by '-', '=' by '_', '/' by '~'",
        reason="standard-base64",
        value=min(found),
    )
