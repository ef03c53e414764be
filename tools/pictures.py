"""Makes the pictures of the documentation: the console, the shop, and `keyfront explain` in a terminal.

It starts `keyfront up`, takes a screenshot of each page in Chromium, and writes what a terminal shows.

python tools/pictures.py [FOLDER]    # default: docs
"""

import base64
import io
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.text import Text

ROOT: Final = Path(__file__).parent.parent
_KEYFRONT: Final = Path(sys.executable).with_name("keyfront")
_FREE: Final = [word for name in ("port", "http-port", "https-port", "backend-port") for word in (f"--{name}", "0")]
_WIDTH, _HEIGHT = 1120, 680
_QUALITY: Final = 60
_COLUMNS: Final = 100
_FONT: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""In rich's drawing: a font from another host. The reader's own monospace font takes its place."""


def main(arguments: list[str]) -> int:
    """Write the pictures. Return 0."""
    docs = Path(arguments[0]) if arguments else ROOT / "docs"
    for folder in (docs / "console", docs / "pictures"):
        folder.mkdir(parents=True, exist_ok=True)
    with _running() as up, sync_playwright() as playwright:
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        _take_console(browser, up, docs / "console")
        _take_shop(browser, up, docs / "pictures")
        browser.close()
        _write_terminal(up, docs / "pictures" / "explain.svg")
    return 0


@contextmanager
def _running() -> Iterator[dict[str, Any]]:
    with TemporaryDirectory(prefix="keyfront-pictures-") as directory:
        command = [str(_KEYFRONT), "up", "--json", *_FREE]
        with subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
            process.terminate()


def _take_console(browser: Browser, up: dict[str, Any], folder: Path) -> None:
    page = _opened(browser, up, "light", _WIDTH)
    start, shot = page.url.partition("/keys")[0], _Camera(page, folder)
    link = _link(page, start, up)
    shot.take("link")
    for url in (link, link, link.replace("Expires=1", "Expires=2"), link.partition("?")[0]):
        subprocess.run(["curl", "--silent", "--output", "/dev/null", url], check=True)  # noqa: S603, S607
    page.goto(f"{start}/why")
    page.get_by_label("The request: a URL").fill(link.replace("Expires=1", "Expires=2"))
    page.get_by_role("button", name="Explain").click()
    page.locator("#report h1").wait_for()
    page.evaluate("scrollTo(0, 0)")
    shot.take("why")
    for name in ("keys", "groups", "live"):
        page.goto(f"{start}/{name}")
        if name == "live":
            page.locator("#decisions tr").nth(3).wait_for()
            page.reload()
            page.get_by_text("Watching:").wait_for()
        shot.take(name)
    page.goto(f"{start}/trust")
    page.locator(".drawing").wait_for()
    page.locator(f"a[data-id='{up['key_group']}']").hover()
    shot.take("trust")
    page.goto(f"{start}/rotation/{up['key_group']}")
    shot.take("rotation")
    distribution = f"{start}/distributions/{up['distribution']['id']}"
    page.goto(distribution)
    page.get_by_label("Which behavior takes a path?").fill(f"/{up['items'][0]['path']}")
    page.locator("tr.takes").wait_for()
    shot.take("distribution")
    page.goto(f"{distribution}/behavior?pattern=*")
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    page.get_by_role("button", name="Show the change").click()
    page.locator(".diff").wait_for()
    shot.take("change")
    phone = _opened(browser, up, "dark", 390)
    _Camera(phone, folder).take("phone")


def _take_shop(browser: Browser, up: dict[str, Any], folder: Path) -> None:
    page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})
    page.goto(up["shop"])
    _Camera(page, folder).take("shop")


def _write_terminal(up: dict[str, Any], path: Path) -> None:
    """Write what a terminal shows of `keyfront explain` about a link that was signed for https."""
    words = f"sign https://media.example.com/book.epub --key-id {up['key_pair_id']} --expires 1h --private-key"
    sign = [_KEYFRONT, *words.split(), up["private_key"]]
    link = subprocess.run(sign, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603
    asked = link.replace("https://", "http://")
    shown = _in_a_terminal([str(_KEYFRONT), "explain", asked, "--public-key", up["public_key"]])
    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print('[bold]$[/] keyfront explain "$URL" --public-key public_key.pem\n')
    report = Text.from_ansi(shown)
    console.print(report[: report.plain.index("The policy that counts") - 2])
    drawing = console.export_svg(title="keyfront explain", unique_id="explain")
    path.write_text(_FONT.sub("", drawing), encoding="utf-8")


def _in_a_terminal(command: list[str]) -> str:
    """Return what `command` writes to a terminal, with its colours."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(_COLUMNS), "PYTHONIOENCODING": "utf-8", "TERM": "xterm-256color"}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment):  # noqa: S603
        os.close(theirs)
        parts = []
        with suppress(OSError):  # so Linux says that the other end is closed
            while part := os.read(ours, 65536):
                parts.append(part)
    os.close(ours)
    return b"".join(parts).decode().replace("\r\n", "\n")


def _opened(browser: Browser, up: dict[str, Any], scheme: Any, width: int) -> Page:
    page = browser.new_page(viewport={"width": width, "height": _HEIGHT}, color_scheme=scheme)
    page.goto(up["console"])
    return page


def _link(page: Page, start: str, up: dict[str, Any]) -> str:
    """Sign a link on the page of links, and return it."""
    page.goto(f"{start}/link")
    page.get_by_label("Path").fill(f"/{up['items'][0]['path']}")
    page.get_by_role("button", name="Sign").click()
    page.get_by_alt_text("QR code of the signed URL").wait_for()
    page.evaluate("scrollTo(0, 0)")
    return page.locator("#signed-url").input_value()


class _Camera:
    """Takes screenshots of one page."""

    def __init__(self, page: Page, folder: Path) -> None:
        self._page = page
        self._folder = folder

    def take(self, name: str) -> None:
        """Write the picture of what is shown."""
        asked = {"format": "webp", "quality": _QUALITY}
        taken = self._page.context.new_cdp_session(self._page).send("Page.captureScreenshot", asked)
        (self._folder / f"{name}.webp").write_bytes(base64.b64decode(taken["data"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
