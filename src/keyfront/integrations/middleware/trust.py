"""The keys that a middleware trusts: a fixed mapping, or a function that is called again so that keys can change."""

import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from keyfront.core.key_ids import checked_key_pair_id
from keyfront.core.keys import PublicKey
from keyfront.core.showing import refuse_text, told
from keyfront.errors import InputError, KeyLoadError

_log = logging.getLogger(__name__)

Keys = Mapping[str, PublicKey | str | bytes | Path]
"""A mapping from key-pair ids to public keys: loaded, as PEM text, or the path of a PEM file."""

Trust = Callable[[], Mapping[str, PublicKey]]


def trust(keys: Keys | Callable[[], Keys]) -> Trust:
    """Return a function that returns the trusted keys for a request.

    A mapping is loaded now. A function is called for each request, in the thread or event loop that serves it, so it
    should return at once. Its result is parsed again only if it changed. A key that is missing, or that CloudFront
    would not accept, is not trusted, and is logged. Raises `InputError` for such a key in a mapping.
    """
    if callable(keys):
        return _Followed(keys)
    refuse_text(keys, "keys", "give {key-pair id: public key}")
    if not keys:
        raise InputError("keys is empty, so every request would be refused: give {key-pair id: public key}")
    loaded = _loaded(keys)
    return lambda: loaded


class _Followed:
    """The usable keys of a function's current result."""

    def __init__(self, keys: Callable[[], Keys]) -> None:
        self._keys = keys
        self._wrong: dict[str, str] = {}
        self._any = True

    def __call__(self) -> dict[str, PublicKey]:
        found: dict[str, PublicKey] = {}
        wrong: dict[str, str] = {}
        for key_id, source in self._keys().items():
            try:
                found[key_id] = _public_key(source)
            except KeyLoadError as error:
                wrong[key_id] = str(error)
        self._tell(wrong, any_key=bool(found))
        return found

    def _tell(self, wrong: dict[str, str], *, any_key: bool) -> None:
        for key_id in wrong:
            if self._wrong.get(key_id) != wrong[key_id]:
                _log.warning("the public key of %s: %s; it is not trusted", ascii(key_id)[1:-1], wrong[key_id])
        if self._any and not any_key:
            _log.error("no key is trusted: every request that needs a signature is refused")
        self._wrong, self._any = wrong, any_key


def _loaded(keys: Keys) -> dict[str, PublicKey]:
    found: dict[str, PublicKey] = {}
    for key_id, source in keys.items():
        checked_key_pair_id(key_id, "a key-pair id in keys")
        try:
            found[key_id] = _public_key(source)
        except KeyLoadError as error:
            text = f"the public key of {key_id}: {error}"
            raise InputError(text, reason=error.reason, member="keys", value=error.value) from None
    return found


def _public_key(source: PublicKey | str | bytes | Path) -> PublicKey:
    if isinstance(source, PublicKey):
        return source
    if not isinstance(source, Path):
        return _parsed(source)
    try:
        changed = source.stat()
        return _read(source, (changed.st_mtime_ns, changed.st_ctime_ns, changed.st_ino, changed.st_size))
    except OSError as error:
        text = f"cannot read {told(source)}: {error.strerror}"
        raise KeyLoadError(text, reason="file-unreadable", value=told(source)) from None


@lru_cache(maxsize=256)
def _parsed(pem: str | bytes) -> PublicKey:
    return PublicKey.load(pem)


@lru_cache(maxsize=256)
def _read(path: Path, _version: tuple[int, ...]) -> PublicKey:
    return PublicKey.load(path.read_bytes())
