"""`shop.toml`: titles, prices and the order of a folder's items."""

from pathlib import Path

import pytest

from keyfront.errors import InputError
from keyfront.local.shop import load_shop


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "music").mkdir()
    for name in ("a.pdf", "b.epub", "music/night-watch.flac"):
        (tmp_path / name).write_text(name)
    return tmp_path


def test_it_names_prices_and_orders_what_it_wants_to_and_is_not_for_sale(folder: Path) -> None:
    (folder / "shop.toml").write_text(
        """
        title = "Lamp & Key"
        currency = "USD"
        price = 3

        [[items]]
        file = "music/night-watch.flac"
        title = "Night Watch"
        author = "Skerrow Music Box"
        description = "A slow waltz."
        price = 1.50

        [[items]]
        file = "b.epub"
        kind = "document"
        price = 0
        """
    )
    shop = load_shop(folder)
    assert shop.title == "Lamp & Key"
    told = [(item.key, item.title, item.author, item.kind, item.price_cents, item.currency) for item in shop.items]
    assert told == [
        ("music/night-watch.flac", "Night Watch", "Skerrow Music Box", "audio", 150, "USD"),
        ("b.epub", "B", "", "document", 0, "USD"),
        ("a.pdf", "A", "", "document", 300, "USD"),
    ]
    assert not shop.left_out


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("title = ", r"shop\.toml is not TOML: "),
        ("titel = 'x'", r"shop\.toml has 'titel', which is not known: use title, currency, price, items"),
        ("title = 3", "title is 3, and must be text"),
        ("items = 3", r"items is not a list of tables: write \[\[items\]\]"),
        ("[[items]]", "an item has no file: write file ="),
        ("[[items]]\nfile = 'gone.pdf'", r"names the file 'gone\.pdf', which is not in the folder"),
        ("[[items]]\nfile = '../a.pdf'", r"names the file '\.\./a\.pdf', which is not in the folder"),
        ("[[items]]\nfile = 'a.pdf'\n[[items]]\nfile = 'a.pdf'", r"has the file 'a\.pdf' twice"),
        ("[[items]]\nfile = 'a.pdf'\nsize = 3", r"the item 'a\.pdf' has 'size', which is not known"),
        ("price = -1", "price is -1, and must be an amount such as 4.50"),
        ("price = true", "price is True, and must be an amount"),
        ("price = nan", "price is NaN, and must be an amount"),
        ("price = 1.999", "price is 1.999, and can have two decimal places at most"),
        ("price = 1e30", "must be an amount"),
        ("currency = 'Euro'", "its currency 'Euro' is not an ISO 4217 code"),
        ("[[items]]\nfile = 'a.pdf'\ntitle = ''", "its title is empty"),
        ("title = '\ud800'", "is not TOML|cannot be read"),
    ],
)
def test_what_is_wrong_is_told_with_the_place(folder: Path, text: str, complaint: str) -> None:
    (folder / "shop.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError, match=complaint):
        load_shop(folder)
