"""The protected paths and their keys, from files or from a distribution of an account."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from keyfront.core.keys import PublicKey
from keyfront.edge.configuration import CLOSED, Configuration, configure
from keyfront.edge.request.admission import Door
from keyfront.edge.server.standing import STALE_SECONDS, Keeper, Standing, groups_without_keys
from keyfront.errors import InputError, KeyfrontError, KeyLoadError
from keyfront.inventory import CacheBehavior, CustomOrigin, Distribution, Inventory, KeyGroup, Origin, TrustedKey, read
from keyfront.inventory.files import Reading

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

FILES: Final = "files"
"""The id of the distribution made from files."""

READING: Final = ("GET", "HEAD")
ALL_METHODS: Final = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")

Read = Callable[[], Reading]


@dataclass(frozen=True)
class Files:
    """Keys in files, and the path patterns that they protect. The files are read again and again."""

    trust: Sequence[tuple[str, Path]] = ()
    """Key-pair ids, each with a file that contains the public key."""
    directory: Path | None = None
    """A folder of public keys, each named ID.pem."""
    protect: Sequence[str] = ()
    """Path patterns that need a signature. If none is given, every path does."""
    public: Sequence[str] = ()
    """Path patterns that need no signature. They come before `protect`."""
    methods: Sequence[str] = READING

    def read(self) -> Reading:
        """Return what the files contain now, without keys that cannot be read. `InputError`: a pattern is not valid."""
        keys, untrusted = self._keys()
        if not keys:
            untrusted.append(
                "no key is trusted, so no viewer could be let in: give --trust ID=FILE, or ID.pem in --keys"
            )
        opened = [self._behavior(pattern) for pattern in _patterns(self.public)]
        closed = [self._protected(pattern) for pattern in _patterns(self.protect)]
        inventory = Inventory(
            distributions=(
                Distribution(
                    FILES,
                    "",
                    self._behavior("*") if closed else self._protected("*"),
                    (*opened, *closed),
                    origins=(Origin("server", "localhost", custom=CustomOrigin()),),
                ),
            ),
            key_groups={FILES: KeyGroup(FILES, FILES, tuple(keys))},
            keys={key_id: TrustedKey(key_id, key_id, key) for key_id, key in keys.items()},
        )
        return Reading(inventory, tuple(untrusted))

    def _behavior(self, pattern: str) -> CacheBehavior:
        return CacheBehavior(pattern, "server", allowed_methods=tuple(self.methods))

    def _protected(self, pattern: str) -> CacheBehavior:
        methods = tuple(self.methods)
        return CacheBehavior(pattern, "server", trusted_key_groups=(FILES,), protected=True, allowed_methods=methods)

    def _keys(self) -> tuple[dict[str, PublicKey], list[str]]:
        """Return the usable keys by their ids, and what is wrong with the others."""
        files, wrong = list(self.trust), []
        if self.directory is not None:
            try:
                # Not `glob`: it returns nothing for a folder that cannot be read, without an error.
                held = sorted(file for file in self.directory.iterdir() if file.suffix == ".pem")
                files += [(file.stem, file) for file in held]
            except (FileNotFoundError, NotADirectoryError):
                wrong.append(f"{self.directory} is not a folder: give one with a file ID.pem for each trusted key")
            except OSError as error:
                wrong.append(f"the folder {self.directory} cannot be read: {error.strerror}")
        keys: dict[str, PublicKey] = {}
        named = Counter(key_id for key_id, _ in files)
        wrong += [f"{key_id} is given twice: give one key for each id" for key_id in named if named[key_id] > 1]
        for key_id, file in files:
            try:
                if named[key_id] == 1:
                    keys[key_id] = _public_key(file)
            except InputError as error:
                wrong.append(str(error))
        return keys, wrong


class LiveDistribution:
    """A distribution of an account, read through the CloudFront API."""

    def __init__(self, client: "CloudFrontClient", distribution_id: str) -> None:
        self._client = client
        self._id = distribution_id
        self._inventory: Inventory | None = None

    def read(self) -> Reading:
        """Return the distribution as it is now, or nothing if it was deleted. Raises `ServiceError`."""
        inventory = self._inventory = read(self._client, self._inventory)
        own = tuple(each for each in inventory.distributions if each.id == self._id)
        there = ", ".join(each.id for each in inventory.distributions) or "none"
        wrong = () if own else (f"there is no distribution {self._id}; there are: {there}",)
        return Reading(replace(inventory, distributions=own), wrong)


class Rules:
    """The configuration in use, read again every few seconds from `start` to `stop`."""

    def __init__(self, read: Read, door: Door, *, seconds: float, stale: float = STALE_SECONDS) -> None:
        """Read for the first time. Raises what `read` raises, and `InputError` for a key that cannot be used.

        If a later reading fails, the last good configuration stays in use until it is `stale` seconds old.
        """
        self.door = door
        self._read = read
        self._seconds = seconds
        self._keeper = Keeper(stale, lambda _: None, every=seconds, what="configuration")
        self._inventory: Inventory | None = None
        self._stopping = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="keyfront-authz-rules", daemon=True)
        reading = read()
        if reading.untrusted:
            raise InputError(reading.untrusted[0])
        self._take(reading)

    @property
    def configuration(self) -> Configuration:
        """The configuration to decide by. It refuses everything if the last good one is too old."""
        return CLOSED if self._keeper.standing.closed else self._configuration

    @property
    def standing(self) -> Standing:
        """The standing of the configuration."""
        return self._keeper.standing

    def start(self) -> None:
        """Begin to read again every few seconds, in a thread."""
        self._keeper.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stopping = True
        self._wake.set()
        self._thread.join()
        self._keeper.stop()

    def read_now(self) -> None:
        """Start the next reading now, without waiting for it."""
        self._wake.set()

    def _follow(self) -> None:
        while True:
            self._wake.wait(self._seconds)
            if self._stopping:
                return
            self._wake.clear()
            try:
                self._take(self._read())
            except KeyfrontError as error:
                self._keeper.failed(str(error))
            except Exception as error:  # noqa: BLE001  any failed reading is logged, and the service goes on
                self._keeper.failed(repr(error), traceback=True)

    def _take(self, reading: Reading) -> None:
        if reading.inventory != self._inventory:
            self._configuration, self._inventory = configure(reading.inventory), reading.inventory
        self._keeper.read(untrusted=reading.untrusted, keyless=groups_without_keys(reading.inventory))


def _public_key(file: Path) -> PublicKey:
    try:
        return PublicKey.load(file.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read the public key file {file}: {error.strerror}") from None
    except KeyLoadError as error:
        raise InputError(f"{file}: {error}") from None


def _patterns(given: Sequence[str]) -> Sequence[str]:
    for pattern in given:
        if not pattern or len(pattern) > 255 or not pattern.isascii() or not pattern.isprintable():
            raise InputError(
                f"{pattern[:80]!r} is not a path pattern: give 1 to 255 ASCII characters, such as /private/*"
            )
    return given
