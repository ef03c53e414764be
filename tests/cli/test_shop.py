"""`keyfront shop`: items, customers and purchases without rows by hand, on SQLite."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file of the database that the environment names."""
    path = tmp_path / "shop.db"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    return path


@pytest.fixture
def shop(run: Run) -> Callable[..., str]:
    """A command of `keyfront shop` that succeeds: what it prints."""

    def shop(*arguments: str) -> str:
        status, said, err = run("shop", *arguments)
        assert (status, err) == (0, "")
        return said.strip()

    return shop


def test_an_item_is_sold_and_taken_back(shop: Callable[..., str]) -> None:
    assert shop("items", "add", "lamps", "--key", "books/lamps.epub", "--title", "Small Lights", "--price", "6.50") == (
        "Added the item lamps, which is the object books/lamps.epub."
    )
    shop("items", "add", "guide", "--key", "guide.pdf", "--kind", "document")
    assert [line.split() for line in shop("items", "list").splitlines()] == [
        ["ITEM", "PRICE", "TITLE", "KEY"],
        ["lamps", "6.50", "EUR", "Small", "Lights", "books/lamps.epub"],
        ["guide", "0.00", "EUR", "guide", "guide.pdf"],
    ]
    assert shop("purchases", "grant", "mara", "lamps", "--name", "Mara") == "mara can now download lamps."
    assert shop("purchases", "grant", "mara", "lamps") == "mara could already download lamps."
    assert shop("purchases", "list").splitlines()[1].split()[-2:] == ["mara", "lamps"]
    assert shop("customers", "list").splitlines()[1].split() == ["mara", "Mara"]
    assert shop("purchases", "revoke", "mara", "lamps").startswith("mara can no longer download lamps.")
    assert shop("purchases", "revoke", "mara", "lamps") == "mara had not bought lamps."
    assert shop("customers", "remove", "mara") == "Removed the customer mara."
    assert shop("items", "remove", "lamps") == "Removed the item lamps."


def test_json_has_every_value(shop: Callable[..., str]) -> None:
    shop("items", "add", "lamps", "--key", "lamps.epub", "--author", "Hanne", "--size", "95000")
    (item,) = json.loads(shop("items", "list", "--json"))
    assert item == {
        "id": "lamps", "title": "lamps", "key": "lamps.epub", "kind": "file", "author": "Hanne", "description": "",
        "size": 95000, "price_cents": 0, "currency": "EUR",
    }  # fmt: skip
    assert json.loads(shop("purchases", "grant", "mara", "lamps", "--json"))["new"] is True
    (bought,) = json.loads(shop("purchases", "list", "--customer", "mara", "--item", "lamps", "--json"))
    assert (bought["customer"], bought["item"], bought["bought_at"][-1]) == ("mara", "lamps", "Z")
    assert json.loads(shop("purchases", "list", "--customer", "tomas", "--json") or "[]") == []
    assert json.loads(shop("customers", "list", "--json")) == [{"id": "mara", "name": "mara", "email": ""}]
    assert json.loads(shop("items", "remove", "lamps", "--with-purchases", "--json"))["removed_purchases"] == 1


def test_a_changed_item_keeps_its_place_and_its_purchases(run: Run, shop: Callable[..., str]) -> None:
    for name in ("a", "b"):
        shop("items", "add", name, "--key", f"{name}.bin")
    shop("purchases", "grant", "mara", "a")
    status, _, err = run("shop", "items", "add", "a", "--key", "other.bin")
    assert (status, err) == (2, "error: there is an item 'a' already, with other values: give --replace to change it\n")
    assert shop("items", "add", "a", "--key", "other.bin", "--replace").startswith("Updated the item a")
    assert [(item["id"], item["key"]) for item in json.loads(shop("items", "list", "--json"))] == [
        ("a", "other.bin"),
        ("b", "b.bin"),
    ]
    status, _, err = run("shop", "items", "remove", "a")
    assert status == 2
    assert "could no longer download it (purchases: 1): give --with-purchases to remove both" in err
    assert len(json.loads(shop("purchases", "list", "--json"))) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["items", "add", "a/b", "--key", "a"], "the item id 'a/b' cannot be used in a URL"),
        (["items", "add", "a", "--key", "/a"], "begins with '/'"),
        (["items", "add", "a", "--key", "a", "--price", "1,50"], "the price '1,50' is not an amount: write it as 6.50"),
        (["items", "add", "a", "--key", "a", "--price", "-1"], "the price '-1' is not an amount"),
        (["items", "add", "a"], "give ITEM and --key KEY for one item, or --from FILE for many"),
        (["items", "add", "a", "--from", "a.csv"], "--from FILE has all values: leave out ITEM"),
        (["items", "add", "--kind", "book", "--from", "a.csv"], "--from FILE has all values: leave out ITEM"),
        (["items", "add", "--from", "no/a.csv"], "cannot read 'no/a.csv': No such file or directory"),
        (["purchases", "grant", "mara"], "give CUSTOMER and ITEM for one purchase, or --from FILE for many"),
        (["purchases", "grant", "mara", "a", "--from", "a.csv"], "--from FILE has all values: leave out CUSTOMER"),
        (["items", "add", "a", "--key", "a", "--currency", "euro"], "'euro' is not an ISO 4217 code"),
        (["items", "add", "a", "--key", "a", "--kind", "k" * 33], "the kind has 33 characters: give at most 32"),
        (["items", "add", "a", "--key", "a", "--size", str(2**63)], "the size 9223372036854775808 is too large"),
        (["items", "add", "a", "--key", "a", "--author", "a\udcff"], r"the author 'a\udcff' contains NUL or half"),
        (["items", "remove", "a"], "there is no item 'a'"),
        (["purchases", "grant", "mara", "a"], "there is no item 'a'"),
        (["purchases", "grant", "", "a"], "the customer id '' is empty"),
        (["purchases", "grant", "mara", "a", "--email", "e" * 256], "the email has 256 characters: give at most 255"),
        (["purchases", "revoke", "mara", "a"], "there is no customer 'mara'"),
        (["customers", "remove", "ma\0ra"], r"there is no customer 'ma\x00ra'"),
        (["items", "list", "--database", "mysql://a/b"], "DATABASE_URL names 'mysql', which is not supported"),
        (["items", "list", "--database", "postgresql://a/b?sslmode=on"], "sslmode='on': give one of disable, allow"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(arguments: list[str], told: str, run: Run) -> None:
    status, said, err = run("shop", *arguments)
    assert (status, said) == (2, "")
    assert told in err
    assert "Traceback" not in err


def test_hostile_texts_do_not_reach_the_terminal(shop: Callable[..., str]) -> None:
    shop("items", "add", "a", "--key", "a.bin", "--title", "ok", "--author", "\x1b[2J")
    shop("purchases", "grant", "x\u202ey", "a", "--name", "n\u200b")
    for table in (shop("items", "list"), shop("customers", "list"), shop("purchases", "list")):
        assert not {"\x1b", "\u202e", "\u200b"} & set(table)


def test_migrate_says_what_it_did(run: Run, shop: Callable[..., str]) -> None:
    assert shop("migrate") == "The schema is now at revision 0001."
    assert json.loads(shop("migrate", "--json")) == {"revision": "0001", "applied": []}
    assert "CREATE TABLE IF NOT EXISTS purchases" in shop("migrate", "--sql", "--database", "postgresql://")
    status, said, err = run("shop", "items", "list")
    assert (status, said) == (0, "")
    assert err == "There are no items. Add one: keyfront shop items add ITEM --key KEY\n"
