"""Turns moto's backends into bytes, and back: all services in one piece, so shared objects stay shared.

pickle alone fails for closures, locks, weak references and private keys, and would restore only the last version of
an object in a bucket. Importing this module imports moto.
"""

import copyreg
import importlib
import io
import os
import pickle
import sys
import threading
import weakref
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Collection, Hashable
from functools import cache
from typing import Any, Final, cast

import cloudpickle  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from moto.core.base_backend import AccountSpecificBackend, BackendDict, BaseBackend
from moto.s3.models import FakeKey

from keyfront.local.aws.object_files import Source

_LARGE: Final = 64 * 1024
"""The contents of objects of this size and more, in bytes, are not pickled."""
_OWN: Final = frozenset(vars(BackendDict(BaseBackend, "")))
"""Attributes that every service's table has. All others are state."""

Reduced = tuple[Any, ...]


def services() -> dict[str, BackendDict[Any]]:
    """Return the services in use, by names that can be imported again (`MODULE:VARIABLE`)."""
    return {_name(table): table for table in list(BackendDict._instances)}  # type: ignore[misc]


def dump(names: Collection[str]) -> tuple[bytes, list[FakeKey]]:
    """Return the state of these services, and the keys with contents that are not in these bytes.

    Raises `RuntimeError` if something changes meanwhile, and any other exception for an object that cannot be pickled.
    """
    state = {
        name: (
            {attribute: value for attribute, value in vars(table).items() if attribute not in _OWN},
            {(account, region): vars(backend) for account, region, backend in list(table.iter_backends())},
        )
        for name, table in services().items()
        if name in names
    }
    stream = io.BytesIO()
    pickler = _Pickler(stream)
    pickler.dump(state)
    large = pickler.large
    pickler.dump(large)
    return stream.getvalue(), large


def load(content: bytes) -> list[FakeKey]:
    """Restore into moto the bytes from `dump`. Return the keys that still need their contents, in the same order.

    Raises any exception for bytes that are not from `dump` or from another moto. It runs code in the bytes, so give it
    only trusted ones.
    """
    unpickler = pickle.Unpickler(io.BytesIO(content))  # noqa: S301 (as the docstring says)
    state: dict[str, tuple[dict[str, Any], dict[tuple[str, str], dict[str, Any]]]] = unpickler.load()
    large: list[FakeKey] = unpickler.load()
    for name, (attributes, backends) in state.items():
        vars(_service(name)).update(attributes)
        for (account, region), values in backends.items():
            vars(_backend(name, account, region)).update(values)
    return large


def source(key: FakeKey) -> Source:
    """Return the content of an object now."""
    with key.lock:
        if key._value_buffer.closed:
            return Source(b"")
        file = key._value_buffer._file
        if isinstance(file, io.BytesIO):
            return Source(file.getvalue())
        file.flush()
        return Source(os.dup(file.fileno()))


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream, protocol=pickle.HIGHEST_PROTOCOL)
        self.large: list[FakeKey] = []
        self._places: dict[int, Reduced] = {}
        for name, table in services().items():
            self._places[id(table)] = (_service, (name,))
            for account, regions in table.items():
                self._places[id(regions)] = (_account, (name, account))
                for region, backend in regions.items():
                    self._places[id(backend)] = (_backend, (name, account, region))

    def reducer_override(self, value: Any) -> Any:
        """Return how to pickle objects that pickle and cloudpickle cannot."""
        if place := self._places.get(id(value)):
            return place
        if isinstance(value, FakeKey):
            return self._object(value)
        reducer = _reducer(cast("Hashable", type(value)))
        return reducer(value) if reducer else super().reducer_override(value)

    def _object(self, key: FakeKey) -> Reduced:
        state = {name: item for name, item in vars(key).items() if name not in ("_value_buffer", "lock")}
        content: bytes | None = None
        if not key._value_buffer.closed:
            content = b""
            if key.contentsize < _LARGE:
                with source(key) as pieces:
                    content = b"".join(pieces)
            else:
                self.large.append(key)
        return copyreg.__newobj__, (type(key),), (state, content), None, None, _fill_key  # type: ignore[attr-defined]


@cache
def _reducer(kind: Hashable) -> Callable[[Any], Reduced] | None:
    return next((reducer for kinds, reducer in _REDUCERS if issubclass(cast("type", kind), kinds)), None)


