"""The download service: who is asking, what they bought, and a signed link to it."""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from keyfront.backend.app import create_app, from_environment
    from keyfront.backend.identity import Identity
    from keyfront.backend.purchases import Purchases, seed
    from keyfront.backend.settings import Settings
    from keyfront.backend.tables import connect
    from keyfront.backend.token_settings import TokenSettings
    from keyfront.backend.values import Customer, Item

__all__ = [
    "Customer",
    "Identity",
    "Item",
    "Purchases",
    "Settings",
    "TokenSettings",
    "connect",
    "create_app",
    "from_environment",
    "seed",
]

# Loaded when first used: a function on Lambda starts without the time that Starlette and SQLAlchemy take to load.
_ROOMS: Final = {
    "Customer": "values",
    "Identity": "identity",
    "Item": "values",
    "Purchases": "purchases",
    "Settings": "settings",
    "TokenSettings": "token_settings",
    "connect": "tables",
    "create_app": "app",
    "from_environment": "app",
    "seed": "purchases",
}


def __getattr__(name: str) -> object:
    room = _ROOMS.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{room}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
