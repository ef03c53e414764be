"""The download service: identify the customer, check the purchase, and answer with a signed link."""

from typing import TYPE_CHECKING, Final

from keyfront.lazy import names

if TYPE_CHECKING:
    from keyfront.backend.asgi.app import create_app, from_environment
    from keyfront.backend.service.entitlements import anybody
    from keyfront.backend.service.identity import Identity
    from keyfront.backend.service.purchases import Purchases, seed
    from keyfront.backend.service.settings import Settings
    from keyfront.backend.service.tables import connect
    from keyfront.backend.service.token_settings import TokenSettings
    from keyfront.backend.service.values import Customer, Item

__all__ = [
    "Customer",
    "Identity",
    "Item",
    "Purchases",
    "Settings",
    "TokenSettings",
    "anybody",
    "connect",
    "create_app",
    "from_environment",
    "seed",
]

# Imported at first use: a function on Lambda starts without the time that Starlette and SQLAlchemy take to load.
_MODULES: Final = {
    "Customer": "service.values",
    "Identity": "service.identity",
    "Item": "service.values",
    "Purchases": "service.purchases",
    "Settings": "service.settings",
    "TokenSettings": "service.token_settings",
    "anybody": "service.entitlements",
    "connect": "service.tables",
    "create_app": "asgi.app",
    "from_environment": "asgi.app",
    "seed": "service.purchases",
}

__getattr__, __dir__ = names(globals(), _MODULES)
