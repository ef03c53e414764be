"""What is protected, and by which keys: out of files, or as a distribution of an account says."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from keyfront.edge.admission import Door
from keyfront.edge.configuration import Configuration, configure
from keyfront.errors import InputError, KeyfrontError, KeyLoadError
from keyfront.inventory import (
    CacheBehavior,
    CustomOrigin,
    Distribution,
    Inventory,
    KeyGroup,
    Origin,
    TrustedKey,
    read,
)
from keyfront.keys import PublicKey

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

_log = logging.getLogger(__name__)

FILES: Final = "files"
"""The id of the distribution that files describe."""

READING: Final = ("GET", "HEAD")
ALL_METHODS: Final = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")

Read = Callable[[], Configuration]


@dataclass(frozen=True)
class Files:
    """Keys in files and the path patterns that they open; what is read again and again."""

    trust: Sequence[tuple[str, Path]] = ()
    """Key-pair ids and files with public keys."""
    directory: Path | None = None
    """A folder of such files, each named ID.pem."""
    protect: Sequence[str] = ()
    """Path patterns; without any, everything is protected."""
    public: Sequence[str] = ()
    """Path patterns that come before those."""
    methods: Sequence[str] = READING

    def read(self) -> Configuration:
        """The configuration now. Raises `InputError` for keys and patterns that cannot be used."""
        keys = {key_id: TrustedKey(key_id, key_id, key) for key_id, key in self._keys()}
        if not keys:
            raise InputError("no key is trusted, so nobody could be let in: give --trust ID=FILE, or ID.pem in --keys")
        opened = [self._behavior(pattern) for pattern in _patterns(self.public)]
        closed = [self._protected(pattern) for pattern in _patterns(self.protect)]
        return configure(
            Inventory(
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
                keys=keys,
            )
        )

    def _behavior(self, pattern: str) -> CacheBehavior:
        return CacheBehavior(pattern, "server", allowed_methods=tuple(self.methods))

    def _protected(self, pattern: str) -> CacheBehavior:
        methods = tuple(self.methods)
        return CacheBehavior(pattern, "server", trusted_key_groups=(FILES,), protected=True, allowed_methods=methods)

    def _keys(self) -> list[tuple[str, PublicKey]]:
        files = list(self.trust)
        if self.directory is not None:
            if not self.directory.is_dir():
                raise InputError(f"{self.directory} is no folder: give one with a file ID.pem for each trusted key")
            files += [(file.stem, file) for file in sorted(self.directory.glob("*.pem"))]
        seen: set[str] = set()
        for key_id, _ in files:
            if key_id in seen:
                raise InputError(f"{key_id} is named twice: each id stands for one key")
            seen.add(key_id)
        return [(key_id, _public_key(file)) for key_id, file in files]


class Account:
    """A distribution of an account, read through the CloudFront API as the edge reads it."""

    def __init__(self, client: "CloudFrontClient", distribution_id: str) -> None:
        self._client = client
        self._id = distribution_id
        self._inventory: Inventory | None = None
        self._configuration: Configuration | None = None

    def read(self) -> Configuration:
        """The configuration now. Raises `ServiceError`, and `InputError` when there is no such distribution."""
        inventory = read(self._client, self._inventory)
        if self._configuration is None or inventory != self._inventory:
            if all(each.id != self._id for each in inventory.distributions):
                there = ", ".join(each.id for each in inventory.distributions) or "none"
                raise InputError(f"there is no distribution {self._id}; there are: {there}")
            self._configuration, self._inventory = configure(inventory), inventory
        return self._configuration


class Rules:
    """The configuration in use, read anew every few seconds from `start` to `stop`."""

    def __init__(self, read: Read, door: Door, *, seconds: float) -> None:
        """Reads for the first time now: raises what `read` raises. Later failures leave the last good one in use."""
        self.door = door
        self.configuration = read()
        self._read = read
        self._seconds = seconds
        self._failing = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="keyfront-authz-rules", daemon=True)

    def start(self) -> None:
        """Follow, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Follow no more."""
        self._stopping.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self.configuration = self._read()
            except KeyfrontError as error:
                self._tell(str(error))
            except Exception as error:  # noqa: BLE001  whatever it is: a service that stops learning says so and goes on
                self._tell(repr(error))
            else:
                if self._failing:
                    _log.warning("the configuration can be read again")
                self._failing = ""

    def _tell(self, why: str) -> None:
        if why != self._failing:
            _log.warning("%s; the last good configuration stays in use", why)
        self._failing = why


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
            raise InputError(f"{pattern[:80]!r} is no path pattern: 1 to 255 ASCII characters, such as /private/*")
    return given
