"""The download service: who is asking, what they bought, and a signed link to it."""

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
