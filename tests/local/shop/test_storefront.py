"""The shop's storefront over HTTP: what each customer sees, and what a forged request gets."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import Engine
from tests.backend.conftest import KEY_PAIR_ID, MARA, Issuer, serving

from keyfront.backend import Customer, Item, Settings, connect, seed
from keyfront.backend.service.purchases import Purchases
from keyfront.backend.service.rate_limits import Rates
from keyfront.core.keys import SigningKey
from keyfront.core.verification import ViewerRequest, verify
from keyfront.keystore import KeyStore
from keyfront.local.shop.app import shop_app
from keyfront.web.types import ASGIApp

Serve = Callable[[ASGIApp], AbstractContextManager[httpx.Client]]


def sign_in(shop: httpx.Client, customer: str = "mara", **more: str) -> httpx.Response:
    return shop.post("/sign-in", data={"customer": customer, **more})


def card(page: str, title: str) -> str:
    """The part of the catalogue that shows one item."""
    return next(part for part in page.split('<li class="card">')[1:] if f">{title}</a>" in part)


def test_a_visitor_sees_everything_with_its_price_and_downloads_nothing(shop: httpx.Client) -> None:
    page = shop.get("/").text
    assert page.count('<li class="card">') == 3
    assert "€6.50" in card(page, "The Keeper of Small Lights")
    assert "Free" in card(page, "Night Watch")
    assert "/download/" not in page
    assert "Sign in" in page


def test_a_customer_sees_what_is_theirs(shop: httpx.Client) -> None:
    assert sign_in(shop).headers["location"] == "/"
    page = shop.get("/").text
    assert "Mara Lindqvist" in page
    mine, other = card(page, "The Keeper of Small Lights"), card(page, "Night Watch")
    assert "In your library" in mine
    assert 'href="/download/lamps"' in mine
    assert "Not in your library" in other
    assert "/download/" not in other
    assert 'action="/items/waltz/buy"' in other


def test_the_library_holds_what_was_bought_and_nothing_else(shop: httpx.Client) -> None:
    sign_in(shop, "tomas")
    page = shop.get("/library").text
    assert "Harbour Lights" in page
    assert "Small Lights" not in page
    assert 'href="/download/guide"' in page


def test_a_download_from_the_library_is_a_link_that_verifies(shop: httpx.Client, signing_key: SigningKey) -> None:
    sign_in(shop)
    answer = shop.get("/download/lamps")
    assert answer.status_code == 303
    url = answer.headers["location"]
    end = int(re.findall(r"Expires=(\d+)", url)[0])
    assert verify(ViewerRequest(url), {KEY_PAIR_ID: signing_key.public_key}, end - 1).allowed


def test_a_download_of_what_was_not_bought_leads_to_a_page_that_says_why(shop: httpx.Client) -> None:
    sign_in(shop, "tomas")
    answer = shop.get("/download/lamps")
    assert answer.status_code == 403
    assert "You are signed in as Tomas Okafor, who has not bought “The Keeper of Small Lights”." in answer.text
    assert 'action="/items/lamps/buy"' in answer.text


def test_a_download_without_signing_in_leads_to_a_page_that_leads_back(shop: httpx.Client) -> None:
    answer = shop.get("/download/lamps")
    assert answer.status_code == 401
    assert 'href="/sign-in?next=/items/lamps"' in answer.text
    assert 'name="next" value="/items/lamps"' in shop.get("/sign-in?next=/items/lamps").text
    assert sign_in(shop, next="/items/lamps").headers["location"] == "/items/lamps"


def test_a_download_of_what_does_not_exist_leads_to_a_page(shop: httpx.Client) -> None:
    sign_in(shop)
    answer = shop.get("/download/nothing")
    assert answer.status_code == 404
    assert "Item not found" in answer.text
    assert shop.get("/items/nothing").status_code == 404
    assert shop.get("/items/%00").status_code == 404
    assert "Page not found" in shop.get("/nowhere").text


def test_buying_puts_an_item_into_the_library(shop: httpx.Client) -> None:
    sign_in(shop)
    answer = shop.post("/items/waltz/buy")
    assert (answer.status_code, answer.headers["location"]) == (303, "/items/waltz")
    page = shop.get("/items/waltz").text
    assert "“Night Watch” is yours." in page
    assert "“Night Watch” is yours." not in shop.get("/items/waltz").text
    assert shop.get("/download/waltz").status_code == 303
    shop.post("/items/waltz/buy")
    assert "is already in your library" in shop.get("/items/waltz").text


def test_buying_needs_somebody_who_buys_and_something_to_buy(shop: httpx.Client) -> None:
    answer = shop.post("/items/waltz/buy")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/items/waltz")
    sign_in(shop)
    assert shop.post("/items/nothing/buy").status_code == 404
    assert shop.get("/items/waltz/buy").status_code == 405


def test_a_library_needs_somebody_whose_it_is(shop: httpx.Client) -> None:
    assert shop.get("/library").headers["location"] == "/sign-in?next=/library"


def test_signing_out_ends_it(shop: httpx.Client) -> None:
    sign_in(shop)
    assert shop.post("/sign-out").headers["location"] == "/"
    assert shop.get("/download/lamps").status_code == 401
    assert shop.get("/sign-out").status_code == 405


def test_signing_in_as_somebody_else_leaves_nothing_of_the_first(shop: httpx.Client) -> None:
    sign_in(shop)
    shop.post("/items/waltz/buy")
    sign_in(shop, "tomas")
    page = shop.get("/").text
    assert "Tomas Okafor" in page
    assert "Night Watch” is yours" not in page


@pytest.mark.parametrize("form", [{}, {"customer": "nobody"}, {"customer": ""}, {"customer": "mara\0"}])
def test_nobody_can_be_who_does_not_exist(form: dict[str, str], shop: httpx.Client) -> None:
    answer = shop.post("/sign-in", data=form)
    assert answer.status_code == 400
    assert "This customer does not exist" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "///evil.example",
        "/items/..%2f",
        "/items/a/../../x",
        "javascript:alert(1)",
        "/download/lamps",
        "/items/lamps\r\nX-Injected: 1",
        "/library\n",
        " /library",
    ],
)
def test_a_sign_in_leads_back_to_our_own_pages_alone(path: str, shop: httpx.Client) -> None:
    answer = sign_in(shop, next=path)
    assert answer.headers["location"] == "/"
    assert "x-injected" not in answer.headers
    assert 'name="next" value="/"' in shop.get("/sign-in", params={"next": path}).text


def test_the_session_cookie_is_out_of_reach_for_scripts_and_other_sites(shop: httpx.Client) -> None:
    cookie = sign_in(shop).headers["set-cookie"].lower()
    assert cookie.startswith("keyfront_session=")
    assert "; httponly" in cookie
    assert "; samesite=lax" in cookie


def test_a_session_cookie_that_was_changed_counts_for_nothing(shop: httpx.Client) -> None:
    sign_in(shop)
    good = shop.cookies["keyfront_session"]
    for bad in (f"{good[:5]}{'A' if good[5] != 'A' else 'B'}{good[6:]}", good[:-1], "null", "", "é", "a.b.c"):
        shop.cookies.clear()
        answer = shop.get("/download/lamps", headers=[(b"Cookie", f"keyfront_session={bad}".encode("latin-1"))])
        assert answer.status_code == 401


def test_a_session_of_another_process_counts_for_nothing(
    settings: Settings, engine: Engine, keystore: KeyStore, serve: Serve, shop: httpx.Client
) -> None:
    cookie = sign_in(shop).headers["set-cookie"].partition(";")[0]
    with serve(shop_app(settings, engine, keystore=keystore)) as another:
        for each, status in ((shop, 303), (another, 401)):
            assert each.get("/download/lamps", headers={"Cookie": cookie}).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Origin": "OWN"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "OWN"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://[broken"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "OWN"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "OWN"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/items/waltz/buy", "/sign-out", "/sign-in"])
def test_a_post_that_another_sites_page_sent_is_refused(
    path: str, headers: dict[str, str], status: int, shop: httpx.Client
) -> None:
    sign_in(shop)
    own = str(shop.base_url).rstrip("/")
    sent = {name: value.replace("OWN", own) for name, value in headers.items()}
    answer = shop.post(path, headers=sent, data={"customer": "tomas"})
    assert answer.status_code == status
    if status == 403:
        assert "Another page sent this form in your name" in answer.text
        assert "set-cookie" not in answer.headers
        assert shop.get("/download/waltz").status_code == 403


def test_a_session_gets_links_as_json_too(shop: httpx.Client) -> None:
    sign_in(shop)
    assert shop.post("/api/links", json={"item": "lamps"}).json()["item"] == "lamps"
    evil = shop.post("/api/links", json={"item": "lamps"}, headers={"Origin": "https://evil.example"})
    assert evil.status_code == 403


def test_a_bearer_token_opens_the_shop_as_well(shop: httpx.Client, issuer: Issuer) -> None:
    answer = shop.get("/download/lamps", headers={"Authorization": f"Bearer {issuer.token()}"})
    assert answer.status_code == 303


def test_a_bad_token_is_refused_even_beside_a_good_session(shop: httpx.Client) -> None:
    assert shop.post("/sign-in", data={"customer": "mara"}).status_code == 303
    assert shop.get("/download/lamps").status_code == 303
    assert shop.get("/download/lamps", headers={"Authorization": "Bearer a.b.c"}).status_code == 401


def test_a_form_that_never_ends_is_refused(shop: httpx.Client) -> None:
    assert shop.post("/sign-in", data={"customer": "m" * 100_000}).status_code == 413


def test_what_sellers_and_customers_write_is_text_on_the_page_and_nothing_more(
    engine: Engine, settings: Settings, keystore: KeyStore, serve: Serve
) -> None:
    evil = '"><script>alert(1)</script>'
    item = Item("evil", evil, f"{evil}.pdf", evil, evil, evil)
    seed(engine, [item], [Customer("evil", evil, evil)], [("evil", "evil"), ("mara", "evil")])
    app = shop_app(settings, engine, keystore=keystore, title=evil)
    with serve(app) as shop:
        shop.headers["Accept"] = "text/html"
        pages = [shop.get("/sign-in"), shop.get(f"/?q={evil}"), shop.get("/", params={"page": evil})]
        sign_in(shop, "evil")
        pages += [shop.get(path) for path in ("/", "/items/evil", "/library", "/download/lamps", "/nowhere")]
        shop.post("/items/evil/buy")
        pages.append(shop.get("/items/evil"))
        shop.post("/items/evil/buy")
    assert all("<script" not in page.text for page in pages)
    assert "&lt;script&gt;" in pages[4].text


def test_a_customer_who_was_taken_out_is_signed_in_no_longer(shop: httpx.Client, engine: Engine) -> None:
    sign_in(shop)
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        connection.exec_driver_sql("DELETE FROM customers WHERE id = 'mara'")
    assert shop.get("/download/lamps").status_code == 401


def test_a_large_catalogue_has_pages_and_a_search(shop: httpx.Client, engine: Engine) -> None:
    seed(engine, [Item(f"n{n}", f"Night {n}", f"{n}.bin") for n in range(60)], [MARA])
    first = shop.get("/").text
    assert first.count('<li class="card">') == 24
    assert "Page 1 of 3" in first
    assert 'href="/?page=2"' in first
    last = shop.get("/", params={"q": "night", "page": 3}).text
    assert last.count('<li class="card">') == 61 - 48
    assert 'href="/?q=night&amp;page=2"' in last
    assert "Nothing matches your search" in shop.get("/?q=zebra").text


def test_folders_orders_and_neighbours_lead_through_the_catalogue(shop: httpx.Client, engine: Engine) -> None:
    names = ("music/2024/b", "music/2024/A", "music/live/c")
    new = [Item(f"n{at}", key[-1], key, price_cents=9 - at) for at, key in enumerate(names)]
    seed(engine, [*Purchases(engine).items().items, *new], [])
    page = shop.get("/").text
    assert '<a href="/?folder=music">' in page
    page = shop.get("/?folder=music").text
    assert '<span aria-current="page">music</span>' in page
    assert '<a href="/?folder=music%2F2024">' in page
    assert re.findall(r'<h2><a href="/items/(\w+)">', page) == ["n0", "n1", "n2"]
    assert re.findall(r'<h2><a href="/items/(\w+)">', shop.get("/?folder=music&sort=title").text) == ["n1", "n0", "n2"]
    assert re.findall(r'<h2><a href="/items/(\w+)">', shop.get("/?folder=music&sort=price").text) == ["n2", "n1", "n0"]
    assert "Nothing is for sale yet" in shop.get("/?folder=musi").text
    middle = shop.get("/items/n1").text
    assert re.findall(r'rel="(\w+)" href="/items/(\w+)"', middle) == [("prev", "n0"), ("next", "n2")]
    assert '<a href="/?folder=music%2F2024">' in middle


@pytest.mark.parametrize("page", ["0", "-1", "99999999999", "x", "1e3", "99"])
def test_a_page_that_does_not_exist_is_the_nearest_that_does(page: str, shop: httpx.Client) -> None:
    answer = shop.get("/", params={"page": page})
    assert answer.status_code == 200
    assert answer.text.count('<li class="card">') == 3


def test_an_empty_shop_says_so(settings: Settings, keystore: KeyStore, serve: Serve, tmp_path: object) -> None:
    with serve(shop_app(settings, connect(f"sqlite:///{tmp_path}/empty.db"), keystore=keystore)) as shop:
        assert "Nothing is for sale yet" in shop.get("/").text
        assert "you cannot sign in" in shop.get("/sign-in").text


def test_the_stylesheet_is_asked_for_again_and_not_sent_again(shop: httpx.Client) -> None:
    first = shop.get("/assets/shop.css")
    assert first.headers["content-type"].startswith("text/css")
    assert first.headers["cache-control"] == "no-cache"
    again = shop.get("/assets/shop.css", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for path in ("/assets/", "/assets/../app.py", "/assets/%2e%2e/app.py", "/assets/..%2fapp.py"):
        assert shop.get(f"{str(shop.base_url).rstrip('/')}{path}").status_code == 404


def test_pages_refer_to_nothing_outside_and_run_no_script(shop: httpx.Client) -> None:
    sign_in(shop)
    for path in ("/", "/library", "/items/lamps", "/sign-in", "/nowhere"):
        page = shop.get(path).text
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", page)
        assert "<script" not in page
        assert " style=" not in page
        assert not re.search(r"\son[a-z]+=", page)


def test_sign_ins_from_one_address_are_limited(settings: Settings, engine: Engine, keystore: KeyStore) -> None:
    few = replace(settings, rates=Rates(sign_in_rate="2/hour"))
    with serving(shop_app(few, engine, keystore=keystore)) as client:
        client.headers["Accept"] = "text/html"
        assert [sign_in(client, "mara").status_code for _ in range(3)] == [303, 303, 429]
        refused = sign_in(client, "tomas")
    assert "Too many requests" in refused.text
    assert 3000 < int(refused.headers["retry-after"]) <= 3600
