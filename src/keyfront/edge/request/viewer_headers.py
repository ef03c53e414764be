"""Makes the headers that CloudFront adds about a viewer: device, country, address, protocol.

A cache policy that names one adds it to the cache key. Any policy that names one sends it to the origin. A header of
that name from the viewer is ignored. Source: Developer Guide, "Add CloudFront request headers".
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from keyfront.edge.request.geography import Country
from keyfront.edge.request.viewer import Request

PREFIX: Final = "cloudfront-"

# Assumed: Amazon does not publish how it classifies user agents. The guide only says that several headers may be true
# for one viewer, such as a tablet that counts as mobile.
_IOS: Final = re.compile(r"iPhone|iPad|iPod")
_ANDROID: Final = re.compile(r"Android")
_SMART_TV: Final = re.compile(
    r"Smart-?TV|HbbTV|Apple ?TV|GoogleTV|Android ?TV|Roku|BRAVIA|Web0S|AFT[A-Z]", re.IGNORECASE
)
_TABLET: Final = re.compile(r"iPad|Tablet|Kindle|Silk/|PlayBook|Android(?!.*Mobile)")
_MOBILE: Final = re.compile(r"iPhone|iPod|Mobile|BlackBerry|Opera Mini|IEMobile")


def facts(viewer: Request, names: frozenset[str], country_of: Country) -> dict[str, str]:
    """Return those headers of `names` (in lower case) that can be made for `viewer`, with their values.

    An unknown value gets no header, as in the guide for locations. Never known: TLS details and fingerprints, and
    locations other than the country.
    """
    found = ((name, _FACTS[name](viewer, country_of)) for name in names if name in _FACTS)
    return {name: value for name, value in found if value}


def _address(viewer: Request, _: Country) -> str:
    # Assumed, from the guide's IPv4 example: an IPv6 address has no brackets before its port.
    return f"{viewer.ip}:{viewer.port}" if viewer.ip else ""


def _http_version(viewer: Request, _: Country) -> str:
    return viewer.http_version if "." in viewer.http_version else f"{viewer.http_version}.0"


def _agent(is_one: Callable[[str], object]) -> Callable[[Request, Country], str]:
    return lambda viewer, _: "true" if is_one(viewer.header(b"user-agent")) else "false"


def _is_tablet(agent: str) -> bool:
    return bool(_TABLET.search(agent)) and not _SMART_TV.search(agent)


def _is_mobile(agent: str) -> bool:
    return bool(_MOBILE.search(agent)) and not _SMART_TV.search(agent)


def _is_desktop(agent: str) -> bool:
    return not (_SMART_TV.search(agent) or _TABLET.search(agent) or _MOBILE.search(agent))


_FACTS: Final[Mapping[str, Callable[[Request, Country], str]]] = {
    "cloudfront-forwarded-proto": lambda viewer, _: viewer.scheme,
    "cloudfront-viewer-address": _address,
    "cloudfront-viewer-country": lambda viewer, country_of: country_of(viewer.ip),
    "cloudfront-viewer-http-version": _http_version,
    "cloudfront-is-android-viewer": _agent(_ANDROID.search),
    "cloudfront-is-desktop-viewer": _agent(_is_desktop),
    "cloudfront-is-ios-viewer": _agent(_IOS.search),
    "cloudfront-is-mobile-viewer": _agent(_is_mobile),
    "cloudfront-is-smarttv-viewer": _agent(_SMART_TV.search),
    "cloudfront-is-tablet-viewer": _agent(_is_tablet),
}
