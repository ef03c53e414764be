"""What in a log deserves a look. Each notice has a threshold, so that an ordinary day has none."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from keyfront.account.logs.judging import NOT_SIGNED
from keyfront.account.logs.keys import KeyUse
from keyfront.account.logs.refusals import Reason, Top
from keyfront.account.logs.sharing import Sharing

_SOME: Final = 3
"""A single wrong request is somebody's mistake. From three on it is a pattern."""
_MANY: Final = 20
_BOT: Final = 50


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that deserves a look."""

    id: str
    text: str
    todo: str


def notices(
    reasons: Iterable[Reason], sharing: Sharing, uses: Iterable[KeyUse], unsigned_with_cookies: int = 0
) -> list[Notice]:
    """Return the notices, refusals first."""
    by_id = {each.id: each for each in reasons}
    found = [*_refused(by_id), *_unsigned(by_id.get(NOT_SIGNED), unsigned_with_cookies), *_shared(sharing)]
    return [*found, *_keys(uses)]


def _refused(by_id: dict[str, Reason]) -> Iterator[Notice]:
    if (each := by_id.get("expired")) and each.requests >= _MANY:
        links = _counted(each.links, "link")
        yield Notice(
            "expired-links",
            f"{each.requests:,} requests came with {links} that had expired, from {each.networks:,} networks.",
            "Sign when people click, not when a mail or a page is made. If that cannot be, sign for longer.",
        )
    if (each := by_id.get("not-yet-valid")) and each.requests >= _SOME:
        if each.near_start >= each.requests / 2:
            yield Notice(
                "clock-ahead",
                f"{each.requests:,} requests came before their links were valid, mostly by less than ten minutes.",
                "The signer's clock is ahead: fix it (NTP), or leave out the start, or set it some minutes earlier.",
            )
        else:
            yield Notice(
                "opened-early",
                f"{each.requests:,} requests came before their links were valid.",
                "Tell people when the link begins to work, or publish it then.",
            )
    if (each := by_id.get("unknown-key")) and each.requests >= _SOME:
        yield Notice(
            "key-not-trusted",
            f"{each.requests:,} requests named keys that the path does not trust: {_listed(each.keys)}.",
            "A signer still uses a key that was removed, or one of another distribution. Switch it to the present key; "
            "if its links must work, put the key back (keyfront groups add).",
        )
    if (each := by_id.get("signature-mismatch")) and each.requests >= _SOME:
        yield Notice(
            "links-changed",
            f"{each.requests:,} requests did not match their signatures, most of them at {_listed(each.paths)}.",
            "Something changes the links after they are signed. keyfront explain says what, for the sample URL.",
        )
    if (each := by_id.get("resource-mismatch")) and each.requests >= _SOME:
        cookies = each.by_cookie >= each.requests / 2
        yield Notice(
            "cookies-for-another-path" if cookies else "policy-for-another-path",
            f"{each.requests:,} requests came with {'cookies' if cookies else 'links'} for another path, at "
            f"{_listed(each.paths)}.",
            "Sign a pattern that covers these paths, or set the cookies for them as well.",
        )
    if (each := by_id.get("address-mismatch")) and each.requests >= _SOME:
        yield Notice(
            "address-changed",
            f"{each.requests:,} requests came from an address that their policy does not allow.",
            "Viewers change networks, and CloudFront may see them over IPv6: allow a wider range, or no address.",
        )
    broken = [by_id[name] for name in _BROKEN if name in by_id]
    if (number := sum(each.requests for each in broken)) >= _SOME:
        yield Notice(
            "links-broken",
            f"{number:,} requests came with parameters that are missing or cannot be read.",
            "Links are cut off or re-encoded on their way: see keyfront explain for the sample URLs.",
        )


_BROKEN: Final = (
    *("missing-key-pair-id", "missing-policy", "malformed-policy", "missing-signature", "malformed-signature"),
    "unknown-hash-algorithm",
)


def _unsigned(each: Reason | None, with_cookies: int) -> Iterator[Notice]:
    if each is None:
        return
    if with_cookies >= _SOME:
        yield Notice(
            "cookies-not-sent",
            f"{with_cookies:,} requests came unsigned from viewers that send signed cookies for other paths.",
            "The cookies' Path or Domain does not cover these paths: set them for all paths that need them.",
        )
    busiest = each.agents[0] if each.agents else Top("", 0)
    if busiest.requests >= _BOT and len(each.paths) > 1:
        yield Notice(
            "bot",
            f"{busiest.requests:,} unsigned requests came from one program: {busiest.value[:80]}.",
            "It tries protected paths and gets nothing. A WAF rule makes it cheaper.",
        )


def _shared(sharing: Sharing) -> Iterator[Notice]:
    if sharing.shared:
        first = sharing.shared[0]
        yield Notice(
            "link-shared",
            f"More than one person used {_counted(len(sharing.shared), 'signature')}. The most shared one: "
            f"{first.requests:,} requests from {first.networks:,} networks at {first.path[:80]}.",
            "Shorter lives or an address in the policy would stop it: see what each would have stopped.",
        )
    for site in sharing.hot[:3]:
        yield Notice(
            "hot-link",
            f"Pages of {site.referrer[:80]} led {site.networks:,} networks to {_counted(site.links, 'signed link')}.",
            "Sign for minutes, and when the person clicks. A site cannot then publish a link that keeps working.",
        )
    if sharing.long_lived >= _SOME:
        yield Notice(
            "long-lived",
            f"{sharing.long_lived:,} links were valid for more than seven days after their first use.",
            "A signature cannot be revoked: sign for a shorter time (--max-lifetime).",
        )


def _keys(uses: Iterable[KeyUse]) -> Iterator[Notice]:
    sha1 = sum(each.sha1 for each in uses)
    if sha1 and any(each.sha256 for each in uses):
        yield Notice(
            "two-hash-algorithms",
            f"{sha1:,} requests came with SHA-1, and others with SHA-256.",
            "A signer was left out when the others were switched: find it by its key and its paths.",
        )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _listed(values: tuple[Top, ...]) -> str:
    return ", ".join(each.value[:80] for each in values[:3]) or "paths that are not logged"
