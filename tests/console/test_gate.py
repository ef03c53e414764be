"""Who may open the console, and what a read-only console refuses."""

from collections.abc import Iterator

import httpx
import pytest
from tests.console.conftest import SECRETS, Browser, Open, Served

ROUTES = [
    ("/keys", {"name": "n", "pem": "p"}),
    ("/keys/K1/comment", {"comment": "c", "etag": "e"}),
    ("/keys/K1/delete", {}),
    ("/groups", {"name": "n", "key": "K1"}),
    ("/groups/g/add", {"key": "K1"}),
    ("/groups/g/remove", {"key": "K1"}),
    ("/groups/g/delete", {}),
    ("/distributions/E1/change", {"pattern": "*", "etag": "e"}),
    ("/rotation/g/start", {"signer": "file:x"}),
    ("/rotation/g/continue", {}),
    ("/rotation/g/abort", {}),
]


@pytest.fixture
def stranger(open_console: Open, served: Served) -> Iterator[httpx.Client]:
    open_console()
    with httpx.Client(base_url=served.url) as client:
        yield client


def test_without_the_token_nothing_is_shown(stranger: httpx.Client) -> None:
    for path in ("/", "/keys", "/?token=wrong", f"/?token={SECRETS.token}x", "/alive", "/live/events", "/nothing"):
        answer = stranger.get(path)
        assert answer.status_code == 401, path
        assert "Open the address that the terminal printed" in answer.text
    assert stranger.get("/assets/console.css").status_code == 200
    assert stranger.get("/assets/../gate.py").status_code != 200


def test_the_token_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(stranger: httpx.Client) -> None:
    answer = stranger.get(f"/keys?marker=x&token={SECRETS.token}")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/keys?marker=x"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert SECRETS.token not in cookie
    assert stranger.get(f"//evil.example/?token={SECRETS.token}").headers.get("location", "/").startswith("/")


def test_a_page_of_another_site_or_another_name_gets_nothing(page: Browser) -> None:
    assert page.get("/keys", headers={"host": "evil.example"}).status_code == 403
    assert page.get("/keys", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}).status_code == 403
    for origin in ("http://localhost:3000", "null", "https://127.0.0.1"):
        assert page.get("/keys", headers={"origin": origin}).status_code == 403
    own = str(page.client.base_url).rstrip("/")
    assert page.get("/keys", headers={"origin": own}).status_code == 200
    form = {"csrf": SECRETS.csrf, "name": "n", "key": "K1"}
    answer = page.client.post(
        "/groups",
        data=form,
        headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("csrf", ["", "wrong", SECRETS.cookie])
def test_a_change_needs_the_pages_own_csrf_token(page: Browser, csrf: str) -> None:
    answer = page.client.post("/groups", data={"csrf": csrf, "name": "n", "key": "K1"})
    assert answer.status_code == 403
    assert "Reload it" in answer.text


def test_a_read_only_console_refuses_every_change_and_offers_none(open_console: Open) -> None:
    page = open_console(read_only=True)
    for path, form in ROUTES:
        answer = page.post(path, **form)
        assert answer.status_code == 403, path
        assert "read-only" in answer.text
    for path in ("/keys", "/groups", "/distributions"):
        shown = page.get(path).text
        assert ">read-only<" in shown
        assert '<form method="post"' not in shown
    assert page.post("/ask/link", base="https://d.example", path="/x", expires="1h").status_code == 200


def test_the_list_of_changes_is_every_route_that_takes_a_form(open_console: Open) -> None:
    from starlette.routing import Route

    from keyfront.console import application
    from keyfront.console.context import Context

    context = Context(None, None, read_only=False)  # type: ignore[arg-type]
    routes = [route for page in application._PAGES for route in page(context).routes if isinstance(route, Route)]
    taking = {route.path for route in routes if route.methods and "POST" in route.methods}
    changing = {path for path in taking if not path.startswith("/ask/")}
    assert len(changing) == len(ROUTES)
    assert all(path.startswith(("/keys", "/groups", "/distributions", "/rotation")) for path in changing)


def test_every_response_has_the_headers_that_keep_scripts_and_frames_out(page: Browser) -> None:
    for path in ("/keys", "/assets/console.js", "/nothing"):
        headers = page.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/keys", "/ask/link"])
def test_a_body_that_is_no_form_or_too_large_is_refused(page: Browser, path: str) -> None:
    assert page.client.post(path, json={}, headers={"x-csrf-token": SECRETS.csrf}).status_code == 415
    large = page.client.post(path, data={"csrf": SECRETS.csrf, "x": "y" * (17 * 1024 * 1024)})
    assert large.status_code == 413
    many = page.client.post(path, data={"csrf": SECRETS.csrf, **{f"f{n}": "" for n in range(1001)}})
    assert many.status_code == 400
