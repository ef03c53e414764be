"""`keyfront man`: print the manual page, from the help of the commands."""

import re
import textwrap
from collections.abc import Iterator
from typing import Any, Final

import typer

from keyfront import __version__
from keyfront.cli.output import show

_LEADING: Final = re.compile(r"^([.'])", re.MULTILINE)
_STATUS: Final = """\
.SH EXIT STATUS
.TP
0
done, or allowed
.TP
1
refused by the signature check or by the service; or a check found something
.TP
2
bad input, or a service that could not be reached
.TP
3
not known (explain), or in progress (rotate)"""


def man() -> None:
    """Print the manual page. Read it with man -l, or put it into ~/.local/share/man/man1.

    \b
    Example:
      keyfront man > keyfront.1
    """
    from keyfront.cli.app import application

    show("\n".join(_page(typer.main.get_command(application([])))))


def _page(root: Any) -> Iterator[str]:
    yield f'.TH KEYFRONT 1 "" "keyfront {__version__}" "User Commands"'
    yield ".SH NAME"
    yield r"keyfront \- private content on Amazon CloudFront, from a key to a download"
    yield ".SH SYNOPSIS"
    yield ".B keyfront"
    yield r"\fICOMMAND\fR [\fIOPTION\fR...] [\fIARGUMENT\fR...]"
    yield ".SH DESCRIPTION"
    yield from _paragraphs(root.help or "")
    yield ".SH COMMANDS"
    for name, command in sorted(root.commands.items()):
        yield from _command(f"keyfront {name}", command)
    yield _STATUS


def _command(name: str, command: Any) -> Iterator[str]:
    below = getattr(command, "commands", {})
    if command.hidden:
        return
    if not below:
        arguments = [each.make_metavar(None) for each in command.params if each.param_type_name == "argument"]
        yield f".SS {_escaped(' '.join([name, *arguments]))}"
        yield from _paragraphs(command.help or "")
        for option in (each for each in command.params if each.param_type_name == "option" and not each.hidden):
            yield ".TP"
            yield _escaped(", ".join((*option.opts, *option.secondary_opts)) + _value(option))
            yield _escaped(option.help or "")
    for each, inner in sorted(below.items()):
        yield from _command(f"{name} {each}", inner)


def _value(option: Any) -> str:
    return "" if option.is_flag else f" {option.metavar or option.type.name.upper()}"


def _paragraphs(text: str) -> Iterator[str]:
    """Yield a help text: its paragraphs are filled, and its examples stay as they are."""
    for block in text.split("\n\n"):
        example = "\b" in block
        yield ".PP"
        if example:
            yield ".nf"
        yield _escaped(textwrap.dedent(block.replace("\b\n", "").replace("\b", "")).strip("\n"))
        if example:
            yield ".fi"


def _escaped(text: str) -> str:
    return _LEADING.sub(r"\\&\1", text.replace("\\", r"\e").replace("-", r"\-"))


def register(app: typer.Typer) -> None:
    """Add `keyfront man` to the application."""
    app.command("man")(man)
