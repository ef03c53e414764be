"""Find the path that a viewer sent, from the values that a server gives to an application.

A signature covers the bytes that were sent, but applications get the decoded path. Most servers also give the raw path,
which is used if it agrees with the decoded one. Without a raw path, only a path with a single encoded form can be
checked (see `SentPath.exact`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from keyfront.errors import KeyfrontError

# RFC 3986, section 2.3: an unreserved character means the same, encoded or not.
_UNRESERVED = re.compile(r"[A-Za-z0-9\-._~/]*")
# Other characters that viewers send unencoded (URL Standard, path percent-encode set).
_AS_SENT = "/!$&'()*+,;=:@~"
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*")


class RewrittenPathError(KeyfrontError):
    """The raw path and the decoded path disagree, because something in front has rewritten one of them."""


@dataclass(frozen=True, slots=True)
class SentPath:
    """A request's path, as in the public URL."""

    path: str
    exact: bool
    """Whether the viewer sent exactly this. If not, it was decoded, and its characters have more than one encoded form.
    Whether it is protected may still be known, but no signature can be checked against it."""


def sent_path(raw: bytes | None, path: str, mount: str, decode: Callable[[bytes], str]) -> SentPath:
    """Return the path that was sent, from the raw path (or `None`), the whole decoded `path` and the mount point.

    `decode` turns bytes into text as the server does. The raw path may be an absolute URL, with a query string, and
    with or without `mount`. Raises `RewrittenPathError` if it does not decode to `path`.
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
        "the server's raw path and its decoded path differ: put the middleware outside the part that rewrites paths"
    )
