"""Where an edge learns what to serve: an account, through the CloudFront API, or files that describe one."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from keyfront.edge.cache.invalidations import Invalidation, unfinished
from keyfront.inventory import Inventory, read
from keyfront.inventory.files import Reading, SavedInventory

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


class Source(Protocol):
    """Is asked again and again. Both raise `KeyfrontError` when there is no answer."""

    def read(self, previous: Inventory | None) -> Reading:
        """What there is now; `previous` is what was read last."""

    def invalidations(self, distribution_ids: Iterable[str], known: frozenset[str]) -> Iterable[Invalidation]:
        """Those under way that are not `known`."""


class Account:
    """The account behind a client."""

    def __init__(self, client: "CloudFrontClient") -> None:
        self._client = client

    def read(self, previous: Inventory | None) -> Reading:
        return Reading(read(self._client, previous))

    def invalidations(self, distribution_ids: Iterable[str], known: frozenset[str]) -> Iterable[Invalidation]:
        return unfinished(self._client, distribution_ids, known)


class Files:
    """Files that describe an account. Nothing can be invalidated in them."""

    def __init__(self, files: Sequence[Path], keys: Path | None, origins: Mapping[str, str]) -> None:
        """As `keyfront.inventory.files.read_files` takes them."""
        self._account = SavedInventory(files, keys=keys, origins=origins)

    def read(self, previous: Inventory | None) -> Reading:
        del previous
        return self._account.read()

    def invalidations(self, distribution_ids: Iterable[str], known: frozenset[str]) -> Iterable[Invalidation]:
        del distribution_ids, known
        return ()
