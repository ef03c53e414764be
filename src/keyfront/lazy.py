"""Packages whose names are loaded when first used, so that a program waits only for the modules it needs."""

from collections.abc import Callable, Mapping, MutableMapping
from importlib import import_module


def names(
    package: MutableMapping[str, object], modules: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` for `package`, a package's `globals()`. `modules` maps names to modules."""

    def get(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{package['__name__']}.{modules[name]}"), name)
        package[name] = value
        return value

    return get, lambda: sorted({*package, *modules})
