"""Checks the documentation's site after it is built: its links, what it loads, and the docstrings of the Python API.

.venv/docs/bin/python tools/site_check.py    # after `zensical build`; griffe comes with mkdocstrings
"""

import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import griffe

ROOT: Final = Path(__file__).parent.parent
SITE: Final = ROOT / "build" / "site"
_API_PAGE: Final = ROOT / "build" / "pages" / "docs" / "api.md"
_LOADED: Final = {"script": "src", "img": "src", "iframe": "src", "link": "href"}
"""The elements whose target a browser loads by itself. A `link` may also only name one: `_NAMING`."""
_NAMING: Final = {"canonical", "next", "prev", "alternate"}


def main() -> int:
    """Print what is wrong. Return the exit code."""
    wrong = [*_undocumented(), *_wrong_targets()]
    sys.stderr.writelines(f"{each}\n" for each in wrong)
    return 1 if wrong else 0


def _undocumented() -> Iterator[str]:
    """Yield the public modules, classes, functions and methods of the API page that have no docstring."""
    package = griffe.load("keyfront", search_paths=[ROOT / "src"], resolve_aliases=True)
    for name in re.findall(r"^::: (\S+)", _API_PAGE.read_text("utf-8"), re.MULTILINE):
        module = package if name == "keyfront" else package[name.removeprefix("keyfront.")]
        for each in _public(module):
            if not each.has_docstring and not each.is_attribute:
                place = f"{each.relative_filepath}:{each.lineno}"
                yield f"{place}: {each.path} is public and has no docstring: add one, or rename it to begin with _"


def _public(module: "griffe.Object | griffe.Alias") -> Iterator["griffe.Object | griffe.Alias"]:
    yield module
    for name, member in module.members.items():
        listed = name in module.exports if module.exports else not (name.startswith("_") or member.is_alias)
        if not listed or member.is_module:
            continue
        thing = member.final_target if isinstance(member, griffe.Alias) else member
        yield thing
        if thing.is_class:
            yield from (each for key, each in thing.members.items() if not key.startswith("_") and not each.is_alias)


def _wrong_targets() -> Iterator[str]:
    """Yield the links that lead nowhere, and what pages load from other hosts."""
    for path in sorted(SITE.rglob("*.html")):
        page, name = _read(path), path.relative_to(SITE)
        for tag, target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                if tag in _LOADED and parts.scheme != "data":
                    yield f"{name}: <{tag}> loads {target}: the site must work without a network"
            elif name.name != "404.html" and (missing := _missing(path, parts.path, unquote(parts.fragment))):
                yield f"{name}: {target} leads to {missing}, which does not exist: correct the link"


def _missing(page: Path, path: str, fragment: str) -> str | None:
    target = (page.parent / unquote(path)).resolve() if path else page
    if target.is_dir():
        target /= "index.html"
    if not target.exists():
        return str(path)
    if fragment and target.suffix == ".html" and fragment not in _read(target).ids:
        return f"{path}#{fragment}"
    return None


class _Page(HTMLParser):
    """The anchors of a page, and the targets of its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.targets: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids.update(given[name] for name in ("id", "name") if name in given)
        if tag == "link" and given.get("rel") in _NAMING:
            return
        attribute = _LOADED.get(tag, "href" if tag == "a" else "")
        if given.get(attribute):
            self.targets.append((tag, given[attribute]))


@cache
def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text("utf-8"))
    return page


if __name__ == "__main__":
    sys.exit(main())
