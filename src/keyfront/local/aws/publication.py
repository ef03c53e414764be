"""Publishes a user's folders as objects in moto's buckets."""

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
    """A published folder, the prefix of its keys, and extra headers of its objects."""

    prefix: str
    root: Path
    headers: Mapping[str, str]


class PublishedKeys(_VersionedKeyStore):
    """The keys of a bucket with published folders. It reads the folders whenever moto reads the keys.

    Changes through S3 override the folder. An object that was deleted or overwritten stays so until its file is
    removed. A file that appears later (again) is an object again.
    """

    def __init__(self, bucket: FakeBucket) -> None:
        super().__init__(bucket.keys)
        self._bucket = bucket
        self._folders: list[_Folder] = []
        self._given: dict[str, FileKey] = {}
        self._lock = RLock()

    def publish(self, published: _Folder) -> list[str]:
        """Publish a folder's files, and return their keys, sorted."""
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
        """Return the state to save: the objects, and which were deleted. Each start publishes the folders again."""
        return {**self.__dict__, "_folders": []}

    def _take_over(self, root: Path) -> None:
        """Drop saved objects that were files of another folder."""
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
        except OSError:  # the file was removed meanwhile
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
    """Publish the content files under `root` (from `root_of`) in `bucket`, and return their keys."""
    keys = bucket.keys
    if not isinstance(keys, PublishedKeys):
        bucket.keys = keys = PublishedKeys(bucket)
    return keys.publish(_Folder(prefix, root, headers))
