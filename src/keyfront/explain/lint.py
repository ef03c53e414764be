"""Check a policy before it is signed: errors that CloudFront would refuse, and input that is rarely meant.

This module makes no decisions. `keyfront.explain` finds what CloudFront refuses, `keyfront.core.policy` and
`keyfront.core.urls` find what a signer refuses, and `keyfront.core.misuse` finds what a signer warns of. This module
combines their results.
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

# Matches the policy's value in a link or a cookie.
_CARRIED = re.compile(r"(?:^|[?&;\s])(?:CloudFront-)?Policy=([^&;\s#]+)")
_ENCODED = re.compile(r"[A-Za-z0-9+/=_~%-]+(?:\s+[A-Za-z0-9+/=_~%-]+)*")
_CANNED = re.compile(r"https?://\S+|(?:CloudFront-)?Expires=\S+")
# The rest of a signed URL: an id of the usual length, and an RSA signature, the longest kind.
_REST: Final = f"Key-Pair-Id=K2JCJMDEHXQW5F&Signature={encoding.encode(bytes(256))}"
_NOWHERE: Final = "https://policy.invalid/"
_UNSENT = re.compile(r"[^\x21-\x7e]")
_STAGES: Final = (Stage.POLICY, Stage.STARTS, Stage.EXPIRES, Stage.ADDRESS)
# A policy may start later. The cautions report what it allows and for how long. The policy itself is always there.
_LEFT_OUT: Final = frozenset(
    {"not-yet-valid", "resource-covers-everything", "resource-covers-host", "long-lived", "policy-missing"}
)
# Refused, but perhaps meant: it starts soon, or it is for a laptop's edge, where viewers have private addresses.
_PERHAPS: Final = frozenset({"clock-is-ahead", "private-address-in-policy"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding about a policy. `docs/findings.md` has a section for its `id`."""

    id: str
    severity: Severity
    """`error`: CloudFront refuses every request with this policy (and URL); `warning`: rarely meant."""
    text: str
    """The evidence, and what to do."""

    @property
    def page(self) -> str:
        """Return the address of keyfront's page about the finding; empty while keyfront is not published."""
        return page_of(self.id)


@dataclass(frozen=True, slots=True)
class Linted:
    """The result of `lint`, errors first."""

    policy: Policy | None
    """`None` if CloudFront could not read it."""
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        """Return the number of errors."""
        return sum(each.severity == "error" for each in self.findings)

    @property
    def warnings(self) -> int:
        """Return the number of warnings."""
        return len(self.findings) - self.errors


def lint(
    text: str, *, now: float, url: str | None = None, ipv6: bool | None = None, max_lifetime: float = MAX_LIFETIME
) -> Linted:
    """Check the policy in `text` at `now` (seconds since the epoch).

    `text` is its JSON, the value of a `Policy` parameter or a `CloudFront-Policy` cookie, or a whole link or cookie
    header with a policy. `url` is a URL that the policy must cover. `ipv6` says whether the distribution has IPv6
    enabled. `max_lifetime` is the longest intended lifetime in seconds. Raises `InputError` if there is no policy in
    `text`, and `URLError` if no viewer can request `url`.
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
    """Return the bytes to sign (empty if they are unknown), and the findings about their encoding."""
    given, encoded = _policy_in(text)
    if not encoded:
        return given.encode("utf-8", "surrogatepass"), []
    try:
        return encoding.decode(unquote(given)), []
    except EncodingError:
        # CloudFront refuses it as it is. The intended policy, if it is readable, may have more errors.
        report = _explained(given, url, now)
        meant = report.policy if report.policy.startswith("{") else ""
        return meant.encode("utf-8", "surrogatepass"), list(_refused(report, url))


def _parsed(data: bytes) -> Policy | None:
    try:
        return Policy.parse(data)
    except PolicyError:
        return None


def _policy_in(text: str) -> tuple[str, bool]:
    """Return the policy, and whether it is encoded."""
    bare = text.strip()
    if not bare:
        raise InputError("there is no policy: the input is empty or only white space")
    if bare[0] in "{[\ufeff":
        return text, False
    if carried := _CARRIED.search(bare):
        return carried[1], True
    if _CANNED.match(bare):
        raise InputError(
            "there is no Policy in it: a link or cookies with Expires have a canned policy, made from the URL; use "
            "keyfront explain"
        )
    return (bare, True) if _ENCODED.fullmatch(bare) else (text, False)


def _explained(encoded: str, url: str | None, now: float) -> Report:
    """Return `explain`'s report on a request with the policy and an unknown signature."""
    return explain(ViewerRequest(_request(encoded, url)), now=now)


