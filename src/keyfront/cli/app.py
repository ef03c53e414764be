"""The command line. An error becomes one line and an exit status, never a traceback."""

import errno
import io
import os
import sys
from importlib import import_module
from typing import Annotated, Final

import typer

from keyfront import __version__
from keyfront.cli.output import complain
from keyfront.core.showing import like_a_key
from keyfront.errors import KeyfrontError, RefusedError

REFUSED: Final = 1
BAD_INPUT: Final = 2
_OF_THE_DISK: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG)
"""Errors that any write can meet, also on standard output, and that are not bugs in keyfront."""

# Each module adds its commands to the application, and is imported only if one of them is needed.
_ROOMS: Final = {
    "keys": "keyfront.cli.keys",
    "groups": "keyfront.cli.groups",
    "sign": "keyfront.cli.sign",
    "sign-cookies": "keyfront.cli.sign",
    "sign-table": "keyfront.cli.tables",
    "policy": "keyfront.cli.policies",
    "verify": "keyfront.cli.verify",
    "explain": "keyfront.cli.explain",
    "terraform": "keyfront.cli.terraform",
    "authz": "keyfront.cli.authz",
    "edge": "keyfront.cli.edge",
    "rotate": "keyfront.cli.rotate",
    "lambda": "keyfront.cli.lambdas",
    "audit": "keyfront.cli.audit",
    "up": "keyfront.cli.up",
}


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"keyfront {__version__}")
        raise typer.Exit


def _keyfront(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Private content on Amazon CloudFront, from a key to a download.

    Make a key pair, put its public key into a trusted key group, sign URLs and cookies with the private key, and see
    why a request is allowed or refused. `keyfront up` runs everything on this machine, CloudFront included.

    Every command takes --json. Exit status: 0 done or allowed; 1 refused by the signature check or by the service; 2
    bad input, or a service that could not be reached.
    """


def application(arguments: list[str]) -> typer.Typer:
    """Return the command line with the command in `arguments`, or with all commands if there is none."""
    app = typer.Typer(
        name="keyfront",
        callback=_keyfront,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    named = _ROOMS.get(arguments[0]) if arguments else None
    for room in [named] if named else dict.fromkeys(_ROOMS.values()):
        import_module(room).register(app)
    return app


def run(arguments: list[str]) -> int:
    """Run the command in `arguments` and return the exit status."""
    as_json = "--json" in arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A character that the terminal cannot show, or a name that is not UTF-8, must not be an error.
            stream.reconfigure(errors="backslashreplace")
    try:
        status = application(arguments)(arguments, prog_name="keyfront", standalone_mode=False)
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
