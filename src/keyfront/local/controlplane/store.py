"""The account's tables of resources. A transaction makes all of its changes or none.

Resources are frozen, and their configurations must not be changed in place. Every change goes through `Table.put` or
`Table.remove` inside `Store.transaction`, which writes it to the `Journal`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from datetime import datetime

    from keyfront.local.controlplane.shapes import (
        CachePolicyConfig,
        ContinuousDeploymentConfig,
        DistributionConfig,
        EncryptionConfig,
        EncryptionProfileConfig,
        FunctionVersion,
        InvalidationBatch,
        KeyGroupConfig,
        KeyValueStoreConfig,
        MonitoringSubscription,
        OriginAccessControlConfig,
        OriginAccessIdentityConfig,
        OriginRequestPolicyConfig,
        PublicKeyConfig,
        RealtimeLogConfig,
        ResponseHeadersPolicyConfig,
        VPCOriginConfig,
    )

Config = TypeVar("Config")


@dataclass(frozen=True)
class Resource(Generic[Config]):
    """One version of a public key, a key group, a distribution, … `parent` is the distribution of an invalidation."""

    id: str
    etag: str
    config: Config
    created: datetime
    modified: datetime
    parent: str = ""


class Table(Generic[Config]):
    """The resources of one family, sorted by id, so that pages stay valid when resources are added or deleted."""

    def __init__(self) -> None:
        self._rows: dict[str, Resource[Config]] = {}
        self._before: dict[str, Resource[Config] | None] = {}
        """The resource before the current transaction, for each id that it changed."""

    def get(self, identifier: str) -> Resource[Config] | None:
        return self._rows.get(identifier)

    def put(self, resource: Resource[Config]) -> None:
        self._before.setdefault(resource.id, self._rows.get(resource.id))
        self._rows[resource.id] = resource

    def remove(self, identifier: str) -> None:
        self._before.setdefault(identifier, self._rows[identifier])
        del self._rows[identifier]

    def __iter__(self) -> Iterator[Resource[Config]]:
        return iter([self._rows[identifier] for identifier in sorted(self._rows)])

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self) -> dict[str, Resource[Config]]:
        """Return a copy of the content."""
        return dict(self._rows)

    def changes(self) -> dict[str, Resource[Config] | None]:
        """Return the changes of the current transaction, by id. `None` means removed."""
        return {identifier: self._rows.get(identifier) for identifier in self._before}

    def keep(self) -> None:
        """Keep the changes."""
        self._before = {}

    def undo(self) -> None:
        """Undo the changes."""
        for identifier, resource in self._before.items():
            if resource is None:
                self._rows.pop(identifier, None)
            else:
                self._rows[identifier] = resource
        self._before = {}


class Undoable(Protocol):
    """Something that changes together with the tables."""

    def keep(self) -> None:
        """Keep the changes of the transaction."""

    def undo(self) -> None:
        """Undo the changes of the transaction."""


class ChangeLog(Protocol):
    """The place where changes are saved: a `Journal`."""

    def restore(self, tables: Mapping[str, Table[Any]]) -> None:
        """Fill the tables, by their names, with the saved resources."""

    def write(self, changes: Mapping[str, Mapping[str, Resource[Any] | None]]) -> None:
        """Save a transaction's changes: each family's resources by id, `None` for a deleted one."""


class Store:
    """All tables of an account, behind one lock. A journal fills them at the start and saves every change."""

    def __init__(
        self,
        journal: ChangeLog | None = None,
        also: Iterable[Undoable] = (),
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """`also` has other objects that a transaction changes, and undoes when it fails. `on_change` follows each
        transaction that changed something.
        """
        self.public_keys: Table[PublicKeyConfig] = Table()
        self.key_groups: Table[KeyGroupConfig] = Table()
        self.distributions: Table[DistributionConfig] = Table()
        self.origin_access_identities: Table[OriginAccessIdentityConfig] = Table()
        self.origin_access_controls: Table[OriginAccessControlConfig] = Table()
        self.cache_policies: Table[CachePolicyConfig] = Table()
        self.origin_request_policies: Table[OriginRequestPolicyConfig] = Table()
        self.response_headers_policies: Table[ResponseHeadersPolicyConfig] = Table()
        """The account's own policies. Amazon's are in `managed_policies`."""
        self.functions: Table[FunctionVersion] = Table()
        self.published_functions: Table[FunctionVersion] = Table()
        """Functions by name: the development stage (`functions`) and the live stage."""
        self.key_value_stores: Table[KeyValueStoreConfig] = Table()
        """By name."""
        self.realtime_log_configs: Table[RealtimeLogConfig] = Table()
        """By name."""
        self.deployment_policies: Table[ContinuousDeploymentConfig] = Table()
        self.encryption_profiles: Table[EncryptionProfileConfig] = Table()
        self.encryption_configs: Table[EncryptionConfig] = Table()
        self.vpc_origins: Table[VPCOriginConfig] = Table()
        self.key_value_pairs: Table[dict[str, str]] = Table()
        """The pairs of key value stores, by the name of the store."""
        self.monitoring_subscriptions: Table[MonitoringSubscription] = Table()
        """By distribution id."""
        self.invalidations: Table[InvalidationBatch] = Table()
        self.tags: Table[dict[str, str]] = Table()
        """Keys and values, by distribution id or by the name of another resource (see `tags`)."""
        self._lock = threading.RLock()
        self._journal = journal
        self._also = tuple(also)
        self._on_change = on_change
        if journal is not None:
            journal.restore(self._tables())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run a transaction, which excludes other threads. Any exception, even from the journal, undoes all changes."""
        with self._lock:
            tables = self._tables()
            changing: list[Undoable] = [*tables.values(), *self._also]
            try:
                yield
                news = {family: changes for family, table in tables.items() if (changes := table.changes())}
                if self._journal is not None:
                    self._journal.write(news)
            except BaseException:
                for each in changing:
                    each.undo()
                raise
            for each in changing:
                each.keep()
            if news:
                self._on_change()

    def _tables(self) -> dict[str, Table[Any]]:
        return {name: table for name, table in vars(self).items() if isinstance(table, Table)}
