"""Resources: the signed URL or pattern does not cover the requested URL."""

from collections.abc import Callable
from dataclasses import replace

from keyfront.core.misuse import covers_everything, covers_host
from keyfront.core.resource import covers, sections
from keyfront.core.s3 import is_s3
from keyfront.explain import hiding
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Stage

_CANNED = "private-content-creating-signed-url-canned-policy.html"
_CUSTOM = "private-content-creating-signed-url-custom-policy.html"


def proof(facts: Facts, name: str) -> Found | None:
    """Return the finding if the signature proves that another URL was signed with a canned policy."""
    if not facts.proved(name) or facts.match is None:
        return None
    signed = f"The signature is for {bare(facts.match.url)}" if facts.match.url else "The signature proves it"
    told = facts.told(name)
    # "X was signed" adds nothing if the text already has X in full.
    more = "" if told == f"{facts.match.url} was signed" else f" ({told})"
    return Found(f"{signed}; the request asks for {bare(facts.url)}{more}.")


def bare(url: str) -> str:
    """Return `url`, or a pattern, as evidence shows it: without query values, and cut at 160 characters."""
    shown = hiding.url(url)
    return shown if len(shown) <= 160 else shown[:157] + "…"


def mismatch(facts: Facts, change: Callable[[str], str]) -> str | None:
    """Return the custom policy's pattern if it covers the URL after `change`, and not before."""
    pattern = facts.resource()
    if pattern is None or not facts.failed("resource"):
        return None
    changed = change(facts.url)
    return pattern if changed != facts.url and covers(pattern, changed) else None


