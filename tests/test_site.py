"""The documentation's site: how its pages are collected, and its search from disk. `make docs` builds and checks it."""

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import pytest
from tools.site_pages import linked, shown_examples

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_SHOWN: Final = ["docs/signing.md", "docs/way.svg", "terraform/examples/kms/README.md"]


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("[Signing](signing.md#one-url)", "[Signing](signing.md#one-url)"),
        ("[Missing](missing.md)", "[Missing](missing.md)"),  # the site's generator refuses it
        ("[a key](../terraform/examples/kms)", "[a key](../terraform/examples/kms/README.md)"),
        ("[a test](../tests/test_pages.py) and more", "a test and more"),
        ("[data](../tests/core/data/peers.toml#x)", "data"),
        ("![the way](way.svg)", "![the way](way.svg)"),
        ("[the guide](https://docs.aws.amazon.com/x.html)", "[the guide](https://docs.aws.amazon.com/x.html)"),
        ("[below](#one-url)", "[below](#one-url)"),
    ],
)
def test_links_of_a_page_fit_the_site(text: str, there: str) -> None:
    assert linked(text, PurePosixPath("docs"), _SHOWN) == there


def test_examples_of_a_commands_help_become_a_block() -> None:
    text = "Sign.\n\nExamples:\n  keyfront sign URL \\\n    --expires 1h\n\n**Usage**:"
    assert shown_examples(text) == "Sign.\n\n```console\n$ keyfront sign URL \\\n  --expires 1h\n```\n\n**Usage**:"


def test_a_page_from_disk_has_a_worker(browser: "Browser", tmp_path: Path) -> None:
    """A browser starts no worker for a file; the search of the site needs one."""
    shim = Path(__file__).parent.parent / "docs" / "site" / "iframe-worker.js"
    (tmp_path / "worker.js").write_text("onmessage = event => self.postMessage({twice: event.data.number * 2});")
    (tmp_path / "page.html").write_text(f"<body><script>{shim.read_text('utf-8')}</script></body>")
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    asked = """() => new Promise((resolve, reject) => {
      const worker = new Worker("worker.js");
      worker.onmessage = event => {
        worker.terminate();
        resolve([event.data.twice, document.querySelector("iframe")]);
      };
      worker.onerror = reject;
      worker.postMessage({number: 21});
    })"""
    assert page.evaluate(asked) == [42, None]
    missing = '() => new Promise(resolve => { new Worker("none.js").onerror = event => resolve(event.message); })'
    assert page.evaluate(missing) == "none.js is missing"
    page.close()
