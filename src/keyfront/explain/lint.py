"""A policy judged before it is signed: what CloudFront would refuse in it, and what is seldom meant.

Nothing is judged here. `keyfront.explain` says what is refused, `keyfront.core.policy` and `keyfront.core.urls` say it
as a signer does, and `keyfront.core.misuse` knows what a signer warns of; this room puts their answers together.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote, unquote

from keyfront.core import encoding
from keyfront.core import misuse as cautions
from keyfront.core.misuse import MAX_LIFETIME
from keyfront.core.policy import Policy, validity
from keyfront.core.resource import covers
from keyfront.core.urls import MAX_URL_BYTES, resource_pattern, viewer_url
from keyfront.core.verification import ViewerRequest
from keyfront.errors import EncodingError, InputError, PolicyError, URLError
from keyfront.explain import Report, Stage, explain
from keyfront.explain.rules import RULES
from keyfront.explain.times import span
from keyfront.explain.values import page_of

Severity = Literal["error", "warning"]

# A link or a cookie that carries the policy, wherever it stands: the value is taken.
_CARRIED = re.compile(r"(?:^|[?&;\s])(?:CloudFront-)?Policy=([^&;\s#]+)")
_ENCODED = re.compile(r"[A-Za-z0-9+/=_~%-]+(?:\s+[A-Za-z0-9+/=_~%-]+)*")
_CANNED = re.compile(r"https?://\S+|(?:CloudFront-)?Expires=\S+")
# What else a signed URL carries: an id of the usual length, and a signature as RSA makes it, the longest there is.
_REST: Final = f"Key-Pair-Id=K2JCJMDEHXQW5F&Signature={encoding.encode(bytes(256))}"
_NOWHERE: Final = "https://policy.invalid/"
_UNSENT = re.compile(r"[^\x21-\x7e]")
_STAGES: Final = (Stage.POLICY, Stage.STARTS, Stage.EXPIRES, Stage.ADDRESS)
# A policy may well begin later; what it opens, and for how long, is a caution's to say; nothing is missing here but it.
_LEFT_OUT: Final = frozenset(
    {"not-yet-valid", "resource-covers-everything", "resource-covers-host", "long-lived", "policy-missing"}
)
# Refused, and meant perhaps: it begins in a moment, or it is for a laptop's edge, where private networks are viewers.
_PERHAPS: Final = frozenset({"clock-is-ahead", "private-address-in-policy"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a policy. `id` has a section in `docs/findings.md`."""

    id: str
    severity: Severity
    """`error`: CloudFront refuses every request with this policy (with this URL); `warning`: seldom meant."""
    text: str
    """What was seen, and what to do."""

    @property
    def page(self) -> str:
        """Where our own documentation tells it in full; empty as long as it is published nowhere."""
        return page_of(self.id)


@dataclass(frozen=True, slots=True)
class Linted:
    """What was found, errors first."""

    policy: Policy | None
    """`None` when CloudFront could not read it."""
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(each.severity == "error" for each in self.findings)

    @property
    def warnings(self) -> int:
        """How many findings are warnings."""
        return len(self.findings) - self.errors


def lint(
    text: str, *, now: float, url: str | None = None, ipv6: bool | None = None, max_lifetime: float = MAX_LIFETIME
) -> Linted:
    """What is wrong at `now` (seconds since the epoch) with the policy in `text`.

    `text` is its JSON, the value of a `Policy` parameter or a `CloudFront-Policy` cookie, or a whole link or cookie
    header that carries one. `url`: a URL that it has to cover. `ipv6`: whether the distribution answers over IPv6.
    `max_lifetime`: the longest life that is meant, in seconds. Raises `InputError` if there is no policy in `text`, and
    `URLError` for a `url` that no viewer asks for.
    """
    asked = None if url is None else viewer_url(url)
    data, outside = _decoded(text, asked, now)
    if not data:
        return Linted(None, tuple(outside))
    found = {each.id: each for each in outside}
    policy = _parsed(data)
    if policy is not None:
        found |= {each.id: each for each in _cautions(policy, now, ipv6, max_lifetime)}
        found |= {each.id: each for each in _sizes(data, asked)}
    for each in _refused(_explained(encoding.encode(data), asked, now), asked):
        if each.severity == "error" or each.id not in found:
            found[each.id] = each
    if policy is not None:
        found |= {each.id: each for each in _never(policy, now) if each.id in found}
        found |= {each.id: each for each in _unasked(policy.resource, asked)}
    return Linted(policy, tuple(sorted(found.values(), key=lambda each: each.severity)))


def _decoded(text: str, url: str | None, now: float) -> tuple[bytes, list[Finding]]:
    """The bytes that are to be signed (none where they cannot be told), and what is wrong with their encoding."""
    given, encoded = _policy_in(text)
    if not encoded:
        return given.encode("utf-8", "surrogatepass"), []
    try:
        return encoding.decode(unquote(given)), []
    except EncodingError:
        # It is refused as it is. What was meant, if that can be read, may have faults of its own.
        report = _explained(given, url, now)
        meant = report.policy if report.policy.startswith("{") else ""
        return meant.encode("utf-8", "surrogatepass"), list(_refused(report, url))


