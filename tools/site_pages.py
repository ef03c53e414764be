"""Collects the pages of the documentation's site in build/pages: the repository's Markdown, and what is generated.

Two references are made here, so that they are always true: every command with its options (from typer), and the API
(mkdocstrings reads the docstrings when the site is built). It fails if a page is not in the site's navigation, or the
navigation names a page that does not exist.

.venv/bin/python tools/site_pages.py
"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

import typer
import typer.main
from typer.cli import get_docs_for_click

from keyfront.cli.app import application

ROOT: Final = Path(__file__).parent.parent
PAGES: Final = ROOT / "build" / "pages"
API: Final = {
    "keyfront": "Sign and check",
    "keyfront.errors": "Errors",
    "keyfront.keystore": "Key stores",
    "keyfront.explain": "Explain",
    "keyfront.explain.lint": "Check a policy",
    "keyfront.testing": "Tests",
    "keyfront.backend": "Download service",
    "keyfront.integrations.boto3": "boto3",
    "keyfront.integrations.botocore": "botocore",
    "keyfront.integrations.aio": "asyncio",
    "keyfront.integrations.django": "Django",
    "keyfront.integrations.flask": "Flask",
    "keyfront.integrations.fastapi": "FastAPI",
    "keyfront.integrations.middleware.asgi": "Middleware for ASGI",
    "keyfront.integrations.middleware.wsgi": "Middleware for WSGI",
    "keyfront.integrations.streams": "Streams",
    "keyfront.integrations.streams.asgi": "A stream's playlists, over ASGI",
    "keyfront.integrations.tables": "Tables",
    "keyfront.integrations.tables.spark": "Tables in Spark",
    "keyfront.integrations.cdk": "AWS CDK",
}
"""The modules that the pages import, with a heading for each. tools/site_check.py checks their docstrings."""

_SUFFIXES: Final = (".md", ".svg", ".png", ".webp", ".js", ".css")
_FOLDERS: Final = ("docs", "benchmarks", "terraform")
_LINK: Final = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")
_EXAMPLES: Final = re.compile(r"^Examples?:\n((?:[ ]{2,}.*\n)+)", re.MULTILINE)


def main() -> int:
    """Write the pages. Return the exit code."""
    shutil.rmtree(PAGES, ignore_errors=True)
    shown = list(_shown_files())
    for name in shown:
        target = PAGES / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".md":
            target.write_text(
                linked((ROOT / name).read_text("utf-8"), PurePosixPath(name).parent, shown), encoding="utf-8"
            )
        else:
            shutil.copyfile(ROOT / name, target)
    (PAGES / "docs" / "options.md").write_text(_options(), encoding="utf-8")
    (PAGES / "docs" / "api.md").write_text(_api(), encoding="utf-8")
    wrong = list(_wrong_navigation())
    sys.stderr.writelines(f"{each}\n" for each in wrong)
    return 1 if wrong else 0


def _shown_files() -> Iterator[str]:
    """Yield the pages and pictures of the site: files that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md", *_FOLDERS]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()  # noqa: S603
    for name in dict.fromkeys(listed):
        path = PurePosixPath(name)
        beside = len(path.parts) == 1 or path.parts[0] in _FOLDERS
        if (
            beside
            and path.suffix in _SUFFIXES
            and (ROOT / name).exists()
            and (path.parts[0] != "terraform" or path.suffix == ".md")
        ):
            yield name


def linked(text: str, folder: PurePosixPath, shown: list[str]) -> str:
    """Return a page whose links fit the site: a folder's leads to its page, and one to source code is only text."""

    def replaced(found: re.Match[str]) -> str:
        words, target, anchor = found.groups(default="")
        path = _joined(folder, target)
        if "://" in target or path.endswith(".md") or path in shown:
            return found[0]
        if f"{path}/README.md" in shown:
            return f"[{words}]({target.rstrip('/')}/README.md{anchor})"
        return words

    return _LINK.sub(replaced, text)


def _joined(folder: PurePosixPath, target: str) -> str:
    parts: list[str] = []
    for part in (*folder.parts, *target.split("/")):
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _options() -> str:
    """Return the page of all commands and their options, in the words of their help."""
    command = typer.main.get_command(application([]))
    context = typer.Context(command, info_name="keyfront", **command.context_settings)
    text = get_docs_for_click(obj=command, ctx=context, name="keyfront", title="Every command and its options")
    return shown_examples(text.replace("\b\n", ""))


def shown_examples(text: str) -> str:
    """Return help texts whose examples are blocks, as on the pages."""
    return _EXAMPLES.sub(_as_block, text)


def _as_block(found: re.Match[str]) -> str:
    lines = [line.removeprefix("  ") for line in found[1].splitlines()]
    prompted = [line if line.startswith(" ") else f"$ {line}" for line in lines]
    return "\n".join(["```console", *prompted, "```", ""])


def _api() -> str:
    """Return the page of the Python API, which mkdocstrings fills in."""
    parts = ["# Python API\n\nThe names that your code may import. Everything else may change in any release.\n"]
    parts += [f"## {heading}\n\n::: {module}\n" for module, heading in API.items()]
    return "\n".join(parts)


def _wrong_navigation() -> Iterator[str]:
    named = set(_named(tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]["nav"]))
    there = {path.relative_to(PAGES).as_posix() for path in PAGES.rglob("*.md")}
    for page in sorted(there - named):
        yield f"{page}: no entry of nav in zensical.toml leads to this page: add it there"
    for page in sorted(named - there):
        yield f"zensical.toml: nav names {page}, which does not exist: remove it, or correct its path"


def _named(entries: list[Any]) -> Iterator[str]:
    for entry in entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            if isinstance(value, str):
                yield value
            else:
                yield from _named(value)


if __name__ == "__main__":
    sys.exit(main())
