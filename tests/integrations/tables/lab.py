"""Kills a run before each change it makes to the file system, one run a change, and lets the next run finish it.

Run as a program: a table in CSV, an empty folder. Prints a line of JSON for each kill.
"""

import csv
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from keyfront import Signer, SigningKey
from keyfront.errors import InputError
from keyfront.integrations.tables import Summary, TableTerms, sign_table

CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir"}
TERMS = TableTerms(url_column="url", expires=timedelta(hours=1))


def main(source: Path, folder: Path) -> None:
    signer = Signer("K2JCJMDEHXQW5F", SigningKey.generate("ecdsa"))
    for number in count(1):
        out = folder / f"{number}" / "out.csv"
        out.parent.mkdir()

        run = partial(sign_table, source, out, signer, TERMS, processes=1, part_rows=4)
        status = in_a_process(partial(killed_at, number, out.parent), run)
        left = sorted(each.name for each in out.parent.iterdir())
        whole_already = out.exists() and not (out.parent / "out.csv.keyfront").exists()
        kept, refused = -1, ""
        try:
            kept = run().kept
        except InputError as error:
            refused = str(error)
        told = {
            "change": number,
            "killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL,
            "left": left,
            "whole_already": whole_already,
            "refused": refused,
            "kept": kept,
            "files": sorted(each.name for each in out.parent.iterdir()),
            "signed": [each["signed_url"] for each in rows(out)],
            "rejected": [each["url"] for each in rows(out.with_name("out.csv.rejects.csv"))],
        }
        print(json.dumps(told), flush=True)
        if not told["killed"]:
            return


def in_a_process(first: Callable[[], None], then: Callable[[], Summary]) -> int:
    process = os.fork()
    if not process:
        first()
        then()
        os._exit(0)
    return os.waitpid(process, 0)[1]


def killed_at(number: int, folder: Path) -> None:
    """Kill this process before its change of that number below `folder`."""
    seen = count(1)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (event in CHANGES or writes) and str(arguments[0]).startswith(str(folder)) and next(seen) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