def _parsed(data: bytes) -> Policy | None:
    try:
        return Policy.parse(data)
    except PolicyError:
        return None


def _policy_in(text: str) -> tuple[str, bool]:
    """The policy, and whether it is encoded."""
    bare = text.strip()
    if not bare:
        raise InputError("there is no policy: nothing but white space was given")
    if bare[0] in "{[\ufeff":
        return text, False
    if carried := _CARRIED.search(bare):
        return carried[1], True
    if _CANNED.match(bare):
        raise InputError(
            "there is no Policy in it: a link or cookies with Expires have a canned policy, made from the URL; "
            "ask keyfront explain"
        )
    return (bare, True) if _ENCODED.fullmatch(bare) else (text, False)


def _explained(encoded: str, url: str | None, now: float) -> Report:
    """What `explain` says of a request that carries the policy, signed by nobody that is known."""
    return explain(ViewerRequest(_request(encoded, url)), now=now)


def _request(encoded: str, url: str | None) -> str:
    carrier = url or _NOWHERE
    return f"{carrier}{'&' if '?' in carrier else '?'}Policy={quote(encoded, safe='%+/=~')}&{_REST}"


def _refused(report: Report, url: str | None) -> Iterator[Finding]:
    """What the report says about the policy alone."""
    for each in report.findings:
        if each.id in _LEFT_OUT or (each.stage not in _STAGES and not (url and each.stage is Stage.RESOURCE)):
            continue
        error = each.severity == "error" and each.id not in _PERHAPS
        yield Finding(each.id, "error" if error else "warning", f"{each.evidence} {each.fix}")


def _cautions(policy: Policy, now: float, ipv6: bool | None, max_lifetime: float) -> Iterator[Finding]:
    """What a signer warns of, and the life that it would have to be told twice."""
    for caution in cautions.of_resource(policy.resource):
        yield _warning(caution.finding, caution.text)
    if policy.ip is not None:
        for caution in cautions.of_network(policy.ip, ipv6=ipv6):
            yield _warning(caution.finding, caution.text)
    left = policy.expires - now
    if left > max_lifetime:
        fix = RULES["long-lived"].fix
        yield _warning("long-lived", f"It lasts for {span(left)}, and {span(max_lifetime)} is the most. {fix}")


def _never(policy: Policy, now: float) -> Iterator[Finding]:
    """Times between which nobody is let in, as a signer says it; where the report found them, too."""
    try:
        validity(policy.expires, policy.starts, now)
    except PolicyError as error:
        yield Finding(error.reason, "error", _sentence(str(error)))


def _unasked(resource: str | None, url: str | None) -> Iterator[Finding]:
    """A resource that no viewer's URL fits, or that viewers write in another way."""
    if resource is None:
        return
    try:
        sent = resource_pattern(resource)
    except URLError as error:
        name = "white-space-signed" if _UNSENT.search(resource) and resource.isascii() else "resource-is-no-url"
        # No signer of ours makes it, and yet it may open what was asked: `ht?ps://…` does.
        opens = url is not None and covers(resource, url)
        yield Finding(name, "warning" if opens else "error", _sentence(str(error)))
        return
    if sent == resource.replace("\\?", "?"):
        return
    text = f"Resource is {_short(resource)}, and viewers write it {_short(sent)}: sign that."
    yield Finding(_differing(resource, sent), "error" if _UNSENT.search(resource) else "warning", text)


def _differing(resource: str, sent: str) -> str:
    """The id for the section in which they differ."""
    written, asked = _sections(resource), _sections(sent)
    if written[0] != asked[0]:
        return "case-differs" if written[0].lower() == asked[0] else "port-differs"
    return "path-encoding-differs" if written[1] != asked[1] else "query-encoding-differs"


def _sections(resource: str) -> tuple[str, str]:
    """Protocol and domain, and the path."""
    protocol, separator, rest = resource.partition("://")
    domain, slash, path = (rest or protocol).partition("/")
    return f"{protocol}{separator}{domain}", slash + path.partition("?")[0]


def _sizes(data: bytes, url: str | None) -> Iterator[Finding]:
    encoded = encoding.encode(data)
    size = len(_request(encoded, url))
    if size > MAX_URL_BYTES:
        text = f"A signed URL with it has {size:,} bytes, and CloudFront answers at most {MAX_URL_BYTES:,}: "
        yield Finding("url-too-long", "error", f"{text}shorten the resource, with wildcards.")
    for caution in cautions.of_cookie(encoded):
        yield _warning(caution.finding, caution.text)


def _warning(name: str, text: str) -> Finding:
    return Finding(name, "warning", _sentence(text))


def _short(text: str) -> str:
    return ascii(text if len(text) <= 160 else f"{text[:159]}…")


def _sentence(text: str) -> str:
    """What a signer says, as a sentence; `ip=…` keeps its small letter."""
    begins = text[:1].upper() if text.split()[0].isalpha() else text[:1]
    return f"{begins}{text[1:]}{'' if text.endswith(('.', '…')) else '.'}"
