"""The `keyfront` command. A command's imports happen when it runs, so that the others start fast."""

import sys
from collections.abc import Sequence

from keyfront.garbage import collect_rarely
from keyfront.home import install


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command (default: `sys.argv`) and return its exit status: 0 done or allowed, 1 refused, 2 bad input."""
    if arguments is None:
        collect_rarely()
    try:
        import typer  # noqa: F401  the base install has no command line; the error says so
    except ModuleNotFoundError as error:
        if error.name != "typer":
            raise
        sys.stderr.write(f"error: the keyfront command needs the extra cli: {install('cli')}\n")
        return 2
    from keyfront.cli.app import run

    return run(sys.argv[1:] if arguments is None else list(arguments))
