"""Who shares links: signatures that opened something from more networks than one person has."""

import math
from dataclasses import dataclass
from typing import Final

from keyfront.account.logs.engine import Engine

COLUMNS: Final = (
    *("hour", "distribution", "path", "network", "country", "agent", "referrer", "credentials", "key_pair_id", "bytes"),
    *("expires", "link", "maybe_refused", "allowed"),
)

_NETWORKS_AT_ONCE: Final = 1.5
"""How many networks one person has in an hour, on average: at home, and on the way. Assumed."""
_NETWORKS_A_DAY: Final = 3.0
"""How many more come with each day of a link's life. Assumed."""
_COUNTRY: Final = 2.0
"""How much each further country within an hour adds. Assumed: a VPN explains one now and then."""
LIKELY_SHARED: Final = 4.0
"""From this surprise on a link counts as shared: one in ten thousand persons would have so many networks."""


@dataclass(frozen=True, slots=True)
class SharedLink:
    """A signature that was used from several networks. Times are seconds since the epoch."""

    link: str
    """A hash of the signature, which opens nothing."""
    key_pair_id: str
    distribution: str
    credentials: str
    path: str
    expires: int | None
    networks: int
    requests: int
    bytes: int
    first_seen: int
    last_seen: int
    past_expiry: int
    from_other_networks: int
    networks_in_an_hour: int
    countries_in_an_hour: int
    countries: int
    agents: int

    @property
    def surprise(self) -> float:
        """Return how unlikely one person is: the digits of the odds against it."""
        days = (self.last_seen - self.first_seen) / 86400
        whole = surprise(self.networks, _NETWORKS_AT_ONCE + _NETWORKS_A_DAY * days)
        hour = surprise(self.networks_in_an_hour, _NETWORKS_AT_ONCE)
        return max(whole, hour) + _COUNTRY * max(0, self.countries_in_an_hour - 1)


@dataclass(frozen=True, slots=True)
class Lives:
    """What shorter lives of links, or an address in the policy, would have stopped. Numbers of requests."""

    links: int
    requests: int
    after_1_hour: int
    after_6_hours: int
    after_1_day: int
    from_other_networks: int
    past_expiry: int
    """Downloads that ended after the expiry: they began before it, so CloudFront finishes them."""


@dataclass(frozen=True, slots=True)
class HotLink:
    """A site that leads many networks to few links."""

    referrer: str
    requests: int
    links: int
    networks: int

    @property
    def networks_per_link(self) -> float:
        """Return how many networks came for each link."""
        return self.networks / self.links if self.links else 0.0


@dataclass(frozen=True, slots=True)
class Sharing:
    """The answer of `keyfront logs sharing`."""

    shared: tuple[SharedLink, ...]
    lives: Lives
    sites: tuple[HotLink, ...]
    long_lived: int
    """Links that were valid for more than seven days after their first use."""

    @property
    def hot(self) -> tuple[HotLink, ...]:
        """Return the sites whose links are used by many: at least three networks for each link, and ten in all."""
        return tuple(each for each in self.sites if each.networks >= 10 and each.networks_per_link >= 3)


def surprise(networks: int, expected: float) -> float:
    """Return -log10 of the probability that a person has at least `networks`, if `expected` are usual (Poisson).

    Never negative, and greater for more networks. One network surprises nobody.
    """
    if networks <= 1:
        return 0.0
    # The first network is certain; the others come by chance.
    more, mean = networks - 1, max(expected - 1.0, 0.01)
    first = more * math.log(mean) - mean - math.lgamma(more + 1)
    # The tail's terms fall by mean / k, so a sum of ratios is exact enough and never underflows.
    ratio, total, k = 1.0, 1.0, more
    while ratio > 1e-12 and k < more + 10_000:
        k += 1
        ratio *= mean / k
        total += ratio
    return max(0.0, -(first + math.log(total)) / math.log(10))


def sharing(engine: Engine, most: int = 20) -> Sharing:
    """Return the shared links, the least likely first, and what would have stopped it."""
    engine.rows("CREATE TABLE IF NOT EXISTS visited AS SELECT * FROM visits")
    engine.rows("CREATE OR REPLACE VIEW visits AS SELECT * FROM visited")
    links = engine.records(
        SharedLink,
        "SELECT * FROM links WHERE networks >= 2 "
        "ORDER BY networks_in_an_hour + 2 * countries_in_an_hour + networks DESC, link LIMIT 10000",
    )
    shared = sorted(
        (each for each in links if each.surprise >= LIKELY_SHARED), key=lambda each: (-each.surprise, each.link)
    )
    (lives,) = engine.records(Lives, "SELECT * FROM lives")
    sites = engine.records(HotLink, "SELECT * FROM referrers ORDER BY networks DESC, 1 LIMIT 50")
    ((long_lived,),) = engine.rows("SELECT count(*) FROM links WHERE expires - first_seen > 7 * 86400")
    return Sharing(tuple(shared[:most]), lives, tuple(sites), long_lived if isinstance(long_lived, int) else 0)