def _fill_key(key: FakeKey, state: tuple[dict[str, Any], bytes | None]) -> None:
    attributes, content = state
    key.__setstate__({**attributes, "value": content or b""})
    if content is None:  # a user's file, or a deleted object
        key._value_buffer.close()
    # Setting the value has changed it to the size of that value.
    key.contentsize = attributes["contentsize"]


def _reduce_mapping(value: Any) -> Reduced:
    """Pickle a subclass of `dict` by its real items. Its own methods may show others."""
    factory = value.default_factory if isinstance(value, defaultdict) else None
    state = (value.__getstate__(), factory, dict(dict.items(value)))
    return copyreg.__newobj__, (type(value),), state, None, None, _fill_mapping  # type: ignore[attr-defined]


def _fill_mapping(mapping: Any, state: tuple[dict[str, Any] | None, Any, dict[Any, Any]]) -> None:
    attributes, factory, items = state
    if attributes:
        vars(mapping).update(attributes)
    if isinstance(mapping, defaultdict):
        mapping.default_factory = factory
    dict.update(mapping, items)


def _reduce_weak(value: "weakref.WeakValueDictionary[Any, Any]") -> Reduced:
    return weakref.WeakValueDictionary, (), None, None, iter(list(value.items()))


def _reduce_private_key(key: PrivateKeyTypes) -> Reduced:
    encoding, form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
    return _private_key, (key.private_bytes(encoding, form, serialization.NoEncryption()),)


def _private_key(der: bytes) -> PrivateKeyTypes:
    # We wrote this key ourselves, so skip the check, which takes 45 ms for each key.
    return serialization.load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)


def _reduce_public_key(key: PublicKeyTypes) -> Reduced:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return _public_key, (key.public_bytes(serialization.Encoding.DER, form),)


def _public_key(der: bytes) -> PublicKeyTypes:
    return serialization.load_der_public_key(der)


def _reduce_certificate(certificate: x509.Certificate) -> Reduced:
    return _certificate, (certificate.public_bytes(serialization.Encoding.DER),)


def _certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def _refuse(value: Any) -> Reduced:
    raise pickle.PicklingError(f"a {type(value).__name__} that does not belong to a service")


_REDUCERS: Final[tuple[tuple[Any, Callable[[Any], Reduced]], ...]] = (
    ((BaseBackend, BackendDict, AccountSpecificBackend), _refuse),
    (PrivateKeyTypes.__args__, _reduce_private_key),  # type: ignore[attr-defined]
    (PublicKeyTypes.__args__, _reduce_public_key),  # type: ignore[attr-defined]
    (x509.Certificate, _reduce_certificate),
    (type(threading.Lock()), lambda _: (threading.Lock, ())),
    (type(threading.RLock()), lambda _: (threading.RLock, ())),
    (weakref.WeakValueDictionary, _reduce_weak),
    # These have an order or a special meaning, which pickle supports.
    ((OrderedDict, Counter), lambda value: value.__reduce_ex__(pickle.HIGHEST_PROTOCOL)),
    (dict, _reduce_mapping),
)


@cache
def _name(table: BackendDict[Any]) -> str:
    home = table.backend.__module__
    for module in (home, *(name for name in list(sys.modules) if name.startswith("moto."))):
        for variable, value in vars(sys.modules[module]).items():
            if value is table:
                return f"{module}:{variable}"
    raise pickle.PicklingError(f"moto's {table.service_name} cannot be found under any name")


def _service(name: str) -> BackendDict[Any]:
    module, _, variable = name.partition(":")
    table: BackendDict[Any] = getattr(importlib.import_module(module), variable)
    return table


def _account(name: str, account: str) -> AccountSpecificBackend[Any]:
    return _service(name)[account]


def _backend(name: str, account: str, region: str) -> BaseBackend:
    regions = _account(name, account)
    if region not in regions.keys():  # noqa: SIM118 (`in` is true for regions without a backend)
        # Skip the constructor: its values would all be overwritten.
        backend: BaseBackend = object.__new__(regions.backend)
        backend.region_name, backend.account_id = region, account
        dict.__setitem__(regions, region, backend)
    return cast("BaseBackend", dict.__getitem__(regions, region))
