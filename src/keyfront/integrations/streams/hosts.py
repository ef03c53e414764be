"""Which hosts may be sent a signature: a manifest is somebody's text, and must not choose them.

A wildcard in a policy's host says which requests CloudFront lets in. It does not say whom to trust with the signature.
"""

import re
from typing import Final
from urllib.parse import urlsplit

_NAMED: Final = re.compile(r"(?P<scheme>[^/:]+)://(?P<host>[^/*?]+)(?=/|\Z)")


def withheld(resource: str, manifest_url: str, url: str) -> str:
    """Why `url` must not carry the signature for `resource`; nothing if it may.

    It may if its host (port included) is the manifest's own, or stands in `resource` without a wildcard. A signature
    for a manifest on https goes over plain http only if `resource` begins with `http://`.
    """
    own, asked = urlsplit(manifest_url), urlsplit(url)
    named = _NAMED.match(resource)
    if asked.netloc != own.netloc and (named is None or named["host"] != asked.netloc):
        return (
            f"it is on another host, {asked.netloc}, which the resource does not name without a wildcard: "
            f"only resource='{asked.scheme}://{asked.netloc}/…' sends the signature there"
        )
    if asked.scheme == "http" and own.scheme == "https" and (named is None or named["scheme"] != "http"):
        return "it goes over plain http, and the manifest over https: anybody on the way would read the signature"
    return ""
