"""Browsers: what they leave out of a request, although a page or a person would expect it.

Sources: Fetch standard ("CORS-preflight fetch", "credentials mode"), HTML standard ("CORS settings attributes"),
RFC 6265bis (SameSite), and the Fetch Metadata headers (`Sec-Fetch-…`), which browsers add themselves.
"""

import re

from keyfront.explain import hiding
from keyfront.explain.facts import Facts
from keyfront.explain.functions import name, viewer_request
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Stage

_PAGE = "private-content-signed-cookies.html"
_COOKIE = re.compile(r"CloudFront-(?:Policy|Expires|Signature|Key-Pair-Id)\s*[=:]", re.IGNORECASE)


def _bare(facts: Facts) -> bool:
    """Return whether CloudFront gets no signature with the request, and wants one as far as is known."""
    if facts.public or (facts.pasted is not None and facts.pasted.lost):
        return False
    return not facts.given or facts.kept_back


def _sent(facts: Facts) -> bool:
    """Return whether the request has a Cookie header, as far as CloudFront's answer does not say otherwise."""
    return bool(facts.cookies) and not facts.kept_back


def _is_preflight(facts: Facts) -> bool:
    return facts.method == "OPTIONS" and "access-control-request-method" in facts.headers


def _hidden_in(facts: Facts) -> str:
    """Return the header that has CloudFront's cookies, if it is not Cookie."""
    own = (name for name, value in facts.headers.items() if name != "cookie" and _COOKIE.search(f"{name}={value}"))
    return next(own, "")


@rule(
    "preflight-without-cookies",
    "This is a browser's preflight, which never has cookies",
    stage=Stage.CREDENTIALS,
    looks="The request is OPTIONS with `Access-Control-Request-Method`. CloudFront returns `MissingKey`, and the "
    "browser does not send the real request.",
    cause="Before some requests to another origin, a browser asks with OPTIONS whether they are allowed. It never "
    "sends cookies with that question. A behavior that allows OPTIONS and requires a signature refuses it, and none of "
    "its functions runs.",
    fix="Avoid what makes the browser ask: headers of your own, and methods other than GET, HEAD and POST. Or answer "
    "OPTIONS before the signature check, in a web server in front or a behavior without key groups. Or sign the query "
    "string instead of cookies.",
    recipe="sign-url",
    guide=_PAGE,
)
def preflight_without_cookies(facts: Facts) -> Found | None:
    if not _bare(facts) or not _is_preflight(facts):
        return None
    wants = facts.headers["access-control-request-method"]
    asked = [hiding.name(each.strip()) for each in facts.headers.get("access-control-request-headers", "").split(",")]
    names = ", ".join(each for each in asked if each)
    cause = f"the header{'s' if ',' in names else ''} {names}" if names else f"the method {hiding.name(wants)}"
    function = viewer_request(facts.behavior)
    never = f" The function {name(function)} of this behavior never sees it: the check comes first." if function else ""
    return Found(
        f"The method is OPTIONS, with Access-Control-Request-Method: {hiding.name(wants)}. The browser asks because of "
        f"{cause}.{never}",
        title="This is a browser's preflight, and CloudFront refuses it before the function can answer"
        if function
        else "",
        fix=f"Avoid what makes the browser ask, here {cause}. Or answer OPTIONS before the signature check, in a web "
        "server or a behavior without key groups. Or sign the query string, which the question has as well.",
    )


@rule(
    "cookies-in-another-header",
    "The signed cookies are in a header that CloudFront does not read",
    stage=Stage.CREDENTIALS,
    looks="The request has CloudFront's cookies in `X-Cookie`, `Cookies`, `Authorization` or a header of its own. "
    "CloudFront returns `MissingKey`.",
    cause="CloudFront reads signed cookies from the Cookie header only. A script may not set that header; the browser "
    "adds it for cookies that a response has set. A header of your own also makes the browser ask with a preflight.",
    fix="Set the cookies with Set-Cookie. In the script, only ask for credentials: fetch(url, { credentials: 'include' "
    "}), or xhr.withCredentials = true. Remove the header, and nothing else is needed.",
    recipe="cookie-domain",
    guide=_PAGE,
)
def cookies_in_another_header(facts: Facts) -> Found | None:
    name = _hidden_in(facts)
    if not name or not _bare(facts):
        return None
    return Found(f"The header {'-'.join(part.capitalize() for part in name.split('-'))} has CloudFront's cookies.")


