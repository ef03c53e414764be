"""Made-up days of access logs: rows as CloudFront writes them, with real signatures."""

import gzip
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from tests.keys import shared_rsa

from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer
from keyfront.edge.observation.access_log import HEAD
from keyfront.edge.observation.log_fields import FIELDS
from keyfront.inventory import CacheBehavior, Distribution, Inventory, KeyGroup, TrustedKey

NOON: Final = int(datetime(2030, 5, 1, 12, tzinfo=UTC).timestamp())
ID: Final = "K2JCJMDEHXQW5F"
OLD: Final = "K1OLDKEY000000"
OLD_KEY: Final = SigningKey.generate("ecdsa")
DISTRIBUTION: Final = "E1AAAAAAAAAAAA"
DOMAIN: Final = "d111111abcdef8.cloudfront.net"
SITE: Final = f"https://{DOMAIN}"
AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64)"
_SAFE: Final = "!$&()*+,-./:;=?@_"


def account() -> Inventory:
    """An account whose distribution needs signatures, except below /public."""
    behavior = CacheBehavior("*", "origin", trusted_key_groups=("g1",), protected=True)
    return Inventory(
        distributions=(
            Distribution(DISTRIBUTION, DOMAIN, behavior, (CacheBehavior("/public/*", "origin"),)),
        ),
        key_groups={"g1": KeyGroup("g1", "shop-signers", (ID,))},
        keys={
            ID: TrustedKey(ID, "shop-2030", shared_rsa(0).public_key),
            OLD: TrustedKey(OLD, "shop-2029", OLD_KEY.public_key),
        },
    )  # fmt: skip


@cache
def _signer(old: bool, at: int) -> Signer:
    return Signer(OLD, OLD_KEY, clock=lambda: at) if old else Signer(ID, shared_rsa(0), clock=lambda: at)


def sign(path: str, expires: int, *, at: int = NOON, old: bool = False, **more: object) -> str:
    """A signed URL, by a clock that says `at`."""
    return _signer(old, at).sign_url(f"{SITE}{path}", expires=expires, **more)  # type: ignore[arg-type]


