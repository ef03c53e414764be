"""What `keyfront up` sells: the bundled shop, or the files in a folder of the user's."""

from pathlib import Path

from keyfront.local.shop.catalogue import Shop, bundled
from keyfront.local.shop.folder import shop_of

__all__ = ["Shop", "load_shop"]


def load_shop(content: Path | None) -> Shop:
    """The bundled shop, or with `content` the files of that folder, sold to the same two customers.

    Raises `InputError` when the folder is missing, empty or cannot be read.
    """
    shop = bundled()
    return shop if content is None else shop_of(content, shop.customers, shop.items[0].currency)