@rule(
    "credentials-not-included",
    "The page's request does not send cookies to another origin",
    stage=Stage.CREDENTIALS,
    looks="The request has `Origin` or `Sec-Fetch-Mode: cors` and no Cookie header, though the browser has the "
    "cookies. CloudFront returns `MissingKey`.",
    cause="For another origin, also another subdomain, fetch() and XMLHttpRequest leave cookies out unless the script "
    'asks for them. An element with crossorigin (or crossorigin="anonymous") leaves them out as well.',
    fix="Use fetch(url, { credentials: 'include' }), xhr.withCredentials = true, or your player's option for it. Let "
    "CloudFront answer with Access-Control-Allow-Credentials: true and the exact origin, not *.",
    recipe="cookie-domain",
    guide=_PAGE,
)
def credentials_not_included(facts: Facts) -> Found | None:
    if not _bare(facts) or _sent(facts) or _is_preflight(facts) or _hidden_in(facts):
        return None
    if cookies_not_recorded(facts) or not _is_cors(facts):
        return None
    kind = facts.headers.get("sec-fetch-dest", "")
    origin = facts.headers.get("origin", "")
    named = f"Origin is {hiding.url(origin)}" if origin else "Sec-Fetch-Mode is cors"
    seen = f"{named}; the request asks for {facts.host}, without a Cookie header"
    if kind in ("video", "audio", "track", "image", "font", "script", "style"):
        return Found(
            f"{seen}. Sec-Fetch-Dest is {kind}.",
            "likely",
            title=f"An element with crossorigin does not send cookies ({kind})",
            fix='Remove the attribute crossorigin, or write crossorigin="use-credentials". Let CloudFront answer with '
            "Access-Control-Allow-Credentials: true and the exact origin, not *.",
        )
    if kind == "serviceworker" or "service-worker" in facts.headers:
        return Found(
            f"{seen}. The request comes from a service worker.",
            "likely",
            title="A service worker's request does not send cookies",
            fix="In the service worker, pass the page's own request on: fetch(event.request), or fetch(url, "
            "{ credentials: 'include' }). Or do not handle these URLs in it.",
        )
    return Found(f"{seen}.", "likely")


def _is_cors(facts: Facts) -> bool:
    origin, site = facts.headers.get("origin", ""), facts.headers.get("sec-fetch-site", "")
    if site in ("same-origin", "none"):
        return False
    if facts.headers.get("sec-fetch-mode") == "cors":
        return True
    return origin not in ("", f"{facts.scheme}://{facts.host}") and "sec-fetch-mode" not in facts.headers


@rule(
    "cookie-same-site",
    "The browser keeps the cookies back on another site (SameSite, third-party cookies)",
    stage=Stage.CREDENTIALS,
    looks="The files open in their own tab, and not inside a page of another site. CloudFront returns `MissingKey`.",
    cause="A cookie with SameSite=Lax or Strict, or without SameSite, is not sent with the files of a page on another "
    "site. Lax is sent only when a person follows a link. Browsers that block third-party cookies keep back even "
    "SameSite=None.",
    fix="Serve page and files under one site (www.example.com and media.example.com), and set the cookies with "
    "Domain=example.com. Otherwise use SameSite=None with Secure, or signed URLs for browsers that block such cookies.",
    recipe="cookie-domain",
    guide=_PAGE,
)
def cookie_same_site(facts: Facts) -> Found | None:
    if facts.headers.get("sec-fetch-site") != "cross-site" or facts.public:
        return None
    same_site = facts.attributes.get("samesite", "").lower()
    if facts.attributes and same_site in ("", "lax", "strict"):
        told = f"SameSite={same_site.capitalize()}" if same_site else "no SameSite, which means Lax"
        return Found(f"The cookies are set with {told}, and Sec-Fetch-Site is cross-site.")
    if not _bare(facts) or _sent(facts) or _is_cors(facts) or _hidden_in(facts) or cookies_not_recorded(facts):
        return None
    return Found("Sec-Fetch-Site is cross-site, and the request has no Cookie header.", "likely")


@rule(
    "cookies-not-recorded",
    "The cookies are missing from the recording",
    stage=Stage.CREDENTIALS,
    looks="The request has no signature, but CloudFront's answer is not `MissingKey`. A HAR file has no Cookie header.",
    cause="Without a signature, CloudFront answers `MissingKey`. Any other code shows that it got a key-pair id. "
    "Browsers leave cookies out when they save a HAR file or copy a request, because they are secret.",
    fix="Save the HAR file with sensitive data (Chrome: the arrow beside the download button), or give the cookies "
    "with --cookie.",
    recipe="sign-cookies",
    guide=_PAGE,
)
def cookies_not_recorded(facts: Facts) -> Found | None:
    response = facts.response
    if not _bare(facts) or response is None or response.kind != "viewer-check" or response.code in ("", "MissingKey"):
        return None
    return Found(f"CloudFront returned {response.shown}; the request that was given has no key-pair id.", "likely")
