"""The sources of an edge's configuration: an account, through the CloudFront API, or files that describe one."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from keyfront.edge.cache.invalidations import Invalidation, unfinished
from keyfront.inventory import Inventory, read
from keyfront.inventory.files import Reading, SavedInventory

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

    def __init__(self, client: "CloudFrontClient") -> None:
        self._client = client

    def read(self, previous: Inventory | None) -> Reading:
        return Reading(read(self._client, previous))

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