def _request(encoded: str, url: str | None) -> str:
    carrier = url or _NOWHERE
    return f"{carrier}{'&' if '?' in carrier else '?'}Policy={quote(encoded, safe='%+/=~')}&{_REST}"


def _refused(report: Report, url: str | None) -> Iterator[Finding]:
    """Yield the report's findings about the policy itself."""
    for each in report.findings:
        if each.id in _LEFT_OUT or (each.stage not in _STAGES and not (url and each.stage is Stage.RESOURCE)):
            continue
        error = each.severity == "error" and each.id not in _PERHAPS
        yield Finding(each.id, "error" if error else "warning", f"{each.evidence} {each.fix}")


def _cautions(policy: Policy, now: float, ipv6: bool | None, max_lifetime: float) -> Iterator[Finding]:
    """Yield the signer's warnings, and a warning for a long lifetime."""
    for caution in cautions.of_resource(policy.resource):
        yield _warning(caution.finding, caution.text)
    if policy.ip is not None:
        for caution in cautions.of_network(policy.ip, ipv6=ipv6):
            yield _warning(caution.finding, caution.text)
    left = policy.expires - now
    if left > max_lifetime:
        fix = RULES["long-lived"].fix
        yield _warning("long-lived", f"It is valid for {span(left)}; the maximum is {span(max_lifetime)}. {fix}")


def _never(policy: Policy, now: float) -> Iterator[Finding]:
    """Yield the signer's error if the policy's times never allow a request."""
    try:
        validity(policy.expires, policy.starts, now)
    except PolicyError as error:
        yield Finding(error.reason, "error", _sentence(str(error)))


def _unasked(resource: str | None, url: str | None) -> Iterator[Finding]:
    """Yield findings for a resource that no viewer's URL matches, or that viewers write in another form."""
    if resource is None:
        return
    try:
        sent = resource_pattern(resource)
    except URLError as error:
        name = "white-space-signed" if _UNSENT.search(resource) and resource.isascii() else "resource-is-no-url"
        # keyfront never signs such a resource, but it may still cover the URL: `ht?ps://…` does.
        opens = url is not None and covers(resource, url)
        yield Finding(name, "warning" if opens else "error", _sentence(str(error)))
        return
    if sent == resource.replace("\\?", "?"):
        return
    text = f"Resource is {_short(resource)}, but viewers send {_short(sent)}. Sign that."
    yield Finding(_differing(resource, sent), "error" if _UNSENT.search(resource) else "warning", text)


def _differing(resource: str, sent: str) -> str:
    """Return the finding's id for the section in which the two differ."""
    written, asked = _sections(resource), _sections(sent)
    if written[0] != asked[0]:
        return "case-differs" if written[0].lower() == asked[0] else "port-differs"
    return "path-encoding-differs" if written[1] != asked[1] else "query-encoding-differs"


def _sections(resource: str) -> tuple[str, str]:
    """Return protocol and domain, and the path."""
    protocol, separator, rest = resource.partition("://")
    domain, slash, path = (rest or protocol).partition("/")
    return f"{protocol}{separator}{domain}", slash + path.partition("?")[0]


def _sizes(data: bytes, url: str | None) -> Iterator[Finding]:
    encoded = encoding.encode(data)
    size = len(_request(encoded, url))
    if size > MAX_URL_BYTES:
        text = f"A signed URL with it has {size:,} bytes, and CloudFront accepts at most {MAX_URL_BYTES:,}: "
        yield Finding("url-too-long", "error", f"{text}shorten the resource with wildcards.")
    for caution in cautions.of_cookie(encoded):
        yield _warning(caution.finding, caution.text)


def _warning(name: str, text: str) -> Finding:
    return Finding(name, "warning", _sentence(text))


def _short(text: str) -> str:
    return ascii(text if len(text) <= 160 else f"{text[:159]}…")


def _sentence(text: str) -> str:
    """Return a signer's message as a sentence. `ip=…` keeps its lower case."""
    begins = text[:1].upper() if text.split()[0].isalpha() else text[:1]
    return f"{begins}{text[1:]}{'' if text.endswith(('.', '…')) else '.'}"
