"""The command line. An error becomes one line and an exit status, never a traceback."""

import errno
import io
import os
import sys
from importlib import import_module
from typing import Annotated, Final

import typer

from keyfront import __version__
from keyfront.cli.commit import commit
from keyfront.cli.output import complain
from keyfront.core.showing import like_a_key
from keyfront.errors import KeyfrontError, RefusedError

REFUSED: Final = 1
BAD_INPUT: Final = 2
_OF_THE_DISK: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG)
"""Errors that any write can meet, also on standard output, and that are not bugs in keyfront."""

# Each module adds its commands to the application, and is imported only if one of them is needed.
_PARTS: Final = {
    "Keys": {"keys": "keys", "groups": "groups", "rotate": "rotate"},
    "Signatures": {
        "sign": "sign",
        "sign-cookies": "sign",
        "sign-table": "tables",
        "policy": "policies",
        "verify": "verify",
    },
    "Diagnosis": {"explain": "explain", "audit": "audit", "logs": "logs"},
    "Servers": {"up": "up", "console": "console", "edge": "edge", "authz": "authz"},
    "Download backend": {"backend": "backend", "shop": "shop"},
    "Deployment": {"terraform": "terraform", "cdk": "cdk", "functions": "functions", "lambda": "lambdas"},
    "Help": {"man": "man_page"},
}
"""The commands and their modules in this package, in the parts of the help text."""
_MODULES: Final = {command: f"keyfront.cli.{module}" for part in _PARTS.values() for command, module in part.items()}


def _print_version(asked: bool) -> None:
    if asked:
        made_from = commit()
        typer.echo(f"keyfront {__version__}" + (f" ({made_from})" if made_from else ""))
        raise typer.Exit


def _keyfront(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and the commit, and exit."
        ),
    ] = False,
) -> None:
    """Private content on Amazon CloudFront, from a key to a download.

    Make a key pair, put its public key into a trusted key group, sign URLs and
    cookies, and see why a request is allowed or refused.

    \b
    Examples:
      keyfront up
      keyfront keys generate --out keys
      keyfront explain "$URL"

    Every command takes --json. Exit status: 0 done or allowed; 1 refused by the
    signature check or by the service; 2 bad input, or a service that could not be
    reached; 3 not known (explain), or in progress (rotate).
    """


def application(arguments: list[str]) -> typer.Typer:
    """Return the command line with the command in `arguments`, or with all commands if there is none."""
    named = _MODULES.get(arguments[0]) if arguments else None
    app = typer.Typer(
        name="keyfront",
        callback=_keyfront,
        no_args_is_help=True,
        # Panels list the commands. A command's own help stays text, whose long lines can be copied.
        rich_markup_mode=None if named else "rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    for room in [named] if named else dict.fromkeys(_MODULES.values()):
        import_module(room).register(app)
    for command in app.registered_commands:
        command.rich_help_panel = _part(str(command.name or getattr(command.callback, "__name__", "")))
    for group in app.registered_groups:
        group.rich_help_panel = _part(group.name or "")
    return app


def _part(command: str) -> str | None:
    return next((part for part, commands in _PARTS.items() if command in commands), None)


def run(arguments: list[str]) -> int:
    """Run the command in `arguments` and return the exit status."""
    as_json = "--json" in arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A character that the terminal cannot show, or a name that is not UTF-8, must not be an error.
            stream.reconfigure(errors="backslashreplace")
    try:
        status = application(arguments)(arguments, prog_name="keyfront", standalone_mode=False, obj=arguments)
        sys.stdout.flush()
    except RefusedError as error:
        complain(str(error), as_json=as_json)
        return REFUSED
    except KeyfrontError as error:
        complain(str(error), as_json=as_json)
        return BAD_INPUT
    except OSError as error:
        if error.errno not in _OF_THE_DISK:
            raise
        complain(f"cannot write {error.filename or 'the result'}: {error.strerror}", as_json=as_json)
        _give_up_output()
        return BAD_INPUT
    except typer.TyperException as error:
        return _misused(error, as_json=as_json)
    except typer.Abort:
        complain("the prompt was cancelled", as_json=as_json)
        return BAD_INPUT
    return status if isinstance(status, int) else 0


def _give_up_output() -> None:
    """Discard unwritten output. Python would try to write it again when it exits, and print a traceback."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (not a path from the user)
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _misused(error: typer.TyperException, *, as_json: bool) -> int:
    """Report a missing, unknown or malformed option or argument, and return the exit status."""
    if like_a_key(error.format_message()):
        complain(
            "an option or argument is a key itself: give the path of the key's file, or - for standard input",
            as_json=as_json,
        )
        return BAD_INPUT
    show = getattr(error, "show", None)
    if as_json or show is None:
        complain(error.format_message(), as_json=as_json)
    else:
        show()
    return BAD_INPUT
