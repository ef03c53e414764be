"""Paths: another path was signed than the one that is requested."""

from keyfront.core.resource import covers, sections
from keyfront.explain import neighbours
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.rules.resource import bare, proof
from keyfront.explain.values import Stage

_CANNED = "private-content-creating-signed-url-canned-policy.html"
_CUSTOM = "private-content-creating-signed-url-custom-policy.html"


def _path(url: str) -> str:
    """Return the path of a URL or of a pattern without wildcards."""
    _, slash, rest = url.partition("://")[2].partition("?")[0].partition("/")
    return slash + rest


def _site(url: str) -> str:
    return url[: len(url) - len(url.partition("://")[2].partition("/")[2])].rstrip("/")


def _plain_pattern(facts: Facts) -> str:
    """Return the custom policy's Resource if it has no wildcard and does not cover the URL of the same host."""
    pattern = facts.resource() or ""
    if not facts.failed("resource") or "*" in pattern or "?" in pattern:
        return ""
    asked, named = sections(facts.url), sections(pattern)
    return pattern if asked and named and asked.domain == named.domain and asked.protocol == named.protocol else ""


@rule(
    "folder-without-wildcard",
    "A folder was signed without the * after it",
    stage=Stage.RESOURCE,
    looks="The signer was given `https://host/folder/` (or `/folder`), and the files in it are refused with "
    "`AccessDenied`.",
    cause="A signature covers the URLs that its policy names. A folder's URL names the folder alone, not the files in "
    "it. A * needs a custom policy.",
    fix="Sign https://host/folder/* with a custom policy, which is sent as Policy instead of Expires.",
    recipe="wildcard",
    guide=_CUSTOM,
)
def folder_without_wildcard(facts: Facts) -> Found | None:
    found = proof(facts, "folder-without-wildcard")
    signed = facts.match.url if found and facts.match else _plain_pattern(facts)
    folder = _path(signed).rstrip("/")
    if not signed or not facts.path.startswith(f"{folder}/") or (not found and facts.path.rstrip("/") == folder):
        return None
    if not found and folder.rpartition("/")[2].count("."):
        return None  # The pattern names a file.
    what = "The cookies are" if facts.by_cookies else "The link is"
    kind = "custom" if facts.custom else "canned"
    return Found(
        f"{what} a {kind} policy for {bare(signed)} alone; the request asks for {bare(facts.url)}.",
        fix=f"Sign {bare(_site(signed) + folder)}/* with a custom policy, which is sent as Policy instead of Expires.",
    )


@rule(
    "signed-for-another-file",
    "The signature is for another file of the stream",
    stage=Stage.RESOURCE,
    looks="The playlist opens, and its segments are refused with `AccessDenied`. The player appends the playlist's "
    "query string to each segment.",
    cause="A stream has many files: playlists, segments, keys. A canned policy opens one URL, so a playlist's "
    "signature opens no segment.",
    fix="Set signed cookies with a custom policy for https://host/folder/*, or put a signature of that policy on each "
    "URL in the playlist.",
    recipe="wildcard",
    guide=_CUSTOM,
)
def signed_for_another_file(facts: Facts) -> Found | None:
    if found := proof(facts, "signed-for-another-file"):
        return found
    name = facts.path.rpartition("/")[2]
    if not facts.path.lower().endswith(neighbours.STREAMED):
        return None
    if pattern := _plain_pattern(facts):
        folder = _path(pattern).rpartition("/")[0]
        if _path(pattern).lower().endswith(neighbours.STREAMED) and facts.path.startswith(f"{folder}/"):
            return Found(f"The policy allows {bare(pattern)} alone; the request asks for {bare(facts.url)}.")
        return None
    if facts.custom or not facts.failed("signature") or facts.match is not None or name.endswith(".mp4"):
        return None
    if facts.reason("signature") != "signature-mismatch":
        return None
    return Found(
        f"{name} is a part of a stream, and its URL was not signed: {facts.search.tries:,} other forms were tried. "
        "Usually the signature is that of the stream's playlist.",
        "likely",
        title="The signature is probably that of another file of the stream",
    )


@rule(
    "path-rewritten",
    "The path was signed before a rewrite, or with a prefix",
    stage=Stage.RESOURCE,
    looks="The signed path has a folder less or more than the requested one (`/film.mp4` and `/members/film.mp4`), or "
    "`index.html` is added. CloudFront returns `AccessDenied`.",
    cause="CloudFront checks the path that the viewer sends. A rewrite by a proxy before it changes that path. The "
    "origin's path, a bucket's folder and a function's rewrite come after the check, and do not belong into the signed "
    "URL.",
    fix="Sign the path exactly as viewers request it.",
    recipe="resource",
    guide=_CANNED,
)
def path_rewritten(facts: Facts) -> Found | None:
    if found := proof(facts, "path-rewritten"):
        return found
    pattern = facts.resource()
    if pattern is None or not facts.failed("resource") or folder_without_wildcard(facts):
        return None
    asked = facts.url.partition("?")[1] + facts.url.partition("?")[2]
    site = facts.url[: facts.url.index(facts.host) + len(facts.host)] if facts.host in facts.url else ""
    paths = (path for _, path in neighbours.rewritten(facts.path, facts.prefixes))
    if not any(covers(pattern, f"{site}{path}{asked}") for path in paths):
        return None
    return Found(f"The policy allows {bare(pattern)}; the request asks for {bare(facts.url)}.", "likely")
