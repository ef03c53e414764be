"""Hosts whose links only they can resolve: link shorteners and click counters."""

from typing import Final

_SHORT: Final = frozenset(
    ("bit.ly", "t.co", "tinyurl.com", "goo.gl", "ow.ly", "is.gd", "buff.ly", "lnkd.in", "rebrand.ly", "cutt.ly",
     "t.ly", "shorturl.at", "rb.gy", "tiny.cc", "dlvr.it", "trib.al", "aka.ms", "youtu.be", "short.io", "bl.ink")
)  # fmt: skip
_TRACKING: Final = (".sendgrid.net", ".list-manage.com", ".hubspotlinks.com", ".mimecast.com", ".mlsend.com")
"""Ends of the hosts of click counters, whose links only they can resolve."""


def is_short(host: str) -> bool:
    """Return whether `host` is a link shortener's or a click counter's."""
    bare = host.removeprefix("www.")
    return bare in _SHORT or bare.endswith(_TRACKING)