def _other_protocol(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{'http' if scheme == 'https' else 'https'}://{rest}"


def _other_www(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest[4:] if rest.startswith('www.') else f'www.{rest}'}"


@rule(
    "protocol-differs",
    "The link was signed for http and requested with https, or the other way round",
    stage=Stage.RESOURCE,
    looks="CloudFront returns `AccessDenied`. The link has https and the signing code uses http, or a redirect "
    "changed it.",
    cause="The protocol is part of what is signed: an http URL and an https URL are different.",
    fix="Sign the URL with the protocol that viewers use, which is nearly always https. A custom policy can allow "
    "both: *://host/path.",
    recipe="protocol",
    guide=_CANNED,
)
def protocol_differs(facts: Facts) -> Found | None:
    signed = "http" if facts.scheme == "https" else "https"
    title = f"Signed for {signed}://, requested with {facts.scheme}://"
    if found := proof(facts, "protocol-differs"):
        return replace(found, title=title)
    pattern = mismatch(facts, _other_protocol)
    return (
        Found(f"The policy allows {bare(pattern)}; the request asks for {bare(facts.url)}.", title=title)
        if pattern
        else None
    )


@rule(
    "www-differs",
    "The signed and the requested host name differ by www",
    stage=Stage.RESOURCE,
    looks="CloudFront returns `AccessDenied`. The host names differ by `www.`.",
    cause="The exact host name is part of what is signed.",
    fix="Sign the host name that is in the link.",
    recipe="host-name",
    guide=_CANNED,
)
def www_differs(facts: Facts) -> Found | None:
    if found := proof(facts, "www-differs"):
        return found
    pattern = mismatch(facts, _other_www)
    return Found(f"The policy allows {bare(pattern)}; the request asks for {bare(facts.url)}.") if pattern else None


@rule(
    "host-differs",
    "The signed host name is not the requested one",
    stage=Stage.RESOURCE,
    looks="CloudFront returns `AccessDenied`. The signer uses `d….cloudfront.net` and the link uses your own name, or "
    "the other way round.",
    cause="The host name is part of what is signed, even if both names lead to the same distribution.",
    fix="Sign the host name that is in the link. Do not replace it afterwards.",
    recipe="host-name",
    guide=_CANNED,
)
def host_differs(facts: Facts) -> Found | None:
    if found := proof(facts, "host-differs"):
        return found
    pattern = facts.resource()
    if (
        pattern is None
        or not facts.failed("resource")
        or www_differs(facts)
        or origin_host_signed(facts)
        or port_differs(facts)
    ):
        return None
    asked, named = sections(facts.url), sections(pattern)
    if asked is None or named is None or named.domain == asked.domain or "*" in named.domain or "?" in named.domain:
        return None
    scheme = asked.protocol
    swapped = f"{scheme}://{named.domain}{facts.url.removeprefix(f'{scheme}://{asked.domain}')}"
    both = "" if covers(pattern, swapped) or covers(pattern, _other_protocol(swapped)) else " The rest differs as well."
    return Found(f"The policy allows {bare(pattern)}; the request asks for the host {asked.domain}.{both}")


@rule(
    "origin-host-signed",
    "The origin's URL was signed, not the distribution's",
    stage=Stage.RESOURCE,
    looks="The signed host is `….s3.amazonaws.com` or your web server's. CloudFront returns `AccessDenied`.",
    cause="Viewers send requests to CloudFront, so the signed URL must have the distribution's host name. CloudFront "
    "compares it with the viewer's URL, which never contains the origin's name.",
    fix="Sign https://<your distribution's name>/<path>.",
    recipe="origin-host",
    guide=_CANNED,
)
def origin_host_signed(facts: Facts) -> Found | None:
    if found := proof(facts, "origin-host-signed"):
        return found
    pattern = facts.resource()
    named = sections(pattern) if pattern and facts.failed("resource") else None
    if named and (is_s3(named.domain) or named.domain in facts.known_origins):
        return Found(f"The policy allows {bare(pattern or '')}; the request asks for {bare(facts.url)}.")
    return None


@rule(
    "port-differs",
    "The port in the signed URL differs",
    stage=Stage.RESOURCE,
    looks="The signed URL has `:443`, or the link has a port and the signed URL does not.",
    cause="The port is part of the signed host. Viewers leave out the default ports: 443 for https and 80 for http.",
    fix="Sign the URL as viewers send it, without a default port.",
    recipe="resource",
    guide=_CANNED,
)
def port_differs(facts: Facts) -> Found | None:
    if found := proof(facts, "port-differs"):
        return found
    pattern = facts.resource()
    asked, named = sections(facts.url), sections(pattern or "")
    if asked is None or named is None or not facts.failed("resource") or asked.domain == named.domain:
        return None
    if asked.domain.partition(":")[0] != named.domain.partition(":")[0]:
        return None
    return Found(f"The policy allows the host {named.domain}; the request asks for {asked.domain}.")


@rule(
    "resource-is-no-url",
    "The signed resource is not a whole URL",
    stage=Stage.RESOURCE,
    looks="Only the path, the object's key, or the URL without `https://` was signed. CloudFront returns "
    "`AccessDenied`.",
    cause="CloudFront compares the resource with the whole URL: protocol, host, path and query string.",
    fix="Sign https://<host>/<path>.",
    recipe="resource",
    guide=_CANNED,
)
def resource_is_no_url(facts: Facts) -> Found | None:
    if found := proof(facts, "resource-is-no-url"):
        return found
    pattern = facts.resource()
    if pattern is None or not facts.failed("resource") or "://" in pattern or pattern.startswith("*"):
        return None
    return Found(f"Resource is {bare(pattern)!r}.")


@rule(
    "wildcard-in-canned-policy",
    "A wildcard was signed as a canned policy",
    stage=Stage.RESOURCE,
    looks="The signer was given `https://host/folder/*` and the link has `Expires`. CloudFront returns `AccessDenied`.",
    cause="A canned policy allows one URL. CloudFront rebuilds the policy from the requested URL, so * means only "
    "itself. A wildcard needs a custom policy, which is sent as Policy instead of Expires.",
    fix="Sign a custom policy with that resource, and send Policy instead of Expires.",
    recipe="wildcard",
    guide=_CUSTOM,
)
def wildcard_in_canned_policy(facts: Facts) -> Found | None:
    return proof(facts, "wildcard-in-canned-policy")


@rule(
    "resource-does-not-cover",
    "The policy does not cover this URL",
    stage=Stage.RESOURCE,
    fallback=True,
    looks="The signature is right. CloudFront returns `AccessDenied`.",
    cause="The policy's Resource is a pattern that does not match the URL. A * matches only within its section: "
    "protocol, host, path or query string.",
    fix="Sign a resource that covers the URL, such as https://host/folder/*.",
    recipe="wildcard",
    guide=_CUSTOM,
)
def resource_does_not_cover(facts: Facts) -> Found | None:
    if not facts.failed("resource"):
        return None
    return Found(f"The policy allows {bare(facts.resource() or '')}; the request asks for {bare(facts.url)}.")


@rule(
    "resource-covers-everything",
    "The policy allows every file of every distribution that trusts the key",
    stage=Stage.RESOURCE,
    severity="warning",
    looks="`Resource` is missing, `*`, or `http*://*`.",
    cause="Anyone who has this link can change its path and read any other file of every distribution that trusts the "
    "key, until the link expires.",
    fix="Name the host and the folder in Resource.",
    recipe="wildcard",
    guide=_CUSTOM,
)
def resource_covers_everything(facts: Facts) -> Found | None:
    if not facts.custom or facts.policy is None:
        return None
    pattern = facts.policy.resource
    if pattern is None:
        return Found("The policy has no Resource.")
    return Found(f"Resource is {bare(pattern)}.") if covers_everything(pattern) else None


@rule(
    "resource-covers-host",
    "The policy allows every file of its host",
    stage=Stage.RESOURCE,
    severity="note",
    looks="`Resource` is `https://host/*`.",
    cause="Anyone who has this link can change its path and read any other file under a behavior that trusts the key, "
    "until the link expires.",
    fix="Name a folder in Resource, such as one customer's or one film's.",
    recipe="wildcard",
    guide=_CUSTOM,
)
def resource_covers_host(facts: Facts) -> Found | None:
    if not facts.custom or facts.policy is None or covers_everything(facts.policy.resource):
        return None
    pattern = facts.policy.resource
    return Found(f"Resource is {bare(pattern)}.") if pattern and covers_host(pattern) else None
