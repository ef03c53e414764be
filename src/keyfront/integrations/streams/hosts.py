"""Decide which hosts may receive a signature. A manifest is untrusted text, and must not choose them.

A wildcard in a policy's host decides which requests CloudFront lets in. It does not mean that all these hosts may
receive the signature.
"""

import re
from typing import Final
from urllib.parse import urlsplit

_NAMED: Final = re.compile(r"(?P<scheme>[^/:]+)://(?P<host>[^/*?]+)(?=/|\Z)")


def withheld(resource: str, manifest_url: str, url: str) -> str:
    """Return why `url` must not carry the signature for `resource`; empty if it may.

    It may if its host (with the port) is the manifest's own, or if `resource` names that host without a wildcard. The
    signature of a manifest on https goes over plain http only if `resource` begins with `http://`.
    """
    own, asked = urlsplit(manifest_url), urlsplit(url)
    named = _NAMED.match(resource)
    if asked.netloc != own.netloc and (named is None or named["host"] != asked.netloc):
        return (
            f"it is on another host, {asked.netloc}, which the resource does not name without a wildcard: "
            f"only resource='{asked.scheme}://{asked.netloc}/…' sends the signature there"
        )
    if asked.scheme == "http" and own.scheme == "https" and (named is None or named["scheme"] != "http"):
        return "it uses plain http, but the manifest uses https: others on the network could read the signature"
    return ""
