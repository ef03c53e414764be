"""The output of commands: results on standard output, warnings and errors on standard error, as text or JSON."""

import json
import sys
from collections.abc import Iterable, Sequence

import typer

Json = None | bool | int | float | str | Sequence["Json"] | dict[str, "Json"]


def show(text: str) -> None:
    """Print a result on standard output."""
    typer.echo(text)


def show_json(value: Json) -> None:
    """Print a result as JSON on standard output."""
    typer.echo(json.dumps(value, indent=2))


def say(text: str) -> None:
    """Print a message for people on standard error, so that it does not get into a pipe."""
    typer.echo(text, err=True)


def warn(text: str) -> None:
    """Print a warning on standard error."""
    say(f"warning: {text}")


def complain(text: str, *, as_json: bool) -> None:
    """Print an error on standard error, as text or JSON."""
    say(json.dumps({"error": text}) if as_json else f"error: {text}")


def printable(text: str) -> str:
    """Return `text` from elsewhere for a terminal: characters that could move the cursor are escaped."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with columns as wide as their widest entry, two spaces apart."""
    lines = [titles, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(entry.ljust(width) for entry, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def marks() -> tuple[str, str]:
    """Return the marks for passed and failed checks: signs on a UTF-8 terminal, words elsewhere."""
    if sys.stdout.isatty() and (sys.stdout.encoding or "").lower().replace("-", "") == "utf8":
        return typer.style("✓", fg="green"), typer.style("✗", fg="red")
    return "ok", "NO"
