"""Packages whose names are loaded when they are first used: what a program does not need, it does not wait for."""

from collections.abc import Callable, Mapping, MutableMapping
from importlib import import_module


def names(
    package: MutableMapping[str, object], modules: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package (its `globals()`). `modules` says which module each name is in."""

    def get(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{package['__name__']}.{modules[name]}"), name)
        package[name] = value
        return value

    return get, lambda: sorted({*package, *modules})
