"""The order in which an edge applies what happened in an account."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from keyfront.edge.cache.invalidations import Invalidation
from keyfront.edge.server.refresh import Refresher
from keyfront.edge.server.sources import Account as AccountSource
from keyfront.edge.server.standing import Keeper
from keyfront.inventory import Inventory
from keyfront.inventory.files import Reading

if TYPE_CHECKING:
    from tests.edge.conftest import Account


class _Meanwhile(AccountSource):
    """An account in which something happens once, right after a reading."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.happens: Callable[[], object] | None = None

    def read(self, previous: Inventory | None) -> Reading:
        reading = super().read(previous)
        happens, self.happens = self.happens, None
        if happens:
            happens()
        return reading


def _refresher(account: Account, source: AccountSource, events: list[object]) -> Refresher:
    def apply(_: object) -> frozenset[str]:
        events.append("configuration")
        return frozenset()

    def report(versions: Mapping[str, str]) -> None:
        account.plane.propagation.applied("edge", versions)

    return Refresher(source, apply, events.append, Keeper(60, lambda _: None, every=1), on_applied=report)


def _invalidate(account: Account, distribution: str) -> None:
    batch: Any = {"CallerReference": "1", "Paths": {"Quantity": 1, "Items": ["/*"]}}
    account.client.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)


def _kinds(events: Iterable[object]) -> list[str]:
    return ["invalidation" if isinstance(each, Invalidation) else str(each) for each in events]


def test_an_invalidation_does_not_overtake_a_change_that_was_made_before_it(account: Account) -> None:
    distribution = account.create("d1.cloudfront.localhost:8443")
    source, events = _Meanwhile(account.client), list[object]()
    refresher = _refresher(account, source, events)
    refresher.refresh()

    def change_and_invalidate() -> None:
        account.update(distribution, Comment="changed")
        _invalidate(account, distribution)

    source.happens = change_and_invalidate
    refresher.refresh()
    refresher.refresh()
    assert _kinds(events) == ["configuration", "configuration", "invalidation"]


def test_a_distribution_that_was_deleted_meanwhile_hides_no_other_ones_invalidation(account: Account) -> None:
    gone, other = (account.create(f"d{number}.cloudfront.localhost:8443", Enabled=False) for number in (1, 2))
    events: list[object] = []
    refresher = _refresher(account, AccountSource(account.client), events)
    refresher.refresh()
    account.client.delete_distribution(Id=gone, IfMatch=account.client.get_distribution(Id=gone)["ETag"])
    _invalidate(account, other)
    refresher.refresh()
    assert _kinds(events)[-1] == "invalidation"
