"""Where an edge learns what to serve: an account, through the CloudFront API, or files that describe one."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from keyfront.edge.invalidations import Invalidation, unfinished
from keyfront.inventory import Inventory, read
from keyfront.inventory.files import read_files

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


class Source(Protocol):
    """Is asked again and again. Both raise `KeyfrontError` when there is no answer."""

    def read(self, previous: Inventory | None) -> Inventory:
        """What there is now; `previous` is what was read last."""

    def invalidations(self, distribution_ids: Iterable[str], known: frozenset[str]) -> Iterable[Invalidation]:
        """Those under way that are not `known`."""


class Account:
    """The account behind a client."""

    def __init__(self, client: "CloudFrontClient") -> None:
        self._client = client

    def read(self, previous: Inventory | None) -> Inventory:
        return read(self._client, previous)

    def invalidations(self, distribution_ids: Iterable[str], known: frozenset[str]) -> Iterable[Invalidation]:
        return unfinished(self._client, distribution_ids, known)


class Files:
    """Files, which are read again when one of them has changed. Nothing can be invalidated in them."""

    def __init__(self, files: Sequence[Path], keys: Path | None, origins: Mapping[str, str]) -> None:
        """As `keyfront.inventory.files.read_files` takes them."""
        self._files = tuple(files)
        self._keys = keys
        self._origins = origins
        self._stamps: tuple[tuple[str, int, int], ...] = ()

    def read(self, previous: Inventory | None) -> Inventory:
        stamps = self._stamped()
        if previous is not None and stamps == self._stamps:
            return previous
        inventory = read_files(self._files, keys=self._keys, origins=self._origins)
        self._stamps = stamps
        return inventory

    def invalidations(self, distribution_ids: Iterable[str], known: frozenset[str]) -> Iterable[Invalidation]:
        del distribution_ids, known
        return ()

    def _stamped(self) -> tuple[tuple[str, int, int], ...]:
        held = sorted(self._keys.rglob("*.pem")) if self._keys is not None else []
        found = []
        for path in (*self._files, *held):
            try:
                status = path.stat()
            except OSError:
                found.append((str(path), 0, 0))
            else:
                found.append((str(path), status.st_mtime_ns, status.st_size))
        return tuple(found)
