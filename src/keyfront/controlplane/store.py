"""What an account has: tables of resources, changed as a whole or not at all.

Resources are frozen, their configurations plain dictionaries that nobody changes in place; every change passes
through `Table.put` and `Table.remove` inside `Store.transaction`. That is the one place where a journal belongs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from datetime import datetime

    from keyfront.controlplane.shapes import (
        CachePolicyConfig,
        DistributionConfig,
        FunctionVersion,
        InvalidationBatch,
        KeyGroupConfig,
        MonitoringSubscription,
        OriginAccessControlConfig,
        OriginAccessIdentityConfig,
        OriginRequestPolicyConfig,
        PublicKeyConfig,
        ResponseHeadersPolicyConfig,
    )

Config = TypeVar("Config")


@dataclass(frozen=True)
class Resource(Generic[Config]):
    """One version of a public key, a key group, a distribution…; `parent` is the distribution of an invalidation."""

    id: str
    etag: str
    config: Config
    created: datetime
    modified: datetime
    parent: str = ""


class Table(Generic[Config]):
    """The resources of one family by id, in the order of their ids (so that pages hold while resources come and go)."""

    def __init__(self) -> None:
        self._rows: dict[str, Resource[Config]] = {}

    def get(self, identifier: str) -> Resource[Config] | None:
        return self._rows.get(identifier)

    def put(self, resource: Resource[Config]) -> None:
        self._rows[resource.id] = resource

    def remove(self, identifier: str) -> None:
        del self._rows[identifier]

    def __iter__(self) -> Iterator[Resource[Config]]:
        return iter([self._rows[identifier] for identifier in sorted(self._rows)])

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self) -> dict[str, Resource[Config]]:
        """A copy of the content, for `restore`."""
        return dict(self._rows)

    def restore(self, rows: dict[str, Resource[Config]]) -> None:
        self._rows = rows


class Store:
    """All tables of an account, behind one lock."""

    def __init__(self) -> None:
        self.public_keys: Table[PublicKeyConfig] = Table()
        self.key_groups: Table[KeyGroupConfig] = Table()
        self.distributions: Table[DistributionConfig] = Table()
        self.origin_access_identities: Table[OriginAccessIdentityConfig] = Table()
        self.origin_access_controls: Table[OriginAccessControlConfig] = Table()
        self.cache_policies: Table[CachePolicyConfig] = Table()
        self.origin_request_policies: Table[OriginRequestPolicyConfig] = Table()
        self.response_headers_policies: Table[ResponseHeadersPolicyConfig] = Table()
        """Of each kind of policy the account's own; Amazon's are in `managed_policies`."""
        self.functions: Table[FunctionVersion] = Table()
        self.published_functions: Table[FunctionVersion] = Table()
        """Functions by their names: what is in development, and what is live."""
        self.monitoring_subscriptions: Table[MonitoringSubscription] = Table()
        """By the id of the distribution."""
        self.invalidations: Table[InvalidationBatch] = Table()
        self.tags: Table[dict[str, str]] = Table()
        """Keys and values by the id of the distribution, or the name of the function (`tags`), that has them."""
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Nobody else reads or writes inside; an exception takes every change back."""
        with self._lock:
            tables = [table for table in vars(self).values() if isinstance(table, Table)]
            saved = [table.rows() for table in tables]
            try:
                yield
            except BaseException:
                for table, rows in zip(tables, saved, strict=True):
                    table.restore(rows)
                raise
