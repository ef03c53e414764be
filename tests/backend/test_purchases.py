"""Customers, items and purchases, on SQLite and on a real PostgreSQL."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.backend.conftest import BOUGHT, ITEMS, MARA, TOMAS
from tests.backend.postgres import Postgres

from keyfront.backend import Customer, Item, Purchases, connect, seed
from keyfront.backend.service.ledger import Changes, Granted, Ledger, Row
from keyfront.backend.service.schema import prepare
from keyfront.errors import InputError, ServiceError


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        yield postgres.url


@pytest.fixture
def empty(database: str) -> Iterator[Engine]:
    engine = connect(database)
    yield engine
    engine.dispose()


@pytest.fixture
def purchases(empty: Engine) -> Purchases:
    seed(empty, ITEMS, (MARA, TOMAS), BOUGHT)
    return Purchases(empty)


def test_what_was_seeded_is_read_back_in_its_order(purchases: Purchases) -> None:
    assert purchases.items().items == ITEMS
    assert purchases.items().total == 3
    assert purchases.customers() == (MARA, TOMAS)
    assert purchases.customer("mara") == MARA
    assert purchases.item("guide") == ITEMS[1]


def test_an_entitlement_is_the_item_and_whether_it_is_theirs(purchases: Purchases) -> None:
    assert purchases.entitlement("mara", "lamps") == (ITEMS[0], True)
    assert purchases.entitlement("tomas", "lamps") == (ITEMS[0], False)
    assert purchases.entitlement("nobody", "lamps") == (ITEMS[0], False)
    assert purchases.entitlement("mara", "nothing") == (None, False)
    assert purchases.entitlement("mara", "nothing\0") == (None, False)


def test_a_library_is_what_was_bought(purchases: Purchases) -> None:
    assert purchases.library("mara") == ITEMS[:2]
    assert purchases.library("tomas") == (ITEMS[1],)
    assert purchases.library("nobody") == ()
    assert purchases.owned("mara", ["lamps", "waltz"]) == {"lamps"}
    assert purchases.owned("mara", []) == frozenset()


def test_nobody_is_nobody(purchases: Purchases) -> None:
    assert purchases.customer("nobody") is None
    assert purchases.customer("mara\0") is None
    assert purchases.customer("") is None
    assert purchases.item("nothing") is None
    assert purchases.item("' OR 1=1 --") is None


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["lamps", "guide", "waltz"]),
        ("LIGHTS", ["lamps", "guide"]),
        ("lights keeper", ["lamps"]),
        ("skerrow", ["waltz"]),
        ("audio", ["waltz"]),
        ("guides/", ["guide"]),
        ("watch.flac", ["waltz"]),
        ("%", ["guide"]),
        ("_", []),
        ("\\", []),
        ("' OR 1=1 --", []),
    ],
)
def test_a_search_finds_every_word_and_takes_wildcards_for_what_they_are(
    search: str, found: list[str], purchases: Purchases
) -> None:
    page = purchases.items(search=search)
    assert [item.id for item in page.items] == found
    assert page.total == len(found)


def test_pages_are_slices_of_the_catalogue(purchases: Purchases) -> None:
    page = purchases.items(offset=1, limit=1)
    assert (page.items, page.total) == ((ITEMS[1],), 3)


def test_a_purchase_is_recorded_once_however_often_it_is_made(purchases: Purchases) -> None:
    assert purchases.record(TOMAS, "lamps") is True
    assert purchases.record(TOMAS, "lamps") is False
    assert purchases.entitlement("tomas", "lamps")[1]


def test_many_items_and_purchases_are_recorded_together_or_not_at_all(empty: Engine) -> None:
    ledger = Ledger(empty)
    some = [Row(Item(f"i{number}", "x", f"{number}.bin")) for number in range(700)]
    assert ledger.put_items(iter(some)) == Changes(added=700)
    other = Row(Item("i0", "another title", "0.bin"))
    with pytest.raises(InputError, match="there is an item 'i0' already"):
        ledger.put_items([Row(Item("new", "x", "x")), other])
    assert ledger.item("new") is None
    assert ledger.put_items([other, *some[1:]], replace=True) == Changes(updated=1, unchanged=699)
    wanted = [Row(Granted(Customer(f"c{number % 9}", "C"), f"i{number}")) for number in range(600)]
    with pytest.raises(InputError, match="line 9: there is no item 'nothing'"):
        ledger.grant(iter([*wanted, Row(Granted(TOMAS, "nothing"), "line 9: ")]))
    assert ledger.customers() == ()
    # The same purchase twice, in one statement.
    assert ledger.grant(iter([*wanted, wanted[0], *wanted[-2:]])) == Changes(added=600, unchanged=3)
    assert len(ledger.purchases()) == 600


def test_a_purchase_made_by_many_at_once_is_recorded_once(purchases: Purchases) -> None:
    together = threading.Barrier(12)

    def buy(_: int) -> bool:
        together.wait(30)
        return purchases.record(TOMAS, "waltz")

    with ThreadPoolExecutor(12) as pool:
        assert sorted(pool.map(buy, range(12))) == [False] * 11 + [True]
    assert [item.id for item in purchases.library("tomas")] == ["guide", "waltz"]


def test_a_customer_of_the_token_issuers_is_entered_with_their_first_purchase(purchases: Purchases) -> None:
    assert purchases.record(Customer("auth0|1", "Ines"), "waltz")
    assert purchases.customer("auth0|1") == Customer("auth0|1", "Ines")
    assert purchases.record(Customer("mara", "Somebody Else"), "waltz")
    assert purchases.customer("mara") == MARA


@pytest.mark.parametrize("item", ["nothing", "", "a b", "lamps\0"])
def test_what_is_not_sold_cannot_be_bought(item: str, purchases: Purchases) -> None:
    with pytest.raises(InputError, match="there is no item"):
        purchases.record(MARA, item)


def test_seeding_again_updates_and_keeps_what_was_bought(purchases: Purchases, empty: Engine) -> None:
    purchases.record(TOMAS, "lamps")
    dearer = Item("lamps", "The Keeper", "moved/lamps.epub", price_cents=700)
    seed(empty, [ITEMS[1], dearer], [Customer("tomas", "Tomas O.")])
    assert purchases.entitlement("tomas", "lamps") == (dearer, True)
    assert purchases.customer("tomas") == Customer("tomas", "Tomas O.")
    assert purchases.item("waltz") == ITEMS[2]
    assert purchases.items().items[0].id == "guide"


def test_seeding_is_all_or_nothing(empty: Engine) -> None:
    with pytest.raises(InputError, match="purchase of 'nothing' by 'mara': no such item or customer"):
        seed(empty, ITEMS, (MARA,), [("mara", "lamps"), ("mara", "nothing")])
    assert Purchases(empty).items().total == 0
    assert Purchases(empty).customers() == ()


def test_many_processes_may_make_the_tables_at_once(database: str) -> None:
    engines = [connect(database) for _ in range(6)]
    together = threading.Barrier(6)

    def make(engine: Engine) -> None:
        together.wait(30)
        prepare(engine)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(make, engines))
    Purchases(engines[0]).check()
    for engine in engines:
        engine.dispose()


def test_a_large_catalogue_is_entered_whole(empty: Engine) -> None:
    items = [Item(f"i{n}", f"Item {n}", f"files/{n} ü.bin", size=2**40) for n in range(300)]
    seed(empty, items, [])
    page = Purchases(empty).items(offset=290, limit=24)
    assert (len(page.items), page.total, page.items[-1]) == (10, 300, items[-1])


def test_a_role_that_may_not_make_tables_can_use_those_that_are_there(postgres: Postgres) -> None:
    owner = connect(postgres.url)
    seed(owner, ITEMS, (MARA,), [("mara", "lamps")])
    with owner.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS shop"))
        connection.execute(text("CREATE ROLE shop LOGIN"))
        connection.execute(text("GRANT SELECT, INSERT ON customers, items, purchases TO shop"))
    limited = connect(postgres.url.replace("postgres@", "shop@"))
    purchases = Purchases(limited)
    assert purchases.entitlement("mara", "lamps") == (ITEMS[0], True)
    assert purchases.record(TOMAS, "lamps")
    limited.dispose()
    with owner.begin() as connection:
        connection.execute(text("DROP OWNED BY shop"))
        connection.execute(text("DROP ROLE shop"))
    owner.dispose()


@pytest.mark.parametrize(
    "url",
    ["sqlite:////nowhere/at/all/shop.db", "postgresql://shop:MARKERsecret@127.0.0.1:1/shop"],
)
def test_a_database_out_of_reach_is_a_service_error_without_its_password(url: str) -> None:
    engine = connect(url)
    with pytest.raises(ServiceError, match="the purchases database did not answer: OperationalError") as caught:
        Purchases(engine).check()
    assert "MARKER" not in str(caught.value)
    assert "\n" not in str(caught.value)
    engine.dispose()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": ""}, "cannot be used in a URL"),
        ({"id": "a/b"}, "cannot be used in a URL"),
        ({"id": ".."}, "cannot be used in a URL"),
        ({"id": "x" * 129}, "cannot be used in a URL"),
        ({"title": ""}, "its title is empty"),
        ({"title": "a\nb"}, "its title is empty or contains control"),
        ({"size": -1}, "is negative"),
        ({"price_cents": -1}, "is negative"),
        ({"currency": "euro"}, "'euro' is not an ISO 4217 code"),
        ({"key": ""}, "its key '' is empty"),
        ({"key": "/a.pdf"}, "begins with '/'"),
        ({"key": "a/../b.pdf"}, r"contains a '.' or '..' segment"),
        ({"key": "a\r\nb"}, "contains control characters"),
        ({"key": "a\udcff.pdf"}, "half a surrogate pair"),
        ({"key": "ü" * 600}, "is longer than 1024 bytes"),
    ],
)
def test_an_item_that_could_not_be_delivered_is_refused(changes: dict[str, str | int], message: str) -> None:
    values: dict[str, str | int] = {"id": "a", "title": "A", "key": "a.pdf"}
    with pytest.raises(InputError, match=message):
        Item(**values | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("customer_id", ["", "x" * 256, "a\nb"])
def test_a_customer_without_a_usable_id_is_refused(customer_id: str) -> None:
    with pytest.raises(InputError, match="the customer id"):
        Customer(customer_id, "Mara")
