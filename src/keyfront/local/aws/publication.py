"""Folders of the user's as objects in moto's buckets."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

from moto.s3.models import FakeBucket
from moto.s3.utils import _VersionedKeyStore

from keyfront.local.aws import content_folder
from keyfront.local.aws.objects import FileKey, describe


@dataclass(frozen=True)
class _Folder:
    """A folder, what its files' keys begin with, and the headers that its objects have beside their own."""

    prefix: str
    root: Path
    headers: Mapping[str, str]


class PublishedKeys(_VersionedKeyStore):
    """The keys of a bucket in which folders are published: it looks at the disk whenever moto looks at it.

    What S3 does to a key wins over the folder. An object that was deleted or overwritten stays so until its file
    goes away; a file that comes (back) later is an object again.
    """

    def __init__(self, bucket: FakeBucket) -> None:
        super().__init__(bucket.keys)
        self._bucket = bucket
        self._folders: list[_Folder] = []
        self._given: dict[str, FileKey] = {}
        self._lock = RLock()

    def publish(self, published: _Folder) -> list[str]:
        """Make a folder's files objects; their keys, in order."""
        with self._lock:
            if not self._folders:
                self._take_over(published.root)
            if published not in self._folders:
                self._folders.append(published)
            self._scan()
            return sorted(published.prefix + name for name in content_folder.contents(published.root).files)

    def __contains__(self, name: object) -> bool:
        self._look(str(name))
        return super().__contains__(name)

    def __sgetitem__(self, key: str) -> list[Any]:
        self._look(key)
        return super().__sgetitem__(key)

    def _self_iterable(self) -> dict[str, Any]:
        with self._lock:
            self._scan()
            return super()._self_iterable()

    def __getstate__(self) -> dict[str, Any]:
        """What is kept of it: the objects, and that some were deleted; the folders are named anew at each start."""
        return {**self.__dict__, "_folders": []}

    def _take_over(self, root: Path) -> None:
        """Of the objects that were kept, let go of those which another folder's files were."""
        for name in [name for name, given in self._given.items() if not given.path.is_relative_to(root)]:
            self._withdraw(name)

    def _scan(self) -> None:
        if not self._folders:
            return
        found: dict[str, tuple[Path, _Folder]] = {}
        for each in reversed(self._folders):
            found |= {
                each.prefix + name: (path, each) for name, path in content_folder.contents(each.root).files.items()
            }
        for name in self._given.keys() - found.keys():
            self._withdraw(name)
        for name, (path, each) in found.items():
            self._offer(name, path, each)

    def _look(self, name: str) -> None:
        if not self._folders:
            return
        with self._lock:
            for each in self._folders:
                if name.startswith(each.prefix) and (
                    path := content_folder.find(each.root, name.removeprefix(each.prefix))
                ):
                    self._offer(name, path, each)
                    return
            self._withdraw(name)

    def _offer(self, name: str, path: Path, published: _Folder) -> None:
        try:
            if given := self._given.get(name):
                given.path = path
                describe(given, path.stat())
                return
            self._given[name] = offered = FileKey(name, path, self._bucket, published.headers)
        except OSError:  # gone between the look and this
            self._withdraw(name)
            return
        if not dict.__contains__(self, name):
            dict.__setitem__(self, name, [offered])

    def _withdraw(self, name: str) -> None:
        gone = self._given.pop(name, None)
        if gone is None:
            return
        left = [version for version in dict.get(self, name, []) if version is not gone]
        if left:
            dict.__setitem__(self, name, left)
        else:
            dict.pop(self, name, None)
        gone.dispose()


def publish(bucket: FakeBucket, root: Path, prefix: str, headers: Mapping[str, str]) -> list[str]:
    """Make every content file under `root` (from `root_of`) an object of `bucket`; see `PublishedKeys`."""
    keys = bucket.keys
    if not isinstance(keys, PublishedKeys):
        bucket.keys = keys = PublishedKeys(bucket)
    return keys.publish(_Folder(prefix, root, headers))
