"""The shop of `keyfront up`: the bundled one, or the files in a user's folder."""

from pathlib import Path

from keyfront.local.shop.catalogue import Shop, bundled
from keyfront.local.shop.folder import shop_of

__all__ = ["Shop", "load_shop"]


def load_shop(content: Path | None) -> Shop:
    """Return the bundled shop, or a shop with the files in the folder `content` and the same two customers.

    Raises `InputError` if the folder is missing, empty or cannot be read.
    """
    shop = bundled()
    return shop if content is None else shop_of(content, shop.customers, shop.items[0].currency)
