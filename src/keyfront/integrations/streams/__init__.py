"""Private HLS and MPEG-DASH streams: manifests with signed addresses, or cookies for unchanged manifests."""

from keyfront.integrations.streams.manifests import Left, SignedManifest, sign_manifest, unsigned
from keyfront.integrations.streams.whole import SignedStream, StreamCookies, sign_stream, stream_cookies

__all__ = [
    "Left",
    "SignedManifest",
    "SignedStream",
    "StreamCookies",
    "sign_manifest",
    "sign_stream",
    "stream_cookies",
    "unsigned",
]
