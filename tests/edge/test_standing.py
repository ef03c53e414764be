"""How a configuration stands: for how long it is used when it cannot be read, and what is said of it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from keyfront.core.keys import SigningKey
from keyfront.edge.server.standing import Keeper, Standing, groups_without_keys
from keyfront.errors import InputError
from keyfront.inventory import CacheBehavior, Distribution, Inventory, KeyGroup, TrustedKey

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = TrustedKey("K1", "k", SigningKey.generate("ecdsa").public_key)


class Kept:
    """A keeper whose clock the test moves."""

    def __init__(self, seconds: float = 100) -> None:
        self.now = 1000.0
        self.seen: list[Standing] = []
        self.keeper = Keeper(seconds, self.seen.append, every=1, clock=lambda: self.now)

    @property
    def says(self) -> str:
        return self.keeper.standing.says(self.now)


def test_a_configuration_that_was_never_read_is_not_ready_and_not_too_old() -> None:
    kept = Kept()
    kept.keeper.failed("the API does not answer")
    kept.now += 1e6
    kept.keeper.failed("the API does not answer")
    assert (kept.keeper.standing.ready, kept.keeper.standing.closed) == (False, False)
    assert kept.says == "has not read the account yet"


def test_it_is_used_for_its_time_then_closed_and_open_again_at_the_next_reading() -> None:
    kept = Kept()
    kept.keeper.read()
    assert (kept.keeper.standing.ready, kept.says) == (True, "ok")
    kept.now += 99
    kept.keeper.failed("the API does not answer")
    assert kept.keeper.standing.ready
    assert kept.says == "ok, but its configuration is 99 s old and cannot be read"
    kept.now += 1
    kept.keeper.failed("the API does not answer")
    assert kept.keeper.standing.closed
    assert not kept.keeper.standing.ready
    assert kept.says == "refuses everything: its configuration is 100 s old and cannot be read"
    kept.keeper.read()
    assert (kept.keeper.standing.ready, kept.says) == (True, "ok")


def test_readings_in_part_make_it_no_younger() -> None:
    kept = Kept()
    kept.keeper.read()
    for _ in range(100):
        kept.now += 1
        kept.keeper.read_in_part("'shop.json' is no JSON")
    assert kept.keeper.standing.closed


def test_without_any_time_the_first_fault_closes_it() -> None:
    kept = Kept(0)
    kept.keeper.read()
    assert not kept.keeper.standing.closed
    kept.keeper.failed("the API does not answer")
    assert kept.keeper.standing.closed


def test_it_closes_by_itself_while_a_reading_hangs(eventually: Callable[..., None]) -> None:
    kept = Kept(100)
    kept.keeper.read()
    kept.keeper.start()
    try:
        kept.now += 3600
        eventually(lambda: kept.keeper.standing.closed)
    finally:
        kept.keeper.stop()


def test_it_closes_in_its_time_while_nobody_reads(eventually: Callable[..., None]) -> None:
    closed = threading.Event()
    keeper = Keeper(0.2, lambda standing: closed.set() if standing.closed else None, every=1)
    keeper.read()
    keeper.failed("the API does not answer")
    keeper.start()
    try:
        eventually(closed.is_set)
    finally:
        keeper.stop()


def test_each_different_fault_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept()
    kept.keeper.read()
    for attempt in range(3):
        kept.keeper.failed(f"the API does not answer (attempt {attempt}, 0x7f{attempt}a)")
        kept.keeper.failed("'shop.json' is no JSON")
    assert caplog.text.count("the API does not answer") == 1
    assert caplog.text.count("'shop.json' is no JSON; the last good configuration stays in use, for 100 s at most") == 1
    kept.keeper.read()
    assert caplog.text.count("the account can be read again") == 1
    kept.keeper.failed("'shop.json' is no JSON")
    assert caplog.text.count("'shop.json' is no JSON") == 2


def test_a_group_without_keys_is_not_ready_and_said(caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept()
    kept.keeper.read(untrusted=["'keys/K1.pem' is no public key"], keyless=["group-1"])
    kept.keeper.read(untrusted=["'keys/K1.pem' is no public key"], keyless=["group-1"])
    assert not kept.keeper.standing.ready
    assert kept.says == "refuses every request that needs these key groups, since they have no key: group-1"
    assert caplog.text.count("'keys/K1.pem' is no public key; it is not trusted") == 1
    assert caplog.text.count("key group group-1 has no usable key") == 1
    kept.keeper.read()
    assert (kept.keeper.standing.ready, kept.says) == (True, "ok")


def test_a_listener_that_fails_does_not_stop_readings(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Standing) -> None:
        raise OSError(28, "No space left on device")

    keeper = Keeper(100, broken, every=1)
    keeper.read()
    assert keeper.standing.ready
    assert "could not be passed on" in caplog.text


def test_only_what_enabled_distributions_trust_needs_keys() -> None:
    protected = CacheBehavior("*", "o", trusted_key_groups=("g",), protected=True)
    shop = Distribution("E1", "", protected)
    whole = Inventory(distributions=(shop,), key_groups={"g": KeyGroup("g", "g", ("K1",))}, keys={"K1": KEY})
    assert groups_without_keys(whole) == ()
    assert groups_without_keys(replace(whole, keys={})) == ("g",)
    assert groups_without_keys(replace(whole, key_groups={})) == ("g",)
    assert groups_without_keys(replace(whole, keys={}, distributions=(replace(shop, enabled=False),))) == ()
    public = replace(protected, trusted_key_groups=(), protected=False)
    assert groups_without_keys(Inventory(distributions=(replace(shop, default_behavior=public),))) == ()


@pytest.mark.parametrize("seconds", [-1, 1e12, "1h"])
def test_a_time_that_is_none_is_refused(seconds: object) -> None:
    with pytest.raises(InputError, match="the longest age of a configuration"):
        Keeper(seconds, lambda _: None, every=1)  # type: ignore[arg-type]