@dataclass
class Log:
    """Rows of a log."""

    rows: list[str] = field(default_factory=list)

    def add(
        self,
        url: str,
        at: int,
        status: int = 200,
        *,
        ip: str = "192.0.2.10",
        agent: str = AGENT,
        referrer: str = "https://shop.example/",
        cookie: str = "",
        result: str = "",
        size: int = 5000,
    ) -> None:
        """Add a request that ended at `at`."""
        parts = urlsplit(url)
        when = datetime.fromtimestamp(at, UTC)
        values = dict.fromkeys(FIELDS, "-") | {
            "date": f"{when:%Y-%m-%d}",
            "time": f"{when:%H:%M:%S}",
            "x-edge-location": "FRA56-P1",
            "sc-bytes": str(size),
            "c-ip": ip,
            "cs-method": "GET",
            "cs(Host)": DOMAIN,
            "cs-uri-stem": quote(parts.path, safe=_SAFE),
            "sc-status": f"{status:03d}",
            "cs(Referer)": quote(referrer, safe=_SAFE) or "-",
            "cs(User-Agent)": quote(agent, safe=_SAFE) or "-",
            "cs-uri-query": quote(parts.query, safe=_SAFE) or "-",
            "cs(Cookie)": quote(cookie, safe=_SAFE) or "-",
            "x-edge-result-type": result or ("Error" if status >= 400 else "Hit"),
            "x-edge-request-id": "id==",
            "x-host-header": parts.netloc,
            "cs-protocol": parts.scheme,
            "time-taken": "0.120",
        }
        self.rows.append("\t".join(values.values()) + "\n")

    def write(self, folder: Path, name: str = f"{DISTRIBUTION}.2030-05-01-12.abcd0001.gz") -> Path:
        """Write the rows as CloudFront does."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        data = (HEAD + "".join(self.rows)).encode()
        path.write_bytes(gzip.compress(data, 1) if name.endswith(".gz") else data)
        return path


def clean_day(log: Log) -> None:
    """Sixty people who each download something, some of them from two networks; and the mistakes of every day."""
    chance = random.Random(7)
    for person in range(60):
        at = NOON + person * 60
        url = sign(f"/books/{person % 9}.epub", at + 3600, at=at)
        home, way = f"198.51.{person}.7", f"203.0.{person}.9"
        for part in range(chance.randint(1, 4)):
            log.add(url, at + part * 40 + 2, 206, ip=home)
        if person % 5 == 0:
            log.add(url, at + 900, ip=way)
        if person % 20 == 0:
            log.add(url, at + 4000, 403, ip=home)  # opened a little too late
    log.add(f"{SITE}/books/1.epub", NOON + 5, 403)
    log.add(f"{SITE}/public/robots.txt?Key-Pair-Id=KFORGED&Expires=9999999999&Signature=x", NOON + 9)


Case = Callable[[Log], None]


def _people(number: int, net: str = "10.{}.0.5") -> Iterator[tuple[int, str]]:
    return ((each, net.format(each)) for each in range(number))


def shared_link(log: Log) -> None:
    """One link in a forum that hides referrers: forty networks within an hour."""
    url = sign("/films/1.mp4", NOON + 7200)
    for each, ip in _people(40):
        log.add(url, NOON + each * 60, ip=ip, referrer="")


def expired_mail(log: Log) -> None:
    """A mail with links for an hour, opened the next day."""
    for each, ip in _people(30):
        log.add(sign(f"/mail/{each}.pdf", NOON - 3600, at=NOON - 7200), NOON + each, 403, ip=ip)


def clock_ahead(log: Log) -> None:
    """A signer whose clock is three minutes ahead, and that signs from now on."""
    for each, ip in _people(4):
        at = NOON + each * 600
        url = sign("/books/2.epub", at + 3600, at=at, starts=at + 180)
        log.add(url, at + 1, 403, ip=ip)


def bot(log: Log) -> None:
    """A program that tries paths without a signature."""
    for each in range(60):
        log.add(f"{SITE}/books/{each}.epub", NOON + each, 403, ip="203.0.113.9", agent="EvilBot/1.0")


def wrong_key(log: Log) -> None:
    """A signer that was left behind by a rotation."""
    for each, ip in _people(5):
        log.add(sign("/books/3.epub", NOON + 3600, old=True), NOON + each, 403, ip=ip)


def cookies_for_another_path(log: Log) -> None:
    """Cookies whose policy is for /a, sent to /b."""
    signed = Signer(ID, shared_rsa(0), clock=lambda: NOON).sign_cookies(f"{SITE}/a/*", expires=NOON + 3600)
    cookie = "; ".join(f"{name}={value}" for name, value in signed.items())
    for each in range(4):
        log.add(f"{SITE}/a/{each}.ts", NOON + each, cookie=cookie)
        log.add(f"{SITE}/b/{each}.ts", NOON + each, 403, cookie=cookie)


def cookies_not_sent(log: Log) -> None:
    """A browser that sends its cookies to /a only."""
    signed = Signer(ID, shared_rsa(0), clock=lambda: NOON).sign_cookies(f"{SITE}/*", expires=NOON + 3600)
    cookie = "; ".join(f"{name}={value}" for name, value in signed.items())
    for each in range(4):
        log.add(f"{SITE}/a/{each}.ts", NOON + each, cookie=cookie, ip="192.0.2.77")
        log.add(f"{SITE}/c/{each}.ts", NOON + each, 403, ip="192.0.2.77")


def changed_links(log: Log) -> None:
    """A newsletter tool that adds its own parameter."""
    for each, ip in _people(5):
        log.add(sign("/books/4.epub", NOON + 3600) + "&utm_source=mail", NOON + each, 403, ip=ip)


def changed_address(log: Log) -> None:
    """Links for one address, opened from another."""
    for each, ip in _people(4):
        log.add(sign("/books/5.epub", NOON + 3600, ip="192.0.2.1"), NOON + each, 403, ip=ip)


def hot_link(log: Log) -> None:
    """A blog that shows a picture with somebody's link, over a week."""
    url = sign("/pictures/1.jpg", NOON + 6 * 86400)
    for each, ip in _people(14):
        log.add(url, NOON + each * 30000, ip=ip, referrer="https://blog.example/post")


def long_lived(log: Log) -> None:
    """Links for a year."""
    for each, ip in _people(3):
        log.add(sign(f"/books/{each}.pdf", NOON + 365 * 86400), NOON + each, ip=ip)


def cut_links(log: Log) -> None:
    """Links that a chat program cut off."""
    for each, ip in _people(3):
        log.add(sign("/books/6.epub", NOON + 3600).partition("&Key-Pair-Id")[0], NOON + each, 403, ip=ip)


CASES: Final[Iterable[tuple[Case, str]]] = (
    (shared_link, "link-shared"),
    (expired_mail, "expired-links"),
    (clock_ahead, "clock-ahead"),
    (bot, "bot"),
    (wrong_key, "key-not-trusted"),
    (cookies_for_another_path, "cookies-for-another-path"),
    (cookies_not_sent, "cookies-not-sent"),
    (changed_links, "links-changed"),
    (changed_address, "address-changed"),
    (hot_link, "hot-link"),
    (long_lived, "long-lived"),
    (cut_links, "links-broken"),
)
"""What is planted, and the notice that finds it."""
