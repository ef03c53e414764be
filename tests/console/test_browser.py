"""The console of `keyfront up` in Chromium: the whole way of the first guide by mouse, the keyboard, and barriers."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from tests.local.up.conftest import Up, _up
from tests.waiting import wait_until

AXE = Path(__file__).parent / "axe"


@pytest.fixture(scope="module")
def axe(npm: Callable[[Path, Path], None]) -> str:
    """axe-core's script, from npm at the version and hash of the lock file."""
    script = AXE / "node_modules" / "axe-core" / "axe.min.js"
    npm(AXE, script)
    return script.read_text("utf-8")


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with _up(tmp_path_factory.mktemp("up")) as running:
        yield running


@pytest.fixture
def context(browser: Browser, up: Up) -> Iterator[BrowserContext]:
    """A context in which the console's printed address was opened, and whose pages complain about nothing."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    complaints: list[str] = []
    context.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    page = context.new_page()
    page.goto(up.printed["console"])
    assert next(iter(up.printed)) == "console"
    assert "token" not in page.url
    yield context
    context.close()
    # Chromium also notes every refusal's status there.
    assert not [text for text in complaints if "the server responded with a status of" not in text]


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.pages[0]


def test_what_was_typed_before_the_script_was_there_counts(page: Page, up: Up) -> None:
    held: list[Route] = []
    page.route("**/console.js*", lambda route: held.append(route))
    where = f"/distributions/{up.printed['distribution']['id']}"
    with page.expect_request("**/console.js*"):
        page.goto(urljoin(page.url, where), wait_until="commit")
    page.get_by_label("Which behavior takes a path?").fill(f"/{up.printed['items'][0]['path']}")
    held[0].continue_()
    expect(page.locator("tr.takes")).to_have_count(1)


def test_the_guide_s_whole_way_by_mouse(page: Page, context: BrowserContext, up: Up, tmp_path: Path) -> None:
    item = up.printed["items"][0]

    # A pair: the private half becomes a file, and is in no request.
    sent: list[str] = []
    context.on("request", lambda request: sent.append(request.post_data or ""))
    with page.expect_download() as making:
        page.get_by_role("button", name="Make a key pair").click()
    private = tmp_path / "private_key.pem"
    making.value.save_as(private)
    secret = private.read_text().splitlines()[1]
    expect(page.get_by_label("Public key (PEM)")).to_have_value(re.compile("BEGIN PUBLIC KEY"))
    page.get_by_label("Name", exact=True).fill("by-mouse")
    page.get_by_role("button", name="Import").click()
    key_id = page.locator("p.lead code").inner_text()

    # A group of it and of the key that is there, so that it can be removed again.
    page.get_by_role("link", name="Key groups").click()
    page.get_by_label("Name", exact=True).fill("by-mouse-group")
    page.get_by_role("checkbox", name=key_id).check()
    page.get_by_role("checkbox", name=up.printed["key_pair_id"]).check()
    page.get_by_role("button", name="Create the group").click()
    group = page.url.partition("?")[0]

    # The behavior trusts the group, after a look at the change.
    page.get_by_role("link", name="Distributions").click()
    page.locator("tbody th a").first.click()
    page.get_by_label("Which behavior takes a path?").fill(f"/{item['path']}")
    expect(page.locator("tr.takes")).to_have_count(1)
    page.locator("tr.takes").get_by_role("link", name="Change").click()
    page.get_by_role("checkbox", name="by-mouse-group").check()
    page.get_by_role("button", name="Show the change").click()
    expect(page.locator(".diff .plus").first).to_be_visible()
    page.get_by_role("button", name="Apply it").click()
    expect(page.locator("dd [role=status]")).to_have_text("Deployed")

    # A link, signed in the browser, downloads the file.
    page.get_by_role("link", name="Try a link").click()
    page.get_by_label("Path").fill(f"/{item['path']}")
    page.get_by_label("A private key that stays in this browser").check()
    page.get_by_label("Private key (PEM)").set_input_files(private)
    page.get_by_label("Key-pair id").fill(key_id)
    page.get_by_role("button", name="Sign").click()
    expect(page.get_by_alt_text("QR code of the signed URL")).to_be_visible()
    link = page.get_by_label("The signed URL").and_(page.locator("textarea")).input_value()
    # In this tab, since Playwright does not report downloads of a tab that ends with them.
    page.get_by_role("link", name="Open it").evaluate("link => link.removeAttribute('target')")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Open it").click()
    assert Path(downloading.value.path()).read_bytes() == Path(item["file"]).read_bytes()
    assert not [each for each in sent if secret in each]

    # Without the key in the group, the edge refuses the link, and the console says why.
    page.goto(group)
    page.locator("summary", has_text="by-mouse").click()
    page.get_by_role("button", name=f"Remove {key_id}").click()
    expect(page.locator(".notice")).to_contain_text(f"Removed {key_id}")
    # curl asks, since it resolves names under localhost.
    status, body = wait_until(lambda: (answer := up.curl(link))[0] == 403 and answer) or (0, b"")
    assert (status, b"<Code>InvalidKey</Code>" in body) == (403, True)
    page.get_by_role("link", name="Live").click()
    expect(page.locator("#decisions")).to_contain_text(key_id)
    page.get_by_role("link", name="Why 403?").click()
    page.get_by_label("The request: a URL").fill(link)
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_role("region", name="The report")).to_contain_text("InvalidKey")


def test_a_private_key_that_is_dropped_by_mistake_never_leaves_the_page(
    page: Page, context: BrowserContext, up: Up
) -> None:
    sent: list[str] = []
    context.on("request", lambda request: sent.append(request.url) if request.method != "GET" else None)
    page.locator("#pem-file").set_input_files(up.directory / up.printed["private_key"])
    expect(page.locator("#private-key-found")).to_contain_text("private_key.pem is a private key. It was not sent")
    expect(page.get_by_label("Public key (PEM)")).to_have_value("")
    pem = Path(up.directory / up.printed["private_key"]).read_text()
    page.get_by_label("Public key (PEM)").fill(pem)
    expect(page.get_by_label("Public key (PEM)")).to_have_value("")
    assert not sent


def test_the_keyboard_alone_creates_a_group_and_follows_the_drawing(page: Page, up: Up) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Key groups")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/groups")
    _tab_to(page, "name")
    page.keyboard.type("by-keyboard")
    _tab_to(page, "key")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_contain_text("Created by-keyboard")
    page.goto(f"{page.url.partition('/groups')[0]}/trust")
    node = page.locator(f"a[data-id='{up.printed['key_group']}']")
    node.focus()
    assert page.locator(".edge.traced").count() >= 2
    expect(node).to_have_attribute("class", re.compile("traced"))


def _tab_to(page: Page, name: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == name:
            return
    pytest.fail(f"no field {name} can be reached by the keyboard")


def _paths(up: Up) -> dict[str, str]:
    distribution, group, key = (
        up.printed["distribution"]["id"],
        up.printed["key_group"],
        up.printed["key_pair_id"],
    )
    return {
        "keys": "/keys",
        "a key": f"/keys/{key}",
        "groups": "/groups",
        "a group": f"/groups/{group}",
        "distributions": "/distributions",
        "a distribution": f"/distributions/{distribution}",
        "a behavior": f"/distributions/{distribution}/behavior?pattern=*",
        "trust": "/trust",
        "link": "/link",
        "why": "/why",
        "live": "/live",
        "rotations": "/rotation",
        "a rotation": f"/rotation/{group}",
        "an error": "/nothing",
    }


_LOOKS: Final[tuple[tuple[int, Literal["light", "dark"]], ...]] = ((1280, "light"), (390, "dark"))
"""The widths at which tables have columns and have none, each in one of the two palettes."""


def test_axe_finds_no_barrier_and_every_page_fits(page: Page, up: Up, axe: str) -> None:
    start = page.url.partition("/keys")[0]
    found: dict[str, object] = {}
    for name, path in _paths(up).items():
        page.goto(start + path)
        if name == "trust":
            page.locator(".drawing").wait_for()
        if name == "link":
            page.get_by_role("button", name="Sign").click()
            page.get_by_role("link", name="Open it").wait_for()
            link = page.locator("#signed-url").input_value()
        if name == "why":
            page.get_by_label("The request: a URL").fill(link + "x")
            page.get_by_role("button", name="Explain").click()
            page.locator("#report h1").wait_for()
        page.evaluate(axe)
        for width, scheme in _LOOKS:
            page.emulate_media(color_scheme=scheme)
            _fits(page, width, name, found)
            report = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            for each in report["violations"]:
                found[f"{name}, {scheme}: {each['id']}"] = [node["html"][:200] for node in each["nodes"]]
        for width in (320, 1920):
            _fits(page, width, name, found)
    assert not found, json.dumps(found, indent=1)


def _fits(page: Page, width: int, name: str, found: dict[str, object]) -> None:
    """Give the page this width, and note if something sticks out to the side."""
    page.set_viewport_size({"width": width, "height": 900})
    if not page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"):
        found[f"{name} does not fit"] = width
