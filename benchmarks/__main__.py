"""`python -m benchmarks`: run the benchmarks and print one table."""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterator, Sequence

from benchmarks import (
    authz,
    cli,
    console,
    downloads,
    edge,
    functions,
    growth,
    lambdas,
    logs,
    many,
    memory,
    misses,
    signing,
    table,
    tables,
    verification,
)
from benchmarks.contest import Row

SECTIONS: dict[str, Callable[[float, int], Iterator[Row]]] = {
    "signing": signing.run,
    "many": many.run,
    "verification": verification.run,
    "tables": tables.run,
    "cli": cli.run,
    "edge": edge.run,
    "functions": functions.run,
    "misses": misses.run,
    "authz": authz.run,
    "downloads": downloads.run,
    "lambda": lambdas.run,
}
LONG: dict[str, Callable[[float, int], Iterator[Row]]] = {
    "edge-memory": memory.run,
    "tables-million": tables.run_million,
    "console": console.run,
    "growth": growth.run,
    "logs": logs.run,
}
"""Sections that run only if `--only` names them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen sections. Return 0 whatever the figures are: people judge them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Compare keyfront with its peers.")
    parser.add_argument(
        "--only", action="append", choices=[*SECTIONS, *LONG], help="run only this section; may be repeated"
    )
    parser.add_argument("--seconds", type=_positive, default=2.0, help="working time of each peer (default: 2)")
    parser.add_argument("--rounds", type=int, default=20, help="number of turns (default: 20)")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}: give at least 1")
    rows: list[Row] = []
    for name in options.only or SECTIONS:
        print(f"{name} …", file=sys.stderr, flush=True)
        rows += {**SECTIONS, **LONG}[name](options.seconds, options.rounds)
    if options.json:
        print(json.dumps(table.as_objects(rows), indent=2))
    else:
        print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}\n")
        print(table.as_text(rows))
    return 0


def _positive(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 3600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 3600")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
