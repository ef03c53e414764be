"""What a command prints: results on standard output, warnings and errors on standard error, as text or as JSON."""

import json
import sys
from collections.abc import Iterable, Sequence

import typer

from keyfront.errors import KeyfrontError

Json = None | bool | int | float | str | Sequence["Json"] | dict[str, "Json"]


class RefusedError(KeyfrontError):
    """The service said no to a request that was in order. The command ends with status 1."""


def show(text: str) -> None:
    """One result, on standard output."""
    typer.echo(text)


def show_json(value: Json) -> None:
    """A result for another program."""
    typer.echo(json.dumps(value, indent=2))


def say(text: str) -> None:
    """Something for the person at the terminal that is no result: on standard error, out of a pipe's way."""
    typer.echo(text, err=True)


def warn(text: str) -> None:
    """Something that works and is seldom meant."""
    say(f"warning: {text}")


def complain(text: str, *, as_json: bool) -> None:
    """Why the command could not do it."""
    say(json.dumps({"error": text}) if as_json else f"error: {text}")


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as their widest entry, two spaces apart."""
    lines = [titles, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(entry.ljust(width) for entry, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def marks() -> tuple[str, str]:
    """How passed and failed checks are marked: signs on a terminal that can show them, words elsewhere."""
    if sys.stdout.isatty() and (sys.stdout.encoding or "").lower().replace("-", "") == "utf8":
        return typer.style("✓", fg="green"), typer.style("✗", fg="red")
    return "ok", "NO"
