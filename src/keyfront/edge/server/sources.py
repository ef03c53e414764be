"""The sources of an edge's configuration: an account, through the CloudFront API, or files that describe one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from keyfront.edge.cache.invalidations import Invalidation, unfinished
from keyfront.inventory import Inventory, read
from keyfront.inventory.files import Reading, SavedInventory
from keyfront.inventory.functions import read_functions

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


class Source(Protocol):
    """A source that is read again and again. Both methods raise `KeyfrontError` if it cannot be read."""

    def read(self, previous: Inventory | None) -> Reading:
        """Return the account as it is now. `previous` is the last reading."""

    def invalidations(self, distribution_ids: Iterable[str], known: frozenset[str]) -> Iterable[Invalidation]:
        """Return the invalidations in progress whose ids are not in `known`."""


class Account:
    """The account of a client."""

    def __init__(self, client: "CloudFrontClient", stores: Callable[[], Any] | None = None) -> None:
        """`stores` returns a boto3 client for `cloudfront-keyvaluestore`. If not given, functions are not read."""
        self._client = client
        self._stores = stores

    def read(self, previous: Inventory | None) -> Reading:
        inventory = read(self._client, previous)
        if self._stores is None:
            return Reading(inventory)
        behaviors = [each for item in inventory.distributions for each in (item.default_behavior, *item.behaviors)]
        named = {arn for behavior in behaviors for arn in behavior.functions}
        before = (previous.functions if previous else None) or {}
        return Reading(replace(inventory, functions=read_functions(self._client, self._stores, named, before)))

    def invalidations(self, distribution_ids: Iterable[str], known: frozenset[str]) -> Iterable[Invalidation]:
        return unfinished(self._client, distribution_ids, known)


class Files:
    """Files that describe an account. They have no invalidations."""

    def __init__(self, files: Sequence[Path], keys: Path | None, origins: Mapping[str, str]) -> None:
        """The parameters are those of `keyfront.inventory.files.read_files`."""
        self._account = SavedInventory(files, keys=keys, origins=origins)

    def read(self, previous: Inventory | None) -> Reading:
        del previous
        return self._account.read()

    def invalidations(self, distribution_ids: Iterable[str], known: frozenset[str]) -> Iterable[Invalidation]:
        del distribution_ids, known
        return ()
