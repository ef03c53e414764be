"""Makes the cache key of a request, and the request that the origin gets.

Sources: Developer Guide, "HTTP request headers and CloudFront behavior", "Control the cache key with a policy",
"Cache content based on query string parameters" and "… on cookies".
"""

from typing import Final

from keyfront.core.verification import without_signing_parameters
from keyfront.edge.behaviors import Behavior
from keyfront.edge.cache.objects import CacheKey
from keyfront.edge.cache_rules import CacheRules
from keyfront.edge.configuration import Distribution
from keyfront.edge.request.viewer import Request
from keyfront.edge.request.viewer_headers import PREFIX
from keyfront.edge.response.compression import accepted
from keyfront.edge.response.pages import Headers
from keyfront.inventory import Selection

# Headers about the connection, and headers that only CloudFront may set. The viewer's are never sent.
_NEVER_SENT: Final = frozenset(
    {b"connection", b"content-length", b"cookie", b"expect", b"host", b"keep-alive", b"te", b"trailer", b"upgrade"}
    | {b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"transfer-encoding", b"user-agent"}
    | {b"via", b"x-amz-cf-id", b"x-forwarded-for", b"x-forwarded-proto", b"x-real-ip", b"http2-settings"}
)
_NEVER_SENT_PREFIXES: Final = (b"x-edge-", PREFIX.encode("ascii"))
# Legacy settings send these only if they name them (the guide's table).
_LEGACY_NAMED_ONLY: Final = frozenset(
    {b"accept", b"accept-charset", b"accept-encoding", b"accept-language", b"referer", b"x-http-method-override"}
)
# Headers that policies send without naming them. Only Host, User-Agent, Via and X-Amz-Cf-Id are documented; the
# headers that describe a body, ask for a part or validate a copy are assumed.
_POLICY_UNNAMED: Final = frozenset(
    {b"content-type", b"content-md5", b"content-encoding", b"content-language", b"content-disposition"}
    | {b"range", b"if-range", b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since"}
)


def own_query(request: Request, behavior: Behavior) -> str:
    """Return the query string, without the signing parameters if the behavior is protected."""
    return without_signing_parameters(request.query) if behavior.keys is not None and request.query else request.query


def cache_key(distribution: Distribution, rules: CacheRules, request: Request, path: str, query: str) -> CacheKey:
    """Return the cache key of a request under the behavior's policy or legacy settings."""
    counted = select_query(query, rules.key_query) if query else ""
    method = "OPTIONS" if request.method == "OPTIONS" else ""
    encoding = (rules.encodings and accepted(request, rules)) or ""
    if rules.key_cookies.mode == rules.key_headers.mode == "none":
        return CacheKey(distribution.id, path, counted, method, "", (), encoding)
    headers = tuple(f"{name}:{_counted(request, name)}" for name in sorted(rules.key_headers.names))
    cookies = select_cookies(request.header(b"cookie"), rules.key_cookies)
    return CacheKey(distribution.id, path, counted, method, cookies, headers, encoding)


def select_query(query: str, selection: Selection) -> str:
    """Return the selected parameters of `query`, in their order and unchanged."""
    if selection.mode == "all":
        return query
    if selection.mode == "none" or not query:
        return ""
    return "&".join(part for part in query.split("&") if part.partition("=")[0] in selection)


def select_cookies(header: str, selection: Selection) -> str:
    """Return the selected cookies, sorted by name as CloudFront sends them. Legacy names may end in `*`."""
    if selection.mode == "none" or not header:
        return ""
    pairs = [part.strip() for part in header.split(";") if part.strip()]
    chosen = [pair for pair in pairs if _is_chosen(pair.partition("=")[0], selection)]
    return "; ".join(sorted(chosen, key=lambda pair: pair.partition("=")[0]))


def origin_headers(request: Request, rules: CacheRules, *, via: bytes, s3: bool) -> Headers:
    """Return the headers for the origin, without Host and without the origin's custom headers.

    A request to S3 gets none of the viewer's `x-amz-…` headers: they would change its meaning, and would have to be
    signed.
    """
    sent: Headers = []
    if rules.encodings and (encoding := accepted(request, rules)):
        sent.append((b"accept-encoding", encoding.encode("ascii")))
    for name, value in request.headers:
        if name in _NEVER_SENT or name.startswith(_NEVER_SENT_PREFIXES) or (s3 and name.startswith(b"x-amz-")):
            continue
        if rules.encodings and name == b"accept-encoding":
            continue
        if name.decode("latin-1") in rules.sent_headers or _unnamed(name, request.method, rules):
            sent.append((name, value))
    if cookies := select_cookies(request.header(b"cookie"), rules.sent_cookies):
        sent.append((b"cookie", cookies.encode("latin-1")))
    agent = request.fields.get(b"user-agent") if "user-agent" in rules.sent_headers else b"Amazon CloudFront"
    if agent is not None:
        sent.append((b"user-agent", agent))
    sent.append((b"x-forwarded-for", _appended(request.fields.get(b"x-forwarded-for"), request.ip.encode("ascii"))))
    sent.append((b"via", _appended(request.fields.get(b"via"), via)))
    sent.append((b"x-amz-cf-id", request.id))
    sent += [(name.encode("ascii"), value.encode("latin-1")) for name, value in request.made.items()]
    return sent


def _counted(request: Request, name: str) -> str:
    """Return a header's value for the cache key. For CloudFront's own headers it is the edge's, never the viewer's."""
    return request.made.get(name, "") if name.startswith(PREFIX) else request.header(name.encode("latin-1"))


def _unnamed(name: bytes, method: str, rules: CacheRules) -> bool:
    """Return whether a header goes to the origin without being named in a setting."""
    if not rules.legacy:
        return name in _POLICY_UNNAMED
    if name == b"authorization":
        return method not in ("GET", "HEAD", "OPTIONS")
    return name not in _LEGACY_NAMED_ONLY


def _is_chosen(name: str, selection: Selection) -> bool:
    if name in selection:
        return True
    return selection.mode == "some" and any(
        name.startswith(each[:-1]) for each in selection.names if each.endswith("*")
    )


def _appended(before: bytes | None, value: bytes) -> bytes:
    return before + b", " + value if before else value
