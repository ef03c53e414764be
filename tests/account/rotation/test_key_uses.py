"""A rotation that waits for what access logs show: under load, on a quiet site, and when the old key is missed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.account.logs.days import Log
from tests.account.rotation.conftest import KEY, LAG, SIGNER, URL

from keyfront.account.logs.analysis import Options, read_logs
from keyfront.account.logs.evidence import KeyEvidence, evidence
from keyfront.account.logs.values import Window
from keyfront.account.rotation import Account, Done, Ledger, NewKey, Phase, Plan, Rotation, State, Wait
from keyfront.account.rotation.key_uses import may_delete, may_remove
from keyfront.core.keys import PublicKey
from keyfront.core.signing import Signer
from keyfront.core.verification import ViewerRequest, verify
from keyfront.errors import InputError
from keyfront.keystore import SignerDocument, open_writable

if TYPE_CHECKING:
    from tests.account.rotation.conftest import World

LIFE = 600
TTL = 60


@dataclass
class Load:
    """Signers with a cached document, and viewers who open each link at once and again just before its expiry."""

    world: World
    folder: Path
    log: Log
    cached: tuple[float, SignerDocument] | None = None
    links: list[tuple[int, str]] | None = None
    refused: int = 0
    keys: dict[str, PublicKey] = field(default_factory=dict)

    def second(self) -> None:
        """What happens in this second."""
        now = self.world.clock.now
        if self.cached is None or now - self.cached[0] > TTL / 2:
            self.cached = now, self.world.document
        document = self.cached[1]
        links = self.links = self.links or []
        if int(now) % 20 == 0:
            key = document.open(lambda: self.world.kms)
            signer = Signer(document.key_pair_id, key, document.hash_algorithm, clock=self.world.clock)
            links.append(
                (int(now) + LIFE, signer.sign_url(f"https://d1.cloudfront.net/{int(now)}", expires=int(now) + LIFE))
            )
            self.request(links[-1][1])
        for expires, url in links:
            if expires - 1 == int(now):
                self.request(url)
        self.links = [each for each in links if each[0] > now]

    def request(self, url: str) -> None:
        now = self.world.clock.now
        trusted = next(
            keys
            for since, keys in reversed(self.world.trusted)
            if since + LAG <= now or since == self.world.trusted[0][0]
        )
        keys = {each: self.key(each) for each in trusted}
        allowed = verify(ViewerRequest(url), keys, now).allowed
        self.refused += not allowed
        self.log.add(url, int(now), 200 if allowed else 403)

    def key(self, key_id: str) -> PublicKey:
        if key_id not in self.keys:
            got = self.world.cloudfront.get_public_key(Id=key_id)["PublicKey"]["PublicKeyConfig"]["EncodedKey"]
            self.keys[key_id] = PublicKey.load(got)
        return self.keys[key_id]

    def write(self) -> None:
        # A file that is still being written.
        self.log.write(self.folder, "access.log")


def rotation(world: World, load: Load) -> Rotation:
    def seen(source: str, key_id: str, key: PublicKey | None, since: float) -> KeyEvidence:
        load.write()
        with read_logs([source], "refused", Options(Window(since=int(since))), now=int(world.clock.now)) as logs:
            return evidence(logs, key_id, key)

    return Rotation(
        Account(world.cloudfront),
        Ledger(world.ssm, world.group, holder="one", clock=world.clock),
        lambda address: open_writable(address, connect=lambda _: world.ssm),
        world.probe,
        kms=lambda: world.kms,
        find_probe_url=lambda _: URL,
        read_logs=seen,
        clock=world.clock,
    )


@pytest.mark.large
def test_under_load_the_old_key_goes_at_the_first_safe_moment_and_not_before(world: World, tmp_path: Path) -> None:
    load = Load(world, tmp_path, Log())
    one = rotation(world, load)
    world.clock.now -= world.clock.now % 20
    one.start(world.plan(grace=86400, signer_ttl=TTL, logs=str(tmp_path)))
    last_old_link = removed_at = 0.0
    for _ in range(40):
        outcome = one.advance()
        world.watch()
        state = one.state()
        if state is not None and state.phase is Phase.REMOVED and not removed_at:
            removed_at = world.clock.now
        if isinstance(outcome, Done):
            break
        until = outcome.until if isinstance(outcome, Wait) else world.clock.now + 1
        while world.clock.now < until:
            load.second()
            if load.cached and load.cached[1].key_pair_id == world.old_id and load.links:
                last_old_link = max(last_old_link, load.links[-1][0])
            world.clock.now += 1
    else:
        raise AssertionError("no end")
    assert load.refused == 0
    assert world.old_id not in world.public_keys()
    # Seconds after the last link of the old key, and not a day later.
    assert last_old_link <= removed_at <= last_old_link + 40


STATE = State(
    Plan("g1", SIGNER, NewKey(), grace=3600, propagation=60, signer_ttl=60, logs="logs"),
    "shop-1", 0.0, Phase.SWITCHED, "KOLD", {}, "SHA1", 2, "KNEW", 10.0, 1000.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "now", "told", "until"),
    [
        (KeyEvidence(None), 1100, "show no link", 4660),
        (KeyEvidence(1500), 1100, "show no link", 4660),
        (KeyEvidence(None), 4660, None, 0),
        (KeyEvidence(1500, 1200, None), 1500, "do not show when", 4660),
        (KeyEvidence(1500, 1200, 1400), 1300, "valid until", 1400),
        (KeyEvidence(1300, 1200, 1400), 1500, "must reach", 1515),
        (KeyEvidence(1400, 1200, 1400), 1500, None, 0),
        # A link that outlives the grace lengthens it.
        (KeyEvidence(5000, 1200, 9000), 5000, "valid until", 9000),
    ],
)
def test_what_the_removal_waits_for(seen: KeyEvidence, now: float, told: str | None, until: float) -> None:
    waiting = may_remove(STATE, seen, now)
    if told is None:
        assert waiting is None
    else:
        assert waiting is not None
        assert told in waiting.text
        assert waiting.until == until


def test_a_key_that_somebody_misses_is_not_deleted() -> None:
    state = replace(STATE, phase=Phase.REMOVED, removed_at=2000.0)
    with pytest.raises(
        InputError, match=r"KOLD is still used: 3 valid links.*groups add g1 KOLD.*1970-01-01 00:50:00 UTC"
    ):
        may_delete(state, KeyEvidence(2100, missed=3, missed_until=3000), 2100)
    assert may_delete(state, KeyEvidence(3001, missed=3, missed_until=3000), 3001) is None
    waiting = may_delete(state, KeyEvidence(2050), 2070)
    assert waiting is not None
    assert "must reach" in waiting.text
    assert may_delete(state, KeyEvidence(2060), 2070) is None


def test_only_valid_links_are_missed(tmp_path: Path) -> None:
    at = 1_900_000_000
    good = Signer("KOLD", KEY, clock=lambda: at).sign_url("https://d1.cloudfront.net/a", expires=at + 500)
    log = Log()
    log.add(good, at, 403)
    log.add(good, at + 600, 403)  # expired by then
    log.add(good.replace("/a?", "/b?"), at, 403)  # forged
    log.write(tmp_path, "E1AAAAAAAAAAAA.2030-03-17-17.x.gz")
    with read_logs([str(tmp_path)], "refused", Options(), now=at) as logs:
        seen = evidence(logs, "KOLD", KEY.public_key)
    assert (seen.missed, seen.missed_until, seen.last_allowed) == (1, at + 500, None)
