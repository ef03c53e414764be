"""The path that a viewer sent, out of what a server hands to an application.

A signature is over the bytes that were sent, and applications are given them decoded. Most servers hand on the
raw path as well; it counts where it says the same as the decoded one. Where there is none, only a path that has one
form alone can be judged (see `SentPath.exact`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from keyfront.errors import KeyfrontError

# RFC 3986, section 2.3: whether an unreserved character was sent encoded makes no difference to anybody who reads it.
_UNRESERVED = re.compile(r"[A-Za-z0-9\-._~/]*")
# Beside those, what viewers send as it stands (URL Standard, path percent-encode set).
_AS_SENT = "/!$&'()*+,;=:@~"
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*")


class RewrittenPathError(KeyfrontError):
    """The raw path and the decoded one name different places: something in between changed one of them."""


@dataclass(frozen=True, slots=True)
class SentPath:
    """A request's path as in the public URL."""

    path: str
    exact: bool
    """Whether it is what the viewer sent. If not, it was decoded and its characters have more than one form: it may
    be told whether it is protected, but no signature can be held against it."""


def sent_path(raw: bytes | None, path: str, mount: str, decode: Callable[[bytes], str]) -> SentPath:
    """The path out of the raw one (absent: `None`), the whole decoded one, and where the application is mounted.

    `decode` makes text of bytes as the server does. A raw path may be an absolute URL, with a query string, and with
    or without `mount`. Raises `RewrittenPathError` when it does not lead to `path`.
    """
    if raw is None:
        return SentPath(quote(path, safe=_AS_SENT, encoding="latin-1"), _UNRESERVED.fullmatch(path) is not None)
    text = _ABSOLUTE.sub("", raw.decode("latin-1"), count=1).partition("?")[0] or "/"
    decoded = decode(unquote_to_bytes(text.encode("latin-1")))
    if decoded == path:
        return SentPath(text, exact=True)
    if mount and mount + decoded == path:
        return SentPath(quote(mount, safe=_AS_SENT) + text, exact=True)
    raise RewrittenPathError(
        "the server's raw path and its decoded path differ: put the middleware outside of whatever rewrites paths"
    )
